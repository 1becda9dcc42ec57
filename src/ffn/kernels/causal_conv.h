// Causal convolution over the tokens of sequences: every channel has a window of k taps of its own.
#pragma once

#include "ffn/kernels/args.h"

namespace ffn::inline v0::kernels {

// y[b·T + t, c] = bias[c] + Σ_{j<k} weight[c, j]·x[b·T + t − (k − 1) + j, c]: the last tap is the
// row itself, and a sequence begins with zeros. x, y [B·T, C] with T = `tokens` rows per sequence;
// weight [C, k]; bias [1, C], may be absent. x: f32 or bf16 (f64, c128 on the reference), y, dy and
// dx too; weight and bias f32 or bf16 (or as x). Sums are kept in f32 and rounded once on store.
// Workspace: causal_conv_forward_workspace(C, k).
struct CausalConvForwardArgs {
  ConstMatrix x, weight, bias;
  Matrix y;
  std::int64_t tokens = 1;
  std::int64_t k = 1;
};

// dx[b·T + t, c] (+)= Σ_j weight[c, j]·dy[b·T + t + (k − 1) − j, c] over rows of the sequence;
// dweight[c, j] (+)= Σ_{b,t} dy[b·T + t, c]·x[b·T + t − (k − 1) + j, c]; dbias (+)= Σ dy[·, c]. All
// three optional; x is read for dweight alone, weight for dx alone, and either may be absent
// otherwise. x and dy have the same dtype. Workspace: causal_conv_backward_workspace(B, C, k).
struct CausalConvBackwardArgs {
  ConstMatrix x, weight, dy;
  GradMatrix dx, dweight, dbias;
  std::int64_t tokens = 1;
  std::int64_t k = 1;
};

}  // namespace ffn::inline v0::kernels
