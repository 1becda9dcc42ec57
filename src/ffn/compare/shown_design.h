// One design as tables and figures show it: its runs, one per seed, reduced to single values.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "ffn/compare/comparison_result.h"

namespace ffn::inline v0 {

// From this many seeds on a scatter between seeds can be told, and intervals are shown; with fewer
// only the values themselves are.
inline constexpr std::size_t kSeedsForInterval = 3;

struct ShownDesign {
  std::size_t index = 0;  // in ComparisonResult::designs; also its look in every figure
  std::string label;
  std::vector<double> test;                           // quality per seed
  double test_mean = 0, test_low = 0, test_high = 0;  // mean, least and greatest over seeds
  Interval interval;                    // 95 % t interval of the mean, or least to greatest
  double example_error = 0;             // standard error over test examples, mean; 0: unknown
  double validation_mean = 0, gap = 0;  // gap: by how much training is better than test, means
  double train_s = 0, train_s_low = 0, train_s_high = 0;  // steps · median step; mean and range
  double step_ms = 0, step_p10_ms = 0, step_p90_ms = 0;   // medians over seeds, 0: not measured
  double items_per_s = 0, inference_ms = 0, inference_items_per_s = 0;
  // The greatest over seeds, 0: not measured.
  std::int64_t train_peak_bytes = 0, train_process_peak_bytes = 0;
  std::int64_t inference_peak_bytes = 0, inference_process_peak_bytes = 0;

  bool has_runs() const { return !test.empty(); }
};

// In the order of the comparison.
std::vector<ShownDesign> shown_designs(const ComparisonResult& result);

// The same, best mean test quality first; equal ones stay in their order, those without runs last.
std::vector<ShownDesign> ranked_designs(const ComparisonResult& result);

}  // namespace ffn::inline v0
