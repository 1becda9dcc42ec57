// Training steps of a classifier on made-up pictures, on a dry or a real device, with all that
// tests of sessions compare.
#pragma once

#include <string_view>
#include <vector>

#include "ffn/base/philox.h"
#include "ffn/ops/cross_entropy.h"
#include "ffn/tensor/host.h"
#include "ffn/train/classifier.h"
#include "ffn/train/optimizer_step.h"
#include "support/counted_memory.h"

namespace ffn::testing_models {

constexpr std::string_view kDesigns[] = {"mlp(gelu)", "glu(silu)", "dwconv(gelu)"};

struct SessionRun {
  VitConfig model;
  DType dtype = DType::f32;
  MemoryMode memory = MemoryMode::store;
  std::int64_t batch = 3;
  int steps = 3;
};

// The preset with a design, drop path, and the sizes that a data set brings.
inline VitConfig preset_config(std::string_view preset, std::string_view design,
                               std::int64_t image_size, std::int64_t classes) {
  VitConfig config = vit_preset(preset);
  config.image_size = image_size;
  config.patch = 4;
  config.classes = classes;
  config.drop_path = 0.2f;
  config.feed_forward = standard_designs().parse(design);
  return config;
}

// What a step left behind. The bytes of the system are the executor's own count; `counted` ones
// come from the aligned operator new, and are 0 where nothing can be counted.
struct StepOutcome {
  double loss = 0;
  std::int64_t system_bytes = 0;
  std::int64_t counted_bytes = 0, counted_allocations = 0;
};

struct Outcome {
  PlanReport report;
  std::vector<StepOutcome> steps;
  std::vector<double> weights;  // where asked for

  std::vector<double> losses() const {
    std::vector<double> all;
    for (const StepOutcome& step : steps) all.push_back(step.loss);
    return all;
  }
};

inline void fill_batch(const Tensor& images, const Tensor& labels) {
  const RandomStream stream(1, "images");
  std::uint64_t element = 0;
  for (float& pixel : host_span<float>(images)) pixel = stream.uniform(0, element++) - 0.5f;
  std::int32_t label = 0;
  for (std::int32_t& target : host_span<std::int32_t>(labels)) target = label++;
}

inline Outcome run_session(const Device& device, const SessionRun& run, bool want_weights = false) {
  const std::int64_t bytes_before = testing_support::live_aligned_bytes();
  Executor ex(device, run.memory);
  Classifier classifier(ex, run.model, {.dtype = run.dtype, .seed = 3, .gradients = true},
                        standard_designs());
  OptimizerStep optimizer_step(ex, classifier.parameters(), {.max_norm = 1});
  const std::int64_t pixels = run.model.channels * run.model.image_size * run.model.image_size;
  const Tensor images =
      ex.allocate_persistent({{run.batch, pixels}, DType::f32, Role::activation}, Tag::data);
  const Tensor labels =
      ex.allocate_persistent({{run.batch}, DType::i32, Role::activation}, Tag::data);
  if (!ex.dry()) fill_batch(images, labels);
  Outcome outcome;
  for (int step = 0; step < run.steps; ++step) {
    const std::int64_t calls_before = testing_support::aligned_allocations();
    StepOutcome& done = outcome.steps.emplace_back();
    const auto loss = [&] {
      return cross_entropy(ex, classifier.forward(ex.constant(images)), labels);
    };
    done.loss = optimizer_step.run(step, 1e-3, loss).loss;
    done.system_bytes = ex.step_memory().system_bytes();
    done.counted_bytes = testing_support::live_aligned_bytes() - bytes_before;
    done.counted_allocations = testing_support::aligned_allocations() - calls_before;
  }
  outcome.report = ex.report();
  if (want_weights && !ex.dry()) outcome.weights = host_values(classifier.parameters().weights());
  return outcome;
}

}  // namespace ffn::testing_models
