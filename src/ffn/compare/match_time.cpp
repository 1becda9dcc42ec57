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

ImageSet made_up_pictures(const ImageGeometry& geometry, std::int64_t count) {
  ImageSet set{"made up", count, geometry.channels, geometry.size, geometry.size, geometry.classes,
               {},        {}};
  const RandomStream stream(1, "pictures");
  const std::int64_t values = count * set.image_elements();
  for (std::int64_t i = 0; i < values; ++i)
    set.pixels.push_back(
        static_cast<std::uint8_t>(stream.word(0, static_cast<std::uint64_t>(i)) & 255u));
  for (std::int64_t i = 0; i < count; ++i)
    set.labels.push_back(static_cast<std::int32_t>(i % set.classes));
  return set;
}

// One model ready to take steps on one batch.
class TimedModel {
 public:
  TimedModel(const Device& device, const TrainConfig& config, const ImageSet& pictures)
      : ex_(device, config.memory),
        session_(ex_, config.model, session_options(config), standard_designs()),
        batches_(ex_, pictures, flat(pictures), batch_options(config)) {
    batches_.fill(0, 0);
    for (int i = 0; i < 2; ++i) step();  // the slab is learnt in the first
  }

  double step() {
    const Stopwatch watch;
    session_.step({batches_.images(), batches_.labels(), batches_.targets()}, steps_++, 1e-4);
    return watch.elapsed_ms();
  }

 private:
  static PixelStatistics flat(const ImageSet& set) {
    const std::vector<double> half(static_cast<std::size_t>(set.channels), 0.5);
    return {half, half};
  }

  Executor ex_;
  ClassifierSession session_;
  TrainBatches batches_;
  std::int64_t steps_ = 0;
};

// Medians of steps, the models in turn.
std::vector<double> step_times(const Device& device, const std::vector<TrainConfig>& configs,
                               const ImageSet& pictures) {
  std::vector<std::unique_ptr<TimedModel>> models;
  for (const TrainConfig& config : configs)
    models.push_back(std::make_unique<TimedModel>(device, config, pictures));
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
  TimeMatcher(const TrainRecipe& recipe, const ImageGeometry& geometry, const Device& device,
              const ModelChoice& target)
      : recipe_(recipe),
        device_(device),
        pictures_(made_up_pictures(geometry, recipe.batch)),
        target_(target) {}

  // Writes the width and the ratio into `choice`.
  void match(ModelChoice& choice) const {
    const std::int64_t start = std::stoll(choice.config.feed_forward.options.at("hidden"));
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
    choice.config.feed_forward.options["hidden"] = std::to_string(hidden);
    return choice;
  }

  std::vector<double> times(const std::vector<ModelChoice>& choices) const {
    std::vector<TrainConfig> configs;
    for (const ModelChoice& choice : choices)
      configs.push_back(make_train_config(recipe_, {.model = choice}, recipe_.batch));
    return step_times(device_, configs, pictures_);
  }

  const TrainRecipe& recipe_;
  const Device& device_;
  ImageSet pictures_;
  ModelChoice target_;
};

}  // namespace

std::vector<ModelChoice> match_step_time(const ModelRequest& request, const TrainRecipe& recipe,
                                         const ImageGeometry& geometry, const Device& device) {
  ModelRequest by_flops = request;
  by_flops.match = "flops";
  std::vector<ModelChoice> choices = choose_models(by_flops, geometry);
  ModelRequest alone = request;
  alone.match.clear();
  alone.feed_forward = {request.match_to};
  const ModelChoice target = choose_models(alone, geometry)[0];
  const TimeMatcher matcher(recipe, geometry, device, target);
  for (ModelChoice& choice : choices) {
    if (choice.config.feed_forward != target.config.feed_forward) matcher.match(choice);
  }
  return choices;
}

}  // namespace ffn::inline v0
