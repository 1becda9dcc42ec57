#include "ffn/compare/shown_design.h"

#include <algorithm>
#include <utility>

#include "ffn/compare/design_summary.h"
#include "ffn/compare/paired_tests.h"

namespace ffn::inline v0 {
namespace {

template <class Value>
std::vector<double> over_runs(const DesignResult& design, Value&& value) {
  std::vector<double> values;
  for (const RunResult& run : design.runs) values.push_back(value(run));
  return values;
}

double mean_of(const std::vector<double>& values) {
  double sum = 0;
  for (const double value : values) sum += value;
  return values.empty() ? 0 : sum / static_cast<double>(values.size());
}

Interval interval_of(const std::vector<double>& values, const Interval& range, Measure measure) {
  if (values.size() < kSeedsForInterval) return range;
  // The t interval of a mean is that of the paired test, whose differences here are the values.
  const Interval interval = paired_t_test(values).interval;
  const double most = measure == Measure::accuracy ? std::min(1.0, interval.high) : interval.high;
  return {std::max(0.0, interval.low), most};
}

void set_costs(ShownDesign& shown, const DesignResult& design, std::int64_t total_steps) {
  const auto median_over = [&](MeasuredCosts RunResult::* costs, double MeasuredCosts::* value) {
    std::vector<double> values =
        over_runs(design, [&](const RunResult& run) { return run.*costs.*value; });
    std::erase(values, 0.0);
    return median(std::move(values));
  };
  shown.step_ms = median_step_ms(design);
  shown.step_p10_ms = median_over(&RunResult::training, &MeasuredCosts::p10_ms);
  shown.step_p90_ms = median_over(&RunResult::training, &MeasuredCosts::p90_ms);
  shown.items_per_s = median_training_items_per_s(design);
  shown.inference_ms = median_over(&RunResult::inference, &MeasuredCosts::median_ms);
  shown.inference_items_per_s = median_inference_items_per_s(design);
  shown.train_peak_bytes = training_peak_bytes(design);
  shown.train_process_peak_bytes = training_process_peak_bytes(design);
  shown.inference_peak_bytes = inference_peak_bytes(design);
  shown.inference_process_peak_bytes = inference_process_peak_bytes(design);
  std::vector<double> seconds = over_runs(design, [&](const RunResult& run) {
    return static_cast<double>(total_steps) * run.training.median_ms / 1000;
  });
  std::erase(seconds, 0.0);
  if (seconds.empty()) return;
  shown.train_s = mean_of(seconds);
  shown.train_s_low = std::ranges::min(seconds);
  shown.train_s_high = std::ranges::max(seconds);
}

}  // namespace

std::vector<ShownDesign> shown_designs(const ComparisonResult& result) {
  const Measure measure = result.measure;
  std::vector<ShownDesign> all;
  for (const DesignResult& design : result.designs) {
    ShownDesign shown;
    shown.index = all.size();
    shown.label = design.label.empty() ? design.design : design.label;
    const auto quality_of = [&](Score RunResult::* score) {
      return over_runs(design, [&](const RunResult& run) { return quality(run.*score, measure); });
    };
    shown.test = quality_of(&RunResult::test);
    shown.test_mean = mean_test_quality(design, measure);
    const Interval range = test_quality_range(design, measure);
    shown.test_low = range.low;
    shown.test_high = range.high;
    shown.interval = interval_of(shown.test, range, measure);
    shown.example_error = mean_example_error(design);
    shown.validation_mean = mean_of(quality_of(&RunResult::validation));
    shown.gap = mean_of(quality_of(&RunResult::train)) - shown.test_mean;
    if (!higher_is_better(measure)) shown.gap = -shown.gap;
    set_costs(shown, design, result.total_steps);
    all.push_back(std::move(shown));
  }
  return all;
}

std::vector<ShownDesign> ranked_designs(const ComparisonResult& result) {
  std::vector<ShownDesign> all = shown_designs(result);
  std::ranges::sort(all, [&](const ShownDesign& a, const ShownDesign& b) {
    if (a.has_runs() != b.has_runs()) return a.has_runs();
    if (a.test_mean == b.test_mean) return a.index < b.index;
    return is_better(a.test_mean, b.test_mean, result.measure);
  });
  return all;
}

}  // namespace ffn::inline v0
