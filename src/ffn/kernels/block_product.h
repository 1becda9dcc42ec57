// Products of whole numbers with weights in the blocks of GGUF files: rows are brought to 8 bits on
// the way ("W4A8" and the like). What decoding with quantised weights spends its time on.
#pragma once

#include "ffn/kernels/args.h"

namespace ffn::inline v0::kernels {

// C[m, n] (+)= Σ_g scale[m, g]·(Σ_{k in g} q[m, k]·b[n, k]) + bias[n],   g: 32 values of k
//   A [M, K], f32 or bf16. Per row and group
//     scale = max|a| / 127,   q = a·(127 / max|a|) to nearest, in f32, halves to even;
//     max|a| < 2⁻¹⁰⁰: the group counts as zeros, scale 0
//     a value that is no number or infinite: scale is NaN, and so is all of the row in C
//   B [N, K], blocks of any type (base/blocks.h) with finite scales, read where they lie
//   C [M, N], f32 or bf16; bias [1, N], f32 or bf16
// b is a step times an integer, with a minimum in q4_1 and q4_k. Sums of products of integers that
// share a step are exact; steps, scales and sums are f32, C is rounded once. A row of C has the
// same bits whatever the number of rows and threads. Against A·Bᵀ the error is at most
// Σ_k |b|·max|a in its group| / 254 and the rounding of f32 sums.
// ggml multiplies the same blocks with rows of 8 bits in groups of 32 (q8_0, q8_1); for q4_k and
// q6_k its groups are 256 wide (q8_K), here they are 32 for all.
struct BlockProductArgs {
  ConstMatrix a, b;
  Matrix c;
  ConstMatrix bias = {};  // absent: none
  bool accumulate = false;
};
struct BlockProductShape {
  std::int64_t m = 0, n = 0, k = 0;
};

}  // namespace ffn::inline v0::kernels
