// Views: other shapes, rows and columns of the same buffer. The forward of a view costs nothing;
// its backward writes the part's gradient into the whole's (zeros elsewhere, or added). No flops.
#pragma once

#include <span>

#include "ffn/autograd/executor.h"

namespace ffn::inline v0 {

// Same elements under another shape. Errors: shape when the counts differ, or when columns of rows
// with a leading dimension would have to be regrouped (that needs a copy).
Value reshape(Executor& ex, Value x, const Shape& shape);

// Rows [begin, begin + count) of the [rows, cols] picture → [count, cols]. Errors: shape.
Value slice_rows(Executor& ex, Value x, std::int64_t begin, std::int64_t count);

// Columns [begin, begin + count) → x's other axes, count. Block dtypes are cut at multiples of 32.
// Errors: shape.
Value slice_cols(Executor& ex, Value x, std::int64_t begin, std::int64_t count);

// Two to four column blocks of the given widths, which sum to x's columns (gate and up; q, k and
// v): one node, so that backward writes dx once. Errors: shape when the widths do not add up;
// config for another number of parts.
Values split_cols(Executor& ex, Value x, std::span<const std::int64_t> widths);

// [a | b | …], two to eight parts with equal rows and dtype: a copy. d(part) = its columns of dy.
// Saves nothing. Errors: shape, dtype; config for another number of parts.
Value concat_cols(Executor& ex, std::span<const Value> parts);

}  // namespace ffn::inline v0
