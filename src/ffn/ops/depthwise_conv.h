// Depthwise convolution over tokens that form a grid.
#pragma once

#include "ffn/autograd/executor.h"

namespace ffn::inline v0 {

// The rows of one sequence: `prefix` rows (class tokens), then height·width rows, row-major.
using kernels::TokenGrid;

// y[p, c] = bias[c] + Σ_{i,j < k} weight[c, i·k + j]·x[p + (i − k/2, j − k/2), c] for every place p
// of the grid, stride 1, zeros outside it; prefix rows pass unchanged. x [B·(prefix + h·w), C],
// weight [C, k²] with odd k (a checkpoint's [C, 1, k, k] reshaped), bias [C] or absent → x's shape
// and dtype.
//   dtypes     x f32 or bf16; weight and bias f32 or bf16. On the reference device x f64 or c128,
//              weight and bias as x, or f32 or bf16 without gradient.
//   gradients  dx = the same windows over dy, taps backwards; dweight[c, tap] = Σ_p dy[p, c]·x[p
//              moved, c], summed in chunks of sequences; dbias = Σ_p dy over the grid
//   saved      x if dweight is wanted, weight if dx is wanted
//   scratch    depthwise_conv_forward_workspace, depthwise_conv_backward_workspace
//   flops      2·B·h·w·k²·C forward; as many again for dx and for dweight
// Errors: shape when rows are no multiple of the grid's or weight is not [C, k²]; config for a grid
// without places; dtype.
Value depthwise_conv(Executor& ex, Value x, const Value& weight, const Value& bias,
                     const TokenGrid& grid);

}  // namespace ffn::inline v0
