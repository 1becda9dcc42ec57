// Layers of experts in one pass over their rows, for inference.
#pragma once

#include "ffn/ops/activation.h"
#include "ffn/ops/layer_weights.h"

namespace ffn::inline v0 {

// Rows [offsets[e], offsets[e+1]) of x [R, D] through expert e:
//   h = act(x·W_gateᵀ + b_gate) ⊙ (x·W_upᵀ + b_up), or act(x·W_upᵀ + b_up);  y = h·W_downᵀ + b_down
// → y [R, D] of x's dtype. The composition that it equals, in f32 bit for bit: grouped_linear,
// activation, multiply, grouped_linear; here h exists for a tile of rows in scratch only, in f32,
// so that memory does not grow with H.
//   gradients  none: refused while recording
//   scratch    expert_layer_workspace: per thread packed weights of up to 384 hidden units and two
//              tiles of 96 rows of them, or 8 rows of all; [R, D] f32 where x is bf16
//   flops      2·R·D·H for each map
// Errors: shape; dtype; config when recording.
Value expert_layer(Executor& ex, Value x, const LayerWeights& weights, const Tensor& offsets,
                   std::int64_t experts, Activation activation, float beta = 1);

}  // namespace ffn::inline v0
