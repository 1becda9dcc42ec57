// Rows repeated and rows in another order: copies that no index list is needed for.
#pragma once

#include "ffn/autograd/executor.h"

namespace ffn::inline v0 {

// x of any shape, seen as [R, D], `times` times, one after another → [times·R, D].
//   gradient   dx = Σ of dy over the repeats; scratch backward: row_sum_workspace
//   saved      nothing
// Errors: config when times < 1; dtype.
Value repeat_rows(Executor& ex, Value x, std::int64_t times);

// x seen as [outer·inner·P, D], P rows for every pair (o, i) → [inner·outer·P, D]: the pair changes
// from block o·inner + i to block i·outer + o. With outer = sequences and inner = experts: slots of
// a sequence sorted by expert become rows of an expert sorted by sequence.
//   gradient   dx = swap_blocks(dy, inner, outer)
//   saved      nothing
// Errors: config when outer or inner < 1; shape when rows are no multiple of outer·inner; dtype.
Value swap_blocks(Executor& ex, Value x, std::int64_t outer, std::int64_t inner);

}  // namespace ffn::inline v0
