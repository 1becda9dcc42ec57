#include <algorithm>
#include <cmath>
#include <memory>

#include "ffn/base/error.h"
#include "ffn/base/philox.h"
#include "ffn/bench/workload.h"
#include "ffn/train/model_choice.h"
#include "ffn/train/trainer.h"

namespace ffn::inline v0 {
namespace {

// The reference takes a minute for so much of a model of 124 million weights.
constexpr std::int64_t kVerifiedBatch = 2, kVerifiedTokens = 16;
constexpr double kLearningRate = 1e-3;

TaskGeometry data_geometry(const TrainCase& c) {
  if (c.vocabulary > 0) return TextGeometry{c.vocabulary};
  return ImageGeometry{3, c.image, c.classes};
}

TrainConfig config_of(const TrainCase& c, std::int64_t batch, DType dtype) {
  ModelRequest request;
  request.model = c.model;
  request.feed_forward = {c.design};
  if (c.vocabulary > 0) {
    request.decoder.context = c.context;
  } else {
    request.patch = c.patch;
  }
  TrainConfig config;
  config.model = choose_models(request, data_geometry(c)).at(0).config;
  config.dtype = dtype;
  config.memory = c.memory;
  config.run.batch = batch;
  return config;
}

void fill(ImageData& data, const RandomStream& stream) {
  ImageSet& set = data.train;
  set.pixels.resize(static_cast<std::size_t>(set.count * set.image_elements()));
  for (std::size_t i = 0; i < set.pixels.size(); ++i)
    set.pixels[i] = static_cast<std::uint8_t>(stream.below(256, 0, i));
  for (std::int64_t i = 0; i < set.count; ++i)
    set.labels.push_back(static_cast<std::int32_t>(i % set.classes));
}

void fill(TextData& data, const RandomStream& stream) {
  const auto vocabulary = static_cast<std::uint32_t>(data.vocabulary);
  for (std::size_t i = 0; i < data.train.ids.size(); ++i)
    data.train.ids[i] = static_cast<std::uint16_t>(stream.below(vocabulary, 0, i));
}

// A model, made-up data and what a step needs, on an executor of its own.
class TrainRun {
 public:
  TrainRun(const Device& device, const TrainConfig& config)
      : ex_(device, config.memory), data_(shape_only_data(config.model, config.run.batch)) {
    std::visit([](auto& data) { fill(data, RandomStream(1, "bench.data")); }, data_);
    task_ = make_task(ex_, config.model, data_, task_options(config, true), standard_designs());
    optimizer_step_ =
        std::make_unique<OptimizerStep>(ex_, task_->parameters(), step_options(config));
    task_->fill(0, 0);
  }

  StepResult step() {
    return optimizer_step_->run(steps_++, kLearningRate, [&] { return task_->loss(); });
  }
  std::int64_t peak_bytes() const { return ex_.report().peak_bytes; }

 private:
  Executor ex_;
  TaskData data_;
  std::unique_ptr<Task> task_;
  std::unique_ptr<OptimizerStep> optimizer_step_;
  std::int64_t steps_ = 0;
};

// Two steps on a small batch: both losses, of which the second follows from all gradients, and the
// norm of the first gradient.
void verify(TrainCase c, const std::string& name, const BenchMachine& on) {
  if (c.vocabulary > 0) c.context = std::min(c.context, kVerifiedTokens);
  TrainRun fast(on.device(), config_of(c, kVerifiedBatch, c.dtype));
  TrainRun exact(reference_device(), config_of(c, kVerifiedBatch, DType::f64));
  const double share = c.dtype == DType::bf16 ? 5e-2 : 1e-3;
  const auto require = [&](const char* what, double found, double expected) {
    check(std::abs(found - expected) <= share * std::abs(expected), ErrorKind::device, name, what,
          " is ", found, ", the reference says ", expected, " ± ", share * std::abs(expected));
  };
  const StepResult found = fast.step(), expected = exact.step();
  require("the first loss", found.loss, expected.loss);
  require("the gradient's norm", found.gradient.norm, expected.gradient.norm);
  require("the second loss", fast.step().loss, exact.step().loss);
}

}  // namespace

void check_train_case(const TrainCase& c) {
  model_costs(config_of(c, c.batch, c.dtype).model, standard_designs());
}

Workload train_workload(const TrainCase& c, const std::string& name, const BenchMachine& on) {
  verify(c, name, on);
  const TrainConfig config = config_of(c, c.batch, c.dtype);
  const PlanReport plan = plan_training(on.device(), config);
  TrainConfig stored = config;
  stored.memory = MemoryMode::store;
  const PlanReport needed = plan_training(on.device(), stored);
  const auto run = std::make_shared<TrainRun>(on.device(), config);
  run->step();
  run->step();  // the peak of a slab shows from the second step on
  return {.run = [run] { run->step(); },
          .flops = static_cast<double>(needed.forward_flops) +
                   static_cast<double>(needed.backward_flops),
          .predicted_bytes = plan.peak_bytes,
          .measured_bytes = [run] { return run->peak_bytes(); },
          .verified = c.vocabulary > 0 ? "2 steps of batch 2, 16 tokens" : "2 steps of batch 2"};
}

}  // namespace ffn::inline v0
