// Plain and gated feed-forward layers as one operation: hidden values exist for a tile at a time.
#pragma once

#include "ffn/ops/activation.h"
#include "ffn/ops/layer_weights.h"

namespace ffn::inline v0 {

// What backward has of the hidden layer: the values before the activation, or nothing but x.
enum class HiddenMemory { store, recompute };

// h = act(x·W_upᵀ + b_up), or act(x·W_gateᵀ + b_gate) ⊙ (x·W_upᵀ + b_up);  y = h·W_downᵀ + b_down
// x [..., D] → y [..., D] of x's dtype; weights and biases of one layer ([H] and [D]). The
// composition that it equals: linear, activation, multiply, linear. In f32 and with more than 8
// rows y and the weights' gradients are its bits, up to a block of rows the biases' too; a gated
// layer's dx is summed tile by tile over both maps. In bf16 tiles are rounded as stored values are,
// but act of a gated layer is not, and y and dx are rounded once. The result is the same to the
// last bit with and without a tape, stored and recomputed.
//   dtypes     x f32 or bf16 (f64, c128 on the reference device); weights and biases of x's class
//   gradients  of x, every weight and every bias
//   saved      x and the weights; store: also x·Wᵀ + b of gate and up, [N, H] each of x's dtype,
//              half of what the composition keeps; recompute: their biases instead
//   scratch    forward while recording and backward: one to three tiles of 2,048 rows × 384 hidden
//              units, 2,048 rows of D f32 where x is bf16, a product's; for 128 rows or more
//              without a tape that of expert_layer(): memory does not grow with H
//   flops      2·N·D·H for each map; backward twice that, and recompute once more for gate and up
// Errors: shape; dtype.
// Source: tiles as in Arctic Long Sequence Training's TiledMLP (2025), over hidden units too.
Value dense_layer(Executor& ex, Value x, const LayerWeights& weights, Activation activation,
                  float beta = 1, HiddenMemory memory = HiddenMemory::store);

}  // namespace ffn::inline v0
