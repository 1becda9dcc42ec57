// Products: a weight applied to rows, and the general product of two activations.
#pragma once

#include "ffn/autograd/executor.h"

namespace ffn::inline v0 {

using kernels::ProductForm;

// y = x·Wᵀ + b. x [..., D], weight [H, D], bias [H] (may be absent) → y [..., H] of x's dtype.
//   dtypes     x f32 or bf16; weight f32, bf16, or frozen f16 or blocks (D a multiple of theirs);
//              bias f32 or bf16. On the reference device x f64 or c128; weight and bias as x, or
//              the weight frozen.
//   int8       where weight has blocks and nothing is recorded, x is brought to 8 bits if the
//              device's ActivationPrecision says so (kernels/block_product.h); bias is then f32 or
//              bf16, and the scratch that product's workspace
//   packed     u8 [packed_b_bytes], the weight prepared by the device's pack_b for form nt; only
//              forward reads it
//   gradients  dx = dy·W, dW = dyᵀ·x, db = Σ_rows dy
//   saved      x if dW is wanted, weight if dx is wanted
//   scratch    the product's workspace; backward: the largest of its products' and row sum's
//   flops      2·N·D·H forward; as many again for dx and for dW
// Errors: shape when the last axes of x and weight differ, bias is not [H] or packed has another
// size; dtype for any other combination; config when a frozen weight wants a gradient.
Value linear(Executor& ex, Value x, const Value& weight, const Value& bias = {},
             const Tensor& packed = {});

// C = a·bᵀ (nt: a [M, K], b [N, K]), a·b (nn: b [K, N]) or aᵀ·b (tn: a [K, M], b [K, N]) → [M, N]
// of a's dtype; axes before the last count as rows.
//   dtypes     f32 or bf16, f64 or c128 on the reference device; a and b alike
//   gradients  nt: da = dC·b, db = dCᵀ·a · nn: da = dC·bᵀ, db = aᵀ·dC · tn: da = b·dCᵀ, db = a·dC
//   saved      a if db is wanted, b if da is wanted
//   flops      2·M·N·K forward and for each gradient
// Errors: shape when the summed axes differ; dtype when a and b differ.
Value matmul(Executor& ex, Value a, Value b, ProductForm form);

}  // namespace ffn::inline v0
