// A linear map along the tokens of each sequence.
#pragma once

#include "ffn/autograd/executor.h"

namespace ffn::inline v0 {

// y[b, t] = Σ_s weight[t, s]·x[b, s] + bias[t] in every channel: y_b = W·x_b + bias per sequence b
// of x [B·T, C], B = `sequences`; weight [T, T], bias [T] → y [B·T, C] of x's dtype.
//   dtypes     x f32 or bf16; weight and bias f32 or bf16. On the reference device x f64 or
//              c128; weight and bias as x.
//   gradients  dx_b = Wᵀ·dy_b, dW = Σ_b dy_b·x_bᵀ, dbias[t] = Σ_b Σ_c dy[b, t, c]; sequences are
//              added in their order
//   saved      x if dW is wanted, weight if dx is wanted
//   scratch    C ones and the largest workspace of its products; backward also the sums [T, T] and
//              [T] where dW and dbias are wanted
//   flops      2·B·T·T·C forward; as many again for dx and for dW
// bf16: the bias is rounded to y's dtype before the product is added to it.
// Errors: shape when rows are no multiple of sequences, weight is not [T, T] or bias not [T];
// dtype for any other combination.
Value mix_tokens(Executor& ex, Value x, const Value& weight, const Value& bias,
                 std::int64_t sequences);

}  // namespace ffn::inline v0
