#include "ffn/compare/design_summary.h"

#include <algorithm>
#include <utility>

#include "ffn/base/error.h"

namespace ffn::inline v0 {
namespace {

template <class Value>
double median_of_measured(const DesignResult& design, const Value& value) {
  std::vector<double> values;
  for (const RunResult& run : design.runs)
    if (value(run) > 0) values.push_back(value(run));
  return median(std::move(values));
}

template <class Value>
std::int64_t largest(const DesignResult& design, const Value& value) {
  std::int64_t most = 0;
  for (const RunResult& run : design.runs) most = std::max(most, value(run));
  return most;
}

void negate(PairResult& pair) {
  pair.difference = -pair.difference;
  pair.interval = {-pair.interval.high, -pair.interval.low};
  for (double& difference : pair.per_seed) difference = -difference;
}

}  // namespace

double median(std::vector<double> values) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  const std::size_t half = values.size() / 2;
  return values.size() % 2 == 1 ? values[half] : (values[half - 1] + values[half]) / 2;
}

double mean_test_quality(const DesignResult& design, Measure measure) {
  if (design.runs.empty()) return 0;
  double sum = 0;
  for (const RunResult& run : design.runs) sum += quality(run.test, measure);
  return sum / static_cast<double>(design.runs.size());
}

Interval test_quality_range(const DesignResult& design, Measure measure) {
  if (design.runs.empty()) return {};
  const double first = quality(design.runs.front().test, measure);
  Interval range{first, first};
  for (const RunResult& run : design.runs) {
    range.low = std::min(range.low, quality(run.test, measure));
    range.high = std::max(range.high, quality(run.test, measure));
  }
  return range;
}

double mean_example_error(const DesignResult& design) {
  if (design.runs.empty()) return 0;
  double sum = 0;
  for (const RunResult& run : design.runs) sum += run.test.standard_error;
  return sum / static_cast<double>(design.runs.size());
}

double median_step_ms(const DesignResult& design) {
  return median_of_measured(design, [](const RunResult& run) { return run.training.median_ms; });
}

double median_training_items_per_s(const DesignResult& design) {
  return median_of_measured(design, [](const RunResult& run) { return run.training.items_per_s; });
}

double median_inference_items_per_s(const DesignResult& design) {
  return median_of_measured(design, [](const RunResult& run) { return run.inference.items_per_s; });
}

std::int64_t training_peak_bytes(const DesignResult& design) {
  return largest(design, [](const RunResult& run) { return run.training.ledger_peak_bytes; });
}

std::int64_t training_process_peak_bytes(const DesignResult& design) {
  return largest(design, [](const RunResult& run) { return run.training.process_peak_bytes; });
}

std::int64_t inference_peak_bytes(const DesignResult& design) {
  return largest(design, [](const RunResult& run) { return run.inference.ledger_peak_bytes; });
}

std::int64_t inference_process_peak_bytes(const DesignResult& design) {
  return largest(design, [](const RunResult& run) { return run.inference.process_peak_bytes; });
}

bool same_runs(const DesignResult& a, const DesignResult& b) {
  return a.design == b.design && a.learning_rate == b.learning_rate;
}

PairResult pair_of(const ComparisonResult& result, std::size_t a, std::size_t b) {
  for (const PairResult& stored : result.pairs) {
    if (stored.first == a && stored.second == b) return stored;
    if (stored.first != b || stored.second != a) continue;
    PairResult turned = stored;
    turned.first = a;
    turned.second = b;
    negate(turned);
    if (stored.outcome == PairOutcome::first_better) turned.outcome = PairOutcome::second_better;
    if (stored.outcome == PairOutcome::second_better) turned.outcome = PairOutcome::first_better;
    return turned;
  }
  fail(ErrorKind::config, "pair_of", "designs ", a, " and ", b, " were not compared");
}

PairResult in_favour_of_first(PairResult pair, Measure measure) {
  if (!higher_is_better(measure)) negate(pair);
  return pair;
}

}  // namespace ffn::inline v0
