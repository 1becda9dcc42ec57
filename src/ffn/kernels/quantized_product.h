// Products of whole numbers: weights of 8 or 4 bits in groups, rows brought to 8 bits on the way.
#pragma once

#include "ffn/kernels/args.h"

namespace ffn::inline v0::kernels {

// Weights B [N, K] as integers: `group` values of a row that follow each other share one f32 scale,
// b[n, k] ≈ scale_b[n, k / group]·q_b[n, k]. A last group may be shorter.
//   8 bits: scale = max|b| / 127, q = b·(127 / max|b|) to nearest, −127 … 127
//   4 bits: scale = (the value of largest magnitude) / −8, q = b / scale to nearest, −8 … 7
// (in f32, halves to even). Group 32 of q8_0 (8 bits) and q4_0 (4 bits) keeps their integers and
// scales.
struct QuantizedFormat {
  int bits = 8;             // 8 or 4
  std::int64_t group = 32;  // 32, 64 or 128
};

// B in the order in which quantized_product reads it; the layout belongs to the backend.
struct PackQuantizedArgs {
  QuantizedFormat format;
  ConstMatrix b;           // f32, bf16, f16; or q8_0, q4_0 of the same bits, group 32
  void* packed = nullptr;  // packed_quantized_bytes(format, N, K), 64-byte aligned
};

// C[m, n] (+)= Σ_g scale_a[m, g]·scale_b[n, g]·(Σ_{k in g} q_a[m, k]·q_b[n, k]) + bias[n]
//   A [M, K], f32 or bf16, finite; per row and group scale_a = max|a| / 127 and
//   q_a = a·(127 / max|a|) to nearest, in f32, halves to even; a group of zeros has scale 0
//   C [M, N], f32 or bf16; bias [1, N], f32 or bf16
// Sums within a group are exact; groups are added in rising order, one fma in f32 each, so no
// result depends on the number of rows or threads. C is rounded once. Against A·Bᵀ with the values
// that the integers stand for, |error| ≤ Σ_k |b|·max|a in its group| / 254 and the rounding of the
// f32 sums. The groups are those of GGUF's q8_0 and q4_0 (ggml), the width of the group is ours.
struct QuantizedProductArgs {
  QuantizedFormat format;
  ConstMatrix a;
  const void* packed_b = nullptr;  // of N = c.cols rows, K = a.cols columns
  Matrix c;
  ConstMatrix bias = {};  // absent: none
  bool accumulate = false;
};
struct QuantizedProductShape {
  std::int64_t m = 0, n = 0, k = 0;
  QuantizedFormat format;
};

}  // namespace ffn::inline v0::kernels
