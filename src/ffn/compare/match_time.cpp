#include "ffn/compare/match_time.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <string>

#include "ffn/base/philox.h"
#include "ffn/base/timer.h"
#include "ffn/train/trainer.h"

namespace ffn::inline v0 {
namespace {

// In turn, so that a machine that slows down slows all of them.
constexpr int kLeastRounds = 4, kMostRounds = 100;
constexpr double kEnough_s = 6;
constexpr int kSteps = 2;  // per round and model, after warming up

void fill_made_up(ImageData& data) {
  ImageSet& set = data.train;
  const RandomStream stream(1, "pictures");
  const std::int64_t values = set.count * set.image_elements();
  for (std::int64_t i = 0; i < values; ++i)
    set.pixels.push_back(
        static_cast<std::uint8_t>(stream.word(0, static_cast<std::uint64_t>(i)) & 255u));
  for (std::int64_t i = 0; i < set.count; ++i)
    set.labels.push_back(static_cast<std::int32_t>(i % set.classes));
}

void fill_made_up(TextData& data) {
  const RandomStream stream(1, "text");
  std::uint64_t element = 0;
  for (std::uint16_t& id : data.train.ids)
    id = static_cast<std::uint16_t>(
        stream.below(static_cast<std::uint32_t>(data.vocabulary), 0, element++));
}

// One batch of the right sizes: what is in it costs no time.
TaskData made_up_data(const ModelConfig& model, std::int64_t batch) {
  TaskData data = shape_only_data(model, batch);
  std::visit([](auto& made) { fill_made_up(made); }, data);
  return data;
}

// One model ready to take steps on one batch.
class TimedModel {
 public:
  TimedModel(const Device& device, const TrainConfig& config, const TaskData& data)
      : ex_(device, config.memory),
        task_(make_task(ex_, config.model, data, task_options(config, true), standard_designs())),
        optimizer_step_(ex_, task_->parameters(), step_options(config)) {
    task_->fill(0, 0);
    for (int i = 0; i < 2; ++i) step();  // the slab is learnt in the first
  }

  double step() {
    const Stopwatch watch;
    optimizer_step_.run(steps_++, 1e-4, [this] { return task_->loss(); });
    return watch.elapsed_ms();
  }

 private:
  Executor ex_;
  std::unique_ptr<Task> task_;
  OptimizerStep optimizer_step_;
  std::int64_t steps_ = 0;
};

// Medians of steps, the models in turn.
std::vector<double> step_times(const Device& device, const std::vector<TrainConfig>& configs,
                               const TaskData& data) {
  std::vector<std::unique_ptr<TimedModel>> models;
  for (const TrainConfig& config : configs)
    models.push_back(std::make_unique<TimedModel>(device, config, data));
  std::vector<std::vector<double>> samples(models.size());
  const Stopwatch watch;
  const auto enough = [&](int rounds) {
    return rounds >= kMostRounds || (rounds >= kLeastRounds && watch.elapsed_s() > kEnough_s);
  };
  for (int round = 0; !enough(round); ++round)
    for (std::size_t i = 0; i < models.size(); ++i)
      for (int step = 0; step < kSteps; ++step) samples[i].push_back(models[i]->step());
  std::vector<double> medians;
  for (const std::vector<double>& times : samples) medians.push_back(percentile(times, 0.5));
  return medians;
}

class TimeMatcher {
 public:
  TimeMatcher(const TrainRecipe& recipe, const Device& device, const ModelChoice& target)
      : recipe_(recipe),
        device_(device),
        data_(made_up_data(target.config, batch_of(recipe))),
        target_(target) {}

  // Writes the width and the ratio into `choice`.
  void match(ModelChoice& choice) const {
    FeedForwardSpec spec = feed_forward_of(choice.config);
    const std::int64_t start = std::stoll(standard_designs().sized(spec).options.at("hidden"));
    const std::int64_t other = std::max<std::int64_t>(1, start / 2);
    const std::vector<double> t =
        times({target_, with_hidden(choice, start), with_hidden(choice, other)});
    const double slope =
        (t[1] - t[2]) / static_cast<double>(std::max<std::int64_t>(1, start - other));
    double exact = static_cast<double>(start);
    // Noise can hide the slope of a width that hardly costs time: then the flops' width stays.
    if (slope > 0) exact += (t[0] - t[1]) / slope;
    exact = std::clamp(exact, 1.0, 8.0 * static_cast<double>(start));
    const double unit = exact >= 64 ? 8 : 1;
    choice = with_hidden(choice,
                         std::max<std::int64_t>(1, std::llround(std::round(exact / unit) * unit)));
    const std::vector<double> reached = times({target_, choice});
    choice.match_ratio = reached[1] / reached[0];
  }

 private:
  static ModelChoice with_hidden(ModelChoice choice, std::int64_t hidden) {
    FeedForwardSpec& spec = feed_forward_of(choice.config);
    standard_designs().sized(spec).options["hidden"] = std::to_string(hidden);
    return choice;
  }

  std::vector<double> times(const std::vector<ModelChoice>& choices) const {
    std::vector<TrainConfig> configs;
    for (const ModelChoice& choice : choices)
      configs.push_back(make_train_config(recipe_, {.model = choice}, batch_of(recipe_)));
    return step_times(device_, configs, data_);
  }

  const TrainRecipe& recipe_;
  const Device& device_;
  TaskData data_;
  ModelChoice target_;
};

}  // namespace

std::vector<ModelChoice> match_step_time(const ModelRequest& request, const TrainRecipe& recipe,
                                         const TaskGeometry& geometry, const Device& device) {
  ModelRequest by_flops = request;
  by_flops.match = "flops";
  std::vector<ModelChoice> choices = choose_models(by_flops, geometry);
  ModelRequest alone = request;
  alone.match.clear();
  alone.feed_forward = {request.match_to};
  const ModelChoice target = choose_models(alone, geometry)[0];
  const TimeMatcher matcher(recipe, device, target);
  for (ModelChoice& choice : choices) {
    if (feed_forward_of(choice.config) != feed_forward_of(target.config)) matcher.match(choice);
  }
  return choices;
}

}  // namespace ffn::inline v0
