// Reductions of a whole matrix to one number.
#pragma once

#include "ffn/kernels/args.h"

namespace ffn::inline v0::kernels {

// sum [1, 1] f64 = Σ x², squared and added in double whatever x's type is: no f32 overflows it, so
// it is not finite only when an x is not. Chunks of 4096 elements of a row (the length does not
// depend on the threads) are added in order. Workspace: sum_squares_workspace(rows, cols).
struct SumSquaresArgs {
  ConstMatrix x;  // f32, bf16, f16; f64 on the reference device (c128: |x|²)
  Matrix sum;
};

}  // namespace ffn::inline v0::kernels
