// One linear map per expert over ragged rows.
#pragma once

#include "ffn/autograd/executor.h"

namespace ffn::inline v0 {

// Rows [offsets[e], offsets[e+1]) of y = those rows of x · W_eᵀ + b_e. x [R, D], weights [E·H, D]
// (expert e owns rows [e·H, (e+1)·H)), offsets i32 [E+1] ascending from 0 to R, bias [E, H] or
// undefined → y [R, H] of x's dtype.
//   dtypes     as linear
//   gradients  dx = dy·W_e per expert, dW_e = dyᵀ·x and db_e = Σ dy over its rows (zero for an
//              expert without rows)
//   saved      offsets; x if dW is wanted, weights if dx is wanted
//   flops      2·R·D·H forward; as many again for dx and for dW
// Errors: shape when sizes differ or offsets, where the host can read them, are no partition of R
// rows. The dropless form of Gale et al. 2022 (MegaBlocks): no capacity, no padding, no dropped
// token.
Value grouped_linear(Executor& ex, Value x, const Value& weights, const Tensor& offsets,
                     std::int64_t experts, const Value& bias = {});

}  // namespace ffn::inline v0
