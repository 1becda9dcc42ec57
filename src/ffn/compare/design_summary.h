// One design over its runs: the numbers that the verdict and the report both show.
#pragma once

#include <cstdint>
#include <vector>

#include "ffn/compare/comparison_result.h"

namespace ffn::inline v0 {

// The middle value, or the mean of the two middle ones; 0 of none.
double median(std::vector<double> values);

// Mean over the runs, a fraction or bits per byte; 0 without runs.
double mean_test_quality(const DesignResult& design, Measure measure);
// Least and greatest of the runs.
Interval test_quality_range(const DesignResult& design, Measure measure);
// Of a run's test quality when the test examples are drawn anew; mean over the runs.
double mean_example_error(const DesignResult& design);

// Medians over the runs that were measured (a value of 0 says "not measured"); 0 when none was.
double median_step_ms(const DesignResult& design);                // of training
double median_training_items_per_s(const DesignResult& design);   // of training
double median_inference_items_per_s(const DesignResult& design);  // of scoring

// Largest over the runs, in bytes.
std::int64_t training_peak_bytes(const DesignResult& design);          // of the ledger
std::int64_t training_process_peak_bytes(const DesignResult& design);  // of the process
std::int64_t inference_peak_bytes(const DesignResult& design);         // of the ledger
std::int64_t inference_process_peak_bytes(const DesignResult& design);

// The same runs by definition: one canonical text, one learning rate.
bool same_runs(const DesignResult& a, const DesignResult& b);

// The pair of designs a and b seen from a: difference, per_seed and interval are those of a − b and
// the outcome's `first` is a, whichever order it was stored in. Errors: config when result.pairs
// has no such pair.
PairResult pair_of(const ComparisonResult& result, std::size_t a, std::size_t b);

// The same pair with its differences told as "by how much the first is better": negated where lower
// is better.
PairResult in_favour_of_first(PairResult pair, Measure measure);

}  // namespace ffn::inline v0
