#include "ffn/base/timer.h"

#include <algorithm>
#include <chrono>
#include <vector>

#include "ffn/base/check.h"

namespace ffn::inline v0 {
namespace {

std::vector<double> sorted_copy(std::span<const double> samples) {
  std::vector<double> sorted(samples.begin(), samples.end());
  std::sort(sorted.begin(), sorted.end());
  return sorted;
}

double percentile_of_sorted(const std::vector<double>& sorted, double fraction) {
  FFN_ASSERT(!sorted.empty());
  FFN_ASSERT(fraction >= 0 && fraction <= 1);
  const double position = fraction * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(position);
  const std::size_t above = std::min(below + 1, sorted.size() - 1);
  const double weight = position - static_cast<double>(below);
  return sorted[below] + weight * (sorted[above] - sorted[below]);
}

}  // namespace

std::int64_t monotonic_ns() {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::nanoseconds>(now).count();
}

double percentile(std::span<const double> samples, double fraction) {
  return percentile_of_sorted(sorted_copy(samples), fraction);
}

SampleSummary summarize(std::span<const double> samples) {
  const std::vector<double> sorted = sorted_copy(samples);
  const auto at = [&](double fraction) { return percentile_of_sorted(sorted, fraction); };
  return {sorted.size(), at(0), at(0.1), at(0.5), at(0.9), at(1)};
}

}  // namespace ffn::inline v0
