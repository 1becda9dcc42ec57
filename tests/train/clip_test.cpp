#include "ffn/train/clip.h"

#include <gtest/gtest.h>

#include <cmath>
#include <memory>

#include "ffn/autograd/initialize.h"
#include "ffn/base/event_sink.h"
#include "ffn/tensor/host.h"
#include "io/files.h"

namespace ffn {
namespace {

// A weight of ones and a bias, with gradients as given.
struct Model {
  explicit Model(Executor& ex, std::int64_t elements = 2) {
    parameters.add("weight", {1, elements});
    parameters.add("bias", {1}, {.decay = false});
    parameters.finalize(ex, DType::f32);
    initialize_constant(ex, parameters.at("weight"), 1);
  }
  void set_gradients(std::initializer_list<double> weight, double bias) {
    set_host_values(parameters.at("weight").slot.gradient, std::vector<double>(weight));
    set_host_values(parameters.at("bias").slot.gradient, std::vector<double>{bias});
    for (Parameter& parameter : parameters.all()) parameter.slot.defined = true;
  }
  ParameterSet parameters;
};

TEST(Clip, ScalesTheWholeGradientToTheLimit) {
  for (const bool reference : {true, false}) {
    const auto pool = make_thread_pool(2);
    Executor ex(reference ? reference_device() : cpu_device(*pool));
    Model model(ex);
    model.set_gradients({2, 3}, 6);  // 4 + 9 + 36 = 49
    const GradientNorm large = GradientClip(ex, model.parameters, 3.5).measure();
    EXPECT_EQ(large.norm, 7);
    EXPECT_EQ(large.scale, 0.5);
    EXPECT_TRUE(large.clipped && large.finite);
    const GradientNorm small = GradientClip(ex, model.parameters, 14).measure();
    EXPECT_EQ(small.scale, 1);
    EXPECT_FALSE(small.clipped);
    EXPECT_EQ(GradientClip(ex, model.parameters, 0).measure().scale, 1);
    // Accumulated over two steps: half of everything.
    const GradientNorm mean = GradientClip(ex, model.parameters, 3).measure(0.5);
    EXPECT_EQ(mean.norm, 3.5);
    EXPECT_DOUBLE_EQ(mean.scale, 0.5 * 3 / 3.5);
  }
}

TEST(Clip, GradientsThatNothingReachedCountAsZero) {
  Executor ex(reference_device());
  Model model(ex);
  model.set_gradients({3, 4}, 100);
  model.parameters.at("bias").slot.defined = false;  // left over from an earlier step
  EXPECT_EQ(GradientClip(ex, model.parameters, 1).measure().norm, 5);
}

TEST(Clip, IsBitwiseEqualForAnyThreads) {
  double expected = 0;
  for (const int threads : {1, 2, 3, 5}) {
    const auto pool = make_thread_pool(threads);
    Executor ex(cpu_device(*pool));
    Model model(ex, 100'003);
    initialize_normal(ex, model.parameters.at("weight"), 1, 1);
    const Tensor gradient = model.parameters.at("weight").slot.gradient;
    set_host_values(gradient, host_values(model.parameters.at("weight").master));
    for (Parameter& parameter : model.parameters.all()) parameter.slot.defined = true;
    const double norm = GradientClip(ex, model.parameters, 1).measure().norm;
    if (threads == 1) expected = norm;
    EXPECT_EQ(norm, expected);
    EXPECT_NEAR(norm * norm, 100'003, 6 * std::sqrt(2 * 100'003.0));
  }
}

TEST(Clip, AGradientThatIsNotFiniteSkipsTheStep) {
  Executor ex(reference_device());
  Model model(ex);
  AdamW optimizer(ex, model.parameters, {});
  GradientClip clip(ex, model.parameters, 1);
  std::vector<std::string> warnings;
  const EventSink before =
      set_event_sink([&](const Event& event) { warnings.emplace_back(event.text); });
  int skipped = 0;
  for (const double bad : {std::nan(""), HUGE_VAL, -HUGE_VAL}) {
    model.set_gradients({1, 2}, bad);
    const GradientNorm result = clip.step(optimizer);
    EXPECT_FALSE(result.finite);
    EXPECT_EQ(clip.skipped(), ++skipped);
  }
  set_event_sink(before);
  EXPECT_EQ(warnings.size(), 3u);
  EXPECT_NE(warnings.back().find("skipped (3 so far)"), std::string::npos) << warnings.back();
  EXPECT_EQ(optimizer.steps(), 0);
  EXPECT_EQ(host_values(model.parameters.at("weight").value), (std::vector<double>{1, 1}));
  model.set_gradients({1, 2}, 0);
  EXPECT_TRUE(clip.step(optimizer).finite);
  EXPECT_EQ(optimizer.steps(), 1);
  EXPECT_LT(host_values(model.parameters.at("weight").value)[0], 1);
}

TEST(Clip, PlansItsMemory) {
  const auto pool = make_thread_pool(1);
  std::int64_t live[2];
  for (const bool dry : {false, true}) {
    const Device device = cpu_device(*pool);
    Executor ex(dry ? dry_device(device) : device);
    Model model(ex, 10'000);
    GradientClip clip(ex, model.parameters, 1);
    clip.measure();
    live[dry] = ex.ledger().live_bytes(Tag::optimizer);
  }
  EXPECT_EQ(live[0], 64 + 64);  // the sum; three chunks of 8 bytes
  EXPECT_EQ(live[1], live[0]);
}

TEST(Clip, WhatCannotBeIsNamed) {
  Executor ex(reference_device());
  ParameterSet unfinished;
  testing_io::expect_error(ErrorKind::config, {"finalize()"},
                           [&] { GradientClip(ex, unfinished, 1); });
  Model model(ex);
  testing_io::expect_error(ErrorKind::config, {"max_norm is -1"},
                           [&] { GradientClip(ex, model.parameters, -1); });
}

}  // namespace
}  // namespace ffn
