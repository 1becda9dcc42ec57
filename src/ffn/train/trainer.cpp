#include "ffn/train/trainer.h"

#include <nlohmann/json.hpp>

#include <numeric>

#include "ffn/base/timer.h"
#include "ffn/io/atomic_file.h"
#include "ffn/models/vit_folder.h"

namespace ffn::inline v0 {
namespace {

constexpr std::size_t kRecentSteps = 100;

nlohmann::ordered_json score_json(const Score& score) {
  return {{"accuracy", score.accuracy()},
          {"loss", score.loss},
          {"right", score.right},
          {"count", score.count}};
}

double mean(const std::deque<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0) /
         static_cast<double>(std::max<std::size_t>(1, values.size()));
}

}  // namespace

SessionOptions session_options(const TrainConfig& config) {
  return {.dtype = config.dtype,
          .weight_decay = config.run.optimizer.weight_decay,
          .max_norm = config.run.max_norm,
          .seed = config.run.seed};
}

BatchOptions batch_options(const TrainConfig& config) {
  return {.batch = config.run.batch, .seed = config.run.seed, .augment = config.run.augment};
}

Trainer::Trainer(Executor& ex, const TrainConfig& config, const ImageData& data,
                 const std::string& folder)
    : ex_(ex),
      config_(config),
      data_(data),
      folder_(folder),
      session_(ex, config.model, session_options(config), standard_designs()),
      batches_(ex, data.train, data.statistics, batch_options(config)),
      metrics_(metrics_path(folder), restore()) {}

// Fills what the checkpoint holds, or the weights that the run starts from; the bytes of the
// metrics to keep.
std::int64_t Trainer::restore() {
  const auto position = restore_checkpoint(folder_, ex_, view());
  if (!position) {
    if (!config_.start_folder.empty())
      read_vit_weights(ex_, config_.start_folder, session_.model(), session_.parameters());
    return 0;
  }
  step_ = position->step;
  session_.clip().set_skipped(position->skipped_steps);
  return position->metrics_bytes;
}

void Trainer::save() {
  const std::int64_t epoch_steps = batches_.steps_per_epoch();
  metrics_.sync();
  save_checkpoint(folder_, view(),
                  {.step = step_,
                   .epoch = step_ / epoch_steps,
                   .step_in_epoch = step_ % epoch_steps,
                   .skipped_steps = session_.clip().skipped(),
                   .metrics_bytes = metrics_.bytes()});
}

void Trainer::train_step(TrainOutcome& outcome) {
  const Stopwatch watch;
  const std::int64_t epoch_steps = batches_.steps_per_epoch();
  batches_.fill(step_ / epoch_steps, step_ % epoch_steps);
  const double rate = learning_rate(config_.run.schedule, step_);
  const StepResult result =
      session_.step({batches_.images(), batches_.labels(), batches_.targets()}, step_, rate);
  ++step_;
  recent_losses_.push_back(result.loss);
  if (recent_losses_.size() > kRecentSteps) recent_losses_.pop_front();
  outcome.training_s += watch.elapsed_s();
  outcome.trained_images += config_.run.batch;
  const Metric line[] = {{"kind", std::string("step")},
                         {"step", step_},
                         {"loss", result.loss},
                         {"learning_rate", rate},
                         {"gradient_norm", result.gradient.norm},
                         {"skipped", !result.gradient.finite}};
  metrics_.append(line);
}

void Trainer::end_epoch(TrainOutcome& outcome) {
  outcome.validation = evaluate(session_, data_.validation, data_.statistics);
  const Metric line[] = {{"kind", std::string("epoch")},
                         {"epoch", (step_ - 1) / batches_.steps_per_epoch() + 1},
                         {"step", step_},
                         {"validation_accuracy", outcome.validation.accuracy()},
                         {"validation_loss", outcome.validation.loss}};
  metrics_.append(line);
  save();
}

TrainOutcome Trainer::run(std::int64_t checkpoint_steps,
                          const std::function<void(const TrainProgress&)>& progress,
                          const std::function<bool()>& stop) {
  const std::int64_t epoch_steps = batches_.steps_per_epoch();
  const std::int64_t total = config_.run.schedule.total_steps;
  TrainOutcome outcome;
  bool stopping = false;
  while (step_ < total && !stopping) {
    train_step(outcome);
    progress({.step = step_,
              .total_steps = total,
              .epoch = (step_ - 1) / epoch_steps + 1,
              .epochs = config_.run.epochs,
              .loss = mean(recent_losses_),
              .learning_rate = learning_rate(config_.run.schedule, step_ - 1)});
    stopping = stop();
    if (step_ % epoch_steps == 0 || step_ == total) {
      end_epoch(outcome);
    } else if (stopping || (checkpoint_steps > 0 && step_ % checkpoint_steps == 0)) {
      save();
    }
  }
  outcome.steps = step_;
  outcome.skipped_steps = session_.clip().skipped();
  outcome.train_loss = mean(recent_losses_);
  if (step_ == total) finish(outcome);
  outcome.memory = ex_.report();
  return outcome;
}

void Trainer::finish(TrainOutcome& outcome) {
  outcome.finished = true;
  if (outcome.validation.count == 0)
    outcome.validation = evaluate(session_, data_.validation, data_.statistics);
  outcome.test = evaluate(session_, data_.test, data_.statistics);
  write_vit_folder(folder_ + "/model", session_.model());
  const nlohmann::ordered_json result{{"schema", 1},
                                      {"steps", outcome.steps},
                                      {"skipped_steps", outcome.skipped_steps},
                                      {"validation", score_json(outcome.validation)},
                                      {"test", score_json(outcome.test)}};
  AtomicFile file(folder_ + "/result.json");
  file.write(result.dump(2) + "\n");
  file.commit();
}

}  // namespace ffn::inline v0
