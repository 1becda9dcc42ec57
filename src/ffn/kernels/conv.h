// Depthwise convolution over tokens that form a grid: every channel has a k × k window of its own.
#pragma once

#include "ffn/kernels/args.h"

namespace ffn::inline v0::kernels {

// The rows of one sequence: `prefix` rows that are no part of the picture (class tokens), then
// height·width rows, row-major.
struct TokenGrid {
  std::int64_t height = 0, width = 0;
  std::int64_t prefix = 0;

  std::int64_t rows() const { return prefix + height * width; }
};

// y[p, c] = bias[c] + Σ_{i,j < k} weight[c, i·k + j]·x[p + (i − k/2, j − k/2), c] for every place p
// of the grid, zeros outside it; prefix rows are copied. x, y [B·grid.rows(), C]; weight [C, k²]
// with k odd; bias [1, C], may be absent. x: f32 or bf16 (f64, c128 on the reference), y, dy and dx
// too; weight and bias f32 or bf16 (or as x). Sums are kept in f32 and rounded once on store.
// Workspace: depthwise_conv_forward_workspace(C, k).
struct DepthwiseConvForwardArgs {
  ConstMatrix x, weight, bias;
  Matrix y;
  TokenGrid grid;
  std::int64_t k = 1;
};

// dx[q, c] (+)= Σ_{i,j} weight[c, i·k + j]·dy[q − (i − k/2, j − k/2), c], prefix rows (+)= dy;
// dweight[c, i·k + j] (+)= Σ_p dy[p, c]·x[p + (i − k/2, j − k/2), c]; dbias (+)= Σ_p dy[p, c]. All
// three optional; x is read for dweight alone, weight for dx alone, and either may be absent
// otherwise. x and dy have the same dtype. Workspace: depthwise_conv_backward_workspace(B, C, k).
struct DepthwiseConvBackwardArgs {
  ConstMatrix x, weight, dy;
  GradMatrix dx, dweight, dbias;
  TokenGrid grid;
  std::int64_t k = 1;
};

}  // namespace ffn::inline v0::kernels
