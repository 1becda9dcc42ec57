// A comparison as tables for the terminal and for other programs.
#pragma once

#include "ffn/compare/comparison_result.h"
#include "ffn/report/table.h"

namespace ffn::inline v0 {

// One row per design, in the order of the comparison. Qualities are means over seeds with the
// least and greatest; their columns have the measure's names (test_accuracy, or test_bits_per_byte
// and, last, test_standard_error over the documents). train_test_gap says by how much training
// examples are better than test examples. Times are medians over seeds and peaks the greatest; what
// was not measured is empty. Where a design has experts, columns say how they are used
// (design_experts.h).
Table comparison_table(const ComparisonResult& result);

// One row per pair: first, second, the difference (first − second), in percentage points or
// bits per byte, and its 95 % interval, p and Holm's p (none for the same runs), what the test
// draws from, the outcome, and the difference seed by seed.
Table pair_table(const ComparisonResult& result);

}  // namespace ffn::inline v0
