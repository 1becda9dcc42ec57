#include "ffn/bench/measure_run.h"

#include <gtest/gtest.h>

namespace ffn {
namespace {

// Runs counted, not timed: warm-up, one to size the samples, and the samples.
TEST(MeasureRun, RunsAsOftenAsThePlanSays) {
  const MeasurePlan plan{
      .warm_up = 2, .samples = 5, .long_samples = 4, .long_ms = 1e9, .sample_ms = 0};
  int runs = 0;
  const MeasuredRun result = measure_run(plan, Isa::scalar, serial_pool(), 1e6, [&] { ++runs; });
  EXPECT_EQ(runs, 2 + 1 + 5);
  EXPECT_EQ(result.ms.count, 5u);
  EXPECT_GT(result.peak_gflops, 0);
}

TEST(MeasureRun, LongRunsNeedFewerSamples) {
  const MeasurePlan plan{
      .warm_up = 0, .samples = 5, .long_samples = 2, .long_ms = 0, .sample_ms = 0};
  int runs = 0;
  measure_run(plan, Isa::scalar, serial_pool(), 1, [&] { ++runs; });
  EXPECT_EQ(runs, 1 + 2);
}

TEST(MeasureRun, ARoundIsPlainSamples) {
  const MeasurePlan plan{
      .warm_up = 2, .samples = 5, .long_samples = 4, .long_ms = 1e9, .sample_ms = 0};
  int runs = 0;
  EXPECT_EQ(sample_run(plan, [&] { ++runs; }).size(), 5u);
  EXPECT_EQ(runs, 2 + 1 + 5);
}

TEST(MeasurePeak, SaysNothingOfWhatTheInstructionSetLacks) {
  EXPECT_EQ(measure_peak(Isa::scalar, serial_pool(), Arithmetic::int8).gflops, 0);
  EXPECT_EQ(arithmetic_for(Isa::scalar, DType::bf16), Arithmetic::f32);
}

}  // namespace
}  // namespace ffn
