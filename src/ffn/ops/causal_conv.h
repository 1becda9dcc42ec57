// Causal depthwise convolution over the tokens of sequences.
#pragma once

#include "ffn/autograd/executor.h"

namespace ffn::inline v0 {

// y[b·T + t, c] = bias[c] + Σ_{j<k} weight[c, j]·x[b·T + t − (k − 1) + j, c]: the last tap is the
// row itself, and zeros stand before the first row of a sequence. x [B·T, C] of `sequences`
// sequences, weight [C, k] with 1 ≤ k ≤ 64 (a checkpoint's [C, 1, k] reshaped), bias [C] or absent
// → x's shape and dtype.
//   dtypes     x f32 or bf16; weight and bias f32 or bf16. On the reference device x f64 or c128,
//              weight and bias as x, or f32 or bf16 without gradient.
//   gradients  dx = the same taps over the rows of dy that follow; dweight[c, j] = Σ dy[t, c]·x[t −
//              (k − 1) + j, c], summed in chunks of sequences; dbias = Σ dy
//   saved      x if dweight is wanted, weight if dx is wanted
//   scratch    causal_conv_forward_workspace, causal_conv_backward_workspace
//   flops      2·B·T·k·C forward; as many again for dx and for dweight
// Errors: shape when rows are no multiple of `sequences` or weight is not [C, k]; config for k out
// of range; dtype. As in Gu & Dao 2023 (Mamba) and De et al. 2024 (Griffin), without their
// activation.
Value causal_conv(Executor& ex, Value x, const Value& weight, const Value& bias,
                  std::int64_t sequences);

}  // namespace ffn::inline v0
