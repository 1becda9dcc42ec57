// How dense_layer() goes through its hidden layer: blocks of rows outside, tiles of hidden units
// inside.
#pragma once

#include <cstdint>

#include "ffn/autograd/op.h"
#include "ffn/ops/fused/dense_layer.h"

namespace ffn::inline v0::op_detail {

// One call's sizes and cuts. Both cuts are multiples of the pieces in which a whole product over
// that axis is summed, so that sums over tiles make its bits.
struct DenseLayerPlan {
  std::int64_t N = 0, D = 0, H = 0;
  bool gated = false;
  HiddenMemory memory = HiddenMemory::store;
  DType x = DType::f32, weights = DType::f32, dweights = DType::f32;
  std::int64_t row_piece = 1, hidden_piece = 1;  // of a sum over rows, over hidden units
  std::int64_t rows = 1, hidden = 1;             // of a tile

  // What rows of y and dx are summed in.
  DType sums() const { return x == DType::bf16 ? DType::f32 : x; }
  // Of the last tile, at most: a few rows behind it join it.
  std::int64_t most_rows() const;
  bool keeps_hidden() const { return memory == HiddenMemory::store; }
};
DenseLayerPlan plan_dense_layer(const TensorSpec& x, const TensorSpec& up, bool gated,
                                HiddenMemory memory, const kernels::KernelTable& kernels);

// The operands of a call. Absent where there is none; `pre` and `up_value` [N, H] are what store
// keeps.
struct DenseLayerOperands {
  kernels::ConstMatrix x, gate, up, down, gate_bias, up_bias, down_bias;
  kernels::Matrix pre, up_value;
  Activation activation = Activation::relu;
  float beta = 1;
};

// y, and with HiddenMemory::store pre and up_value.
void run_dense_layer_forward(const DenseLayerPlan& plan, const DenseLayerOperands& operands,
                             const kernels::Matrix& y, const kernels::KernelTable& kernels,
                             const kernels::LaunchContext& launch);
std::int64_t dense_layer_forward_scratch(const DenseLayerPlan& plan, const OpContext& context);

struct DenseLayerGradients {
  kernels::GradMatrix x, gate, up, down, gate_bias, up_bias, down_bias;
};
void run_dense_layer_backward(const DenseLayerPlan& plan, const DenseLayerOperands& operands,
                              const kernels::ConstMatrix& dy, const DenseLayerGradients& gradients,
                              const kernels::KernelTable& kernels,
                              const kernels::LaunchContext& launch);
std::int64_t dense_layer_backward_scratch(const DenseLayerPlan& plan, const OpContext& context);

}  // namespace ffn::inline v0::op_detail
