#include "ffn/base/timer.h"

#include <gtest/gtest.h>

#include <chrono>
#include <thread>
#include <vector>

namespace ffn {
namespace {

TEST(Timer, StopwatchMeasuresASleep) {
  Stopwatch watch;
  // An interval of the standard clock that lies inside the watch's own, however long the sleep was.
  const auto begin = std::chrono::steady_clock::now();
  std::this_thread::sleep_for(std::chrono::milliseconds(5));
  const auto inside = std::chrono::steady_clock::now() - begin;
  const std::int64_t first = watch.elapsed_ns();
  EXPECT_GE(first, std::chrono::nanoseconds(inside).count());
  EXPECT_GT(first, 0);
  const double ms = watch.elapsed_ms(), s = watch.elapsed_s();
  EXPECT_GE(ms, static_cast<double>(first) * 1e-6);
  EXPECT_GE(s, ms * 1e-3 * (1 - 1e-15));
  const std::int64_t before = monotonic_ns();
  watch.restart();
  const std::int64_t after_restart = watch.elapsed_ns();
  EXPECT_LE(after_restart, monotonic_ns() - before) << "counts from the restart";
}

TEST(Timer, PercentilesInterpolateBetweenOrderStatistics) {
  const std::vector<double> samples = {40, 10, 30, 20};
  EXPECT_EQ(percentile(samples, 0), 10);
  EXPECT_EQ(percentile(samples, 1), 40);
  EXPECT_EQ(percentile(samples, 0.5), 25);            // halfway between 20 and 30
  EXPECT_DOUBLE_EQ(percentile(samples, 0.25), 17.5);  // position 0.75
}

TEST(Timer, SummaryOfKnownSamples) {
  std::vector<double> samples;
  for (int i = 100; i >= 0; --i) samples.push_back(i);
  const SampleSummary summary = summarize(samples);
  EXPECT_EQ(summary.count, 101u);
  EXPECT_EQ(summary.minimum, 0);
  EXPECT_DOUBLE_EQ(summary.p10, 10);
  EXPECT_EQ(summary.median, 50);
  EXPECT_DOUBLE_EQ(summary.p90, 90);
  EXPECT_EQ(summary.maximum, 100);
  const SampleSummary one = summarize(std::vector<double>{7});
  EXPECT_EQ(one.minimum, 7);
  EXPECT_EQ(one.median, 7);
  EXPECT_EQ(one.maximum, 7);
}

}  // namespace
}  // namespace ffn
