// A comparison as tables for the terminal and for other programs.
#pragma once

#include "ffn/compare/comparison_result.h"
#include "ffn/report/table.h"

namespace ffn::inline v0 {

// One row per design, in the order of the comparison. Accuracies are means over seeds with the
// least and greatest; times are medians over seeds and peaks the greatest; what was not measured
// is empty.
Table comparison_table(const ComparisonResult& result);

// One row per pair: first, second, the difference in percentage points (first − second) and its
// 95 % interval, p and Holm's p (none for the same runs), what the test draws from, the outcome,
// and the difference seed by seed.
Table pair_table(const ComparisonResult& result);

}  // namespace ffn::inline v0
