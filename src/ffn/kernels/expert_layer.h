// Layers of experts, or one dense layer, in one pass for inference: hidden values exist for a tile
// of rows at a time.
#pragma once

#include "ffn/kernels/args.h"
#include "ffn/kernels/pointwise.h"

namespace ffn::inline v0::kernels {

// Rows [offsets[e], offsets[e+1]) of x [R, D] meet expert e:
//   h = act(x·W_gateᵀ + b_gate) ⊙ (x·W_upᵀ + b_up), or act(x·W_upᵀ + b_up) without a gate;
//   y = h·W_downᵀ + b_down [R, D]
struct ExpertLayerShape {
  std::int64_t rows = 0, width = 0, hidden = 0, experts = 1;  // R, D, H, E
  bool gated = false;
  DType x = DType::f32, weights = DType::f32;
};

// Expert e owns rows e·H … of gate and up [E·H, D], e·D … of down [E·D, H] and row e of each bias
// ([E, H], [E, H], [E, D]; absent: none). x and y: f32 or bf16; weights and biases: f32 or bf16,
// the weights of one type. Sums are f32; the values before the activation and
// the hidden values have the precision of x. f64 and c128 on the
// reference device only.
struct ExpertLayerArgs {
  ConstMatrix x, gate, up, down;  // gate absent: not gated
  ConstMatrix gate_bias, up_bias, down_bias;
  Matrix y;
  const std::int32_t* offsets =
      nullptr;  // [E + 1], ascending, offsets[0] = 0, last = R; absent: E = 1
  std::int64_t experts = 1;
  Activation activation = Activation::relu;
  float beta = 1;  // swish only
  // From pack_layer for the same weights; those are then read only where an expert has few rows.
  const void* packed = nullptr;
};

// The weights of a layer once more, as f32 or, for x of bf16 where the processor multiplies pairs
// of bf16, as bf16, in the order in which expert_layer reads them. The layout belongs to the
// backend; no bytes where it has none (the reference device).
struct PackLayerArgs {
  ConstMatrix gate, up, down;  // as in ExpertLayerArgs
  std::int64_t experts = 1;
  DType x = DType::f32;    // of the rows that will meet them
  void* packed = nullptr;  // packed_layer_bytes(shape), 64-byte aligned
};

}  // namespace ffn::inline v0::kernels
