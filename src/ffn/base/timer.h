// Time for benchmarks: a monotonic clock and order statistics of repeated measurements.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace ffn::inline v0 {

// Nanoseconds of a clock that never goes back; only differences mean anything.
std::int64_t monotonic_ns();

// Time since construction or the last restart().
class Stopwatch {
 public:
  Stopwatch() : start_ns_(monotonic_ns()) {}
  void restart() { start_ns_ = monotonic_ns(); }
  std::int64_t elapsed_ns() const { return monotonic_ns() - start_ns_; }
  double elapsed_ms() const { return static_cast<double>(elapsed_ns()) * 1e-6; }
  double elapsed_s() const { return static_cast<double>(elapsed_ns()) * 1e-9; }

 private:
  std::int64_t start_ns_;
};

// The value below which a share `fraction` (0 … 1) of the samples lies, by linear interpolation
// between order statistics at position fraction·(n − 1): fraction 0 is the minimum, 0.5 the median,
// 1 the maximum. Samples in any order, none of them NaN, at least one (asserted).
double percentile(std::span<const double> samples, double fraction);

struct SampleSummary {
  std::size_t count;
  double minimum, p10, median, p90, maximum;
};
// In the samples' own unit.
SampleSummary summarize(std::span<const double> samples);

}  // namespace ffn::inline v0
