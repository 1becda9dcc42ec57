// Matrix products. Reduction order depends on the shape only, never on the number of threads.
#pragma once

#include "ffn/kernels/args.h"

namespace ffn::inline v0::kernels {

// nt: C[M,N] = A[M,K] · B[N,K]ᵀ   (y = x·Wᵀ)
// nn: C[M,N] = A[M,K] · B[K,N]    (dx = dy·W)
// tn: C[M,N] = A[K,M]ᵀ · B[K,N]   (dW = dyᵀ·x)
enum class ProductForm { nt, nn, tn };

struct ProductShape {
  ProductForm form = ProductForm::nt;
  std::int64_t m = 0, n = 0, k = 0;
  DType a = DType::f32, b = DType::f32, c = DType::f32;
  std::int64_t piece = 0;  // as in ProductArgs
};

// C (+)= product, plus bias[n] on every row when given. A: f32 or bf16; B: f32, bf16, f16 or
// blocks, which run along B's stored rows (nt and nn only); C: f32 or bf16. Sums are kept in f32
// and rounded once on store. Where A and B are bf16 and the processor multiplies pairs of bf16
// (AVX512_BF16), subnormal values and sums count as 0. f64 and c128 on the reference device only. K
// = 0 gives zero (or bias).
//
// The sum over K is cut into pieces that are added in rising order; their length follows from K
// (KernelTable::product_piece) unless `piece` gives it. So a product over a part of K that starts
// and ends at multiples of product_piece(K), with that piece and added to the parts before, makes
// the bits of the whole product.
struct ProductArgs {
  ProductForm form = ProductForm::nt;
  ConstMatrix a, b;
  Matrix c;
  ConstMatrix bias;  // [1, N], f32 or bf16; absent: none
  bool accumulate = false;
  const void* packed_b = nullptr;  // from pack_b for form, B and a.dtype; b.data is then not read
  std::int64_t piece = 0;          // a value of product_piece(); 0: that of K
};

// Prepared weights: B reordered for products with rows A of type `a`, as panels of f32 or, where
// both are bf16 and the processor multiplies pairs of bf16, of such pairs. The layout belongs to
// the backend.
struct PackArgs {
  ProductForm form = ProductForm::nt;  // nt or nn
  ConstMatrix b;
  void* packed = nullptr;  // packed_b_bytes(form, b, a), 64-byte aligned
  // Only the panels of output columns [begin, end) are written, so that a mapped source can be read
  // and released piece by piece. Ranges start at multiples of pack_granularity().
  std::int64_t begin = 0, end = 0;
  DType a = DType::f32;
};

// One product per expert over ragged rows: expert e owns rows [offsets[e], offsets[e+1]).
// nt: C[R,N] rows of e = A[R,K] rows of e · B_eᵀ,  B = [E·N, K]
// nn: C[R,N] rows of e = A[R,K] rows of e · B_e,   B = [E·K, N]
// tn: C_e[M,N] = A rows of eᵀ · B rows of e,       A = [R,M], B = [R,N], C = [E·M, N]; an expert
// without
//     rows writes zeros (or adds nothing).
struct GroupedProductArgs {
  ProductForm form = ProductForm::nt;
  ConstMatrix a, b;
  Matrix c;
  const std::int32_t* offsets = nullptr;  // [experts + 1], ascending, offsets[0] = 0, last = R
  std::int64_t experts = 0;
  bool accumulate = false;
  ConstMatrix bias = {};  // [E, N], row e added to the rows of e (nt); absent: none
};

// y[j] (+)= Σ_r x[r, j] over r ≡ j-th period row: x [P·Q, C] seen as Q repeats of P rows, y [P, C]
// = sum over the repeats. P = 1 is the bias gradient. y: f32, bf16 (or f64, c128).
struct RowSumArgs {
  ConstMatrix x;
  Matrix y;
  bool accumulate = false;
};

// y[e, j] (+)= Σ of x[r, j] over the rows of expert e: x [R, C], y [E, C]. The bias gradient of a
// grouped product.
struct GroupedRowSumArgs {
  ConstMatrix x;
  const std::int32_t* offsets = nullptr;  // [E + 1], ascending, offsets[0] = 0, last = R
  Matrix y;
  bool accumulate = false;
};

}  // namespace ffn::inline v0::kernels
