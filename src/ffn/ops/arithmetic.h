// Elementwise arithmetic. No scratch unless stated, no flops (elementwise work is not counted).
#pragma once

#include "ffn/autograd/executor.h"

namespace ffn::inline v0 {

// y = a ⊙ b, equal shapes and dtypes.
//   gradients  da = dy ⊙ b (in place over dy), db = dy ⊙ a
//   saved      a if db is wanted, b if da is wanted; an operand that is not saved may become y
// Errors: shape or dtype when a and b differ.
Value multiply(Executor& ex, Value a, Value b);

// y = a + b. b has a's shape, or fewer rows that are repeated: row r of a meets row r mod b.rows of
// b (a bias [C]; a position table [T, C] under x [B, T, C]). y has a's shape and dtype.
//   gradients  da = dy (the same buffer where nothing else holds it), db = Σ of dy over the repeats
//   saved      nothing; scratch backward: the row sum's, when rows repeat
// Errors: shape when columns differ or a.rows is no multiple of b.rows; dtype when they differ.
Value add(Executor& ex, Value a, Value b);

// y = alpha·x, in place where possible; dx = alpha·dy. Saves nothing.
Value scale(Executor& ex, Value x, float alpha);

// y = x in another float dtype (to bf16: nearest even); dx = dy in x's gradient dtype. Saves
// nothing; x itself when the dtype is already right. Errors: dtype for non-float types.
Value cast(Executor& ex, Value x, DType dtype);

}  // namespace ffn::inline v0
