#include "ffn/train/trainer.h"

#include <numeric>

#include "ffn/base/event_sink.h"
#include "ffn/base/faults.h"
#include "ffn/base/timer.h"
#include "ffn/train/expert_record.h"

namespace ffn::inline v0 {
namespace {

constexpr std::size_t kRecentSteps = 100;

double mean(const std::deque<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0) /
         static_cast<double>(std::max<std::size_t>(1, values.size()));
}

std::vector<State*> states_of(ParameterSet& parameters) {
  std::vector<State*> states;
  for (State& state : parameters.states()) states.push_back(&state);
  return states;
}

}  // namespace

TaskOptions task_options(const TrainConfig& config, bool training) {
  return {.model = {.dtype = config.dtype, .seed = config.run.seed, .gradients = training},
          .batch = config.run.batch,
          .augment = config.run.augment};
}

StepOptions step_options(const TrainConfig& config) {
  return {.weight_decay = config.run.optimizer.weight_decay, .max_norm = config.run.max_norm};
}

ImageDataOptions image_data_options(const TrainConfig& config) {
  return {.pad_to = config.run.pad_to, .shuffle_patches = config.run.shuffle_patches};
}

Trainer::Trainer(Executor& ex, const TrainConfig& config, const TaskData& data,
                 const std::string& folder)
    : ex_(ex),
      config_(config),
      folder_(folder),
      lock_(folder),
      task_(make_task(ex, config.model, data, task_options(config, true), standard_designs())),
      watch_(ex, feed_forward_taps(config.model, standard_designs())),
      optimizer_step_(ex, task_->parameters(), step_options(config)),
      states_(states_of(task_->parameters())),
      metrics_(metrics_path(folder), restore()) {
  task_->set_watch(&watch_);
}

// Fills what the checkpoint holds, or the weights that the run starts from; the bytes of the
// metrics to keep.
std::int64_t Trainer::restore() {
  const auto position = restore_checkpoint(folder_, ex_, view());
  if (!position) {
    if (!config_.start_folder.empty()) task_->read_model(config_.start_folder);
    return 0;
  }
  step_ = position->step;
  optimizer_step_.clip().set_skipped(position->skipped_steps);
  watch_.restore(position->experts);
  return position->metrics_bytes;
}

// Of this process's steps; a process that only ended the run adds nothing.
void Trainer::save_costs() const {
  if (!step_ms_.empty())
    write_costs(folder_, measured_costs(step_ms_, task_->items_per_step(), step_peak_bytes_));
}

void Trainer::save() {
  const std::int64_t epoch_steps = task_->steps_per_epoch();
  metrics_.sync();
  save_checkpoint(folder_, view(),
                  {.step = step_,
                   .epoch = step_ / epoch_steps,
                   .step_in_epoch = step_ % epoch_steps,
                   .skipped_steps = optimizer_step_.clip().skipped(),
                   .metrics_bytes = metrics_.bytes(),
                   .experts = fault(619) ? std::vector<RouterLoad>() : watch_.loads()});
  save_costs();
}

void Trainer::train_step() {
  const Stopwatch watch;
  const std::int64_t epoch_steps = task_->steps_per_epoch();
  task_->fill(step_ / epoch_steps, step_ % epoch_steps);
  const double rate = learning_rate(config_.run.schedule, step_);
  const StepResult result = optimizer_step_.run(step_, rate, [this] { return task_->loss(); });
  ++step_;
  recent_losses_.push_back(result.loss);
  if (recent_losses_.size() > kRecentSteps) recent_losses_.pop_front();
  step_ms_.push_back(watch.elapsed_ms());
  if (validated_step_ < 0) step_peak_bytes_ = ex_.report().peak_bytes;
  const Metric line[] = {{"kind", std::string("step")},
                         {"step", step_},
                         {"loss", result.loss},
                         {"learning_rate", rate},
                         {"gradient_norm", result.gradient.norm},
                         {"skipped", !result.gradient.finite}};
  metrics_.append(line);
}

void Trainer::score_validation() {
  watch_.keep_choices(kAgreementTokens);
  validation_ = task_->score(Split::validation, nullptr);
  validation_experts_ = watch_.take();
}

void Trainer::log_experts(const std::vector<RouterHealth>& routers) {
  for (const RouterHealth& router : routers) {
    metrics_.append(expert_metrics(step_, router));
    if (is_collapsed(router) && watch_.first_collapse(router.place))
      emit(Severity::warning, folder_,
           load_text(router) + "; a load-balance loss (balance=) or bias_rate= spreads the load");
  }
}

void Trainer::validate() {
  const std::vector<RouterHealth> trained = watch_.take();  // since the last validation
  score_validation();
  validated_step_ = step_;
  const Metric line[] = {{"kind", std::string("validation")},
                         {"epoch", (step_ - 1) / task_->steps_per_epoch() + 1},
                         {"step", step_},
                         {"validation_accuracy", validation_.accuracy()},
                         {"validation_loss", validation_.loss}};
  metrics_.append(line);
  log_experts(trained);
}

TrainOutcome Trainer::run(std::int64_t checkpoint_steps,
                          const std::function<void(const TrainProgress&)>& progress,
                          const std::function<bool()>& stop) {
  const std::int64_t epoch_steps = task_->steps_per_epoch();
  const std::int64_t total = config_.run.schedule.total_steps;
  const auto every = [&](std::int64_t steps) { return steps > 0 && step_ % steps == 0; };
  bool stopping = false;
  while (step_ < total && !stopping) {
    train_step();
    progress({.step = step_,
              .total_steps = total,
              .epoch = (step_ - 1) / epoch_steps + 1,
              .epochs = config_.run.epochs,
              .loss = mean(recent_losses_),
              .learning_rate = learning_rate(config_.run.schedule, step_ - 1)});
    stopping = stop();
    const bool ends_epoch = every(epoch_steps) || step_ == total;
    if (ends_epoch || every(config_.run.eval_steps)) validate();
    if (ends_epoch || stopping || every(checkpoint_steps)) save();
  }
  TrainOutcome outcome;
  outcome.steps = step_;
  outcome.skipped_steps = optimizer_step_.clip().skipped();
  outcome.train_loss = mean(recent_losses_);
  if (step_ == total) finish(outcome);
  outcome.costs = measured_costs(step_ms_, task_->items_per_step(), step_peak_bytes_);
  return outcome;
}

void Trainer::finish(TrainOutcome& outcome) {
  outcome.finished = true;
  outcome.scores.measure = task_->measure();
  outcome.scores.steps = outcome.steps;
  outcome.scores.skipped_steps = outcome.skipped_steps;
  outcome.scores.train = task_->score(Split::train_sample, nullptr);
  watch_.take();  // of the training sample: nobody asks for it
  if (validated_step_ != step_) score_validation();
  outcome.scores.validation = validation_;
  outcome.experts = validation_experts_;
  if (config_.run.read_test) outcome.scores.test = task_->score(Split::test, nullptr);
  task_->write_model(folder_ + "/model");
  save_costs();
  if (!outcome.experts.empty()) write_expert_record(folder_, outcome.experts);
  write_scores(folder_, outcome.scores);
}

}  // namespace ffn::inline v0
