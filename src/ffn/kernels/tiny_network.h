// A small network as one kernel: all layers of a block of rows while their values are in the cache.
#pragma once

#include "ffn/kernels/args.h"
#include "ffn/kernels/pointwise.h"

namespace ffn::inline v0::kernels {

// in → width → … → width → out with `hidden_layers` layers of `width` values, no bias vectors.
struct TinyNetworkShape {
  std::int64_t in = 0, out = 0, width = 64, hidden_layers = 1;
  Activation activation = Activation::relu;
  float beta = 1;  // swish only

  // Matrix l of hidden_layers + 1 is [out_of(l), in_of(l)], row-major, and starts at offset(l) of
  // the buffer of weights.
  std::int64_t in_of(std::int64_t l) const { return l == 0 ? in : width; }
  std::int64_t out_of(std::int64_t l) const { return l == hidden_layers ? out : width; }
  std::int64_t offset(std::int64_t l) const { return l == 0 ? 0 : width * (in + (l - 1) * width); }
  std::int64_t weights() const { return offset(hidden_layers) + out * width; }
};

// y = h_L·W_Lᵀ, h_{l+1} = f(h_l·W_lᵀ), h_0 = x. x [N, in], y [N, out]: f32 or bf16; weights
// [1, weights()]: f32 or bf16. All between is f32, sums included, and rounded once on store; but
// where x and weights are bf16 and the processor multiplies pairs of bf16 (AVX512_BF16), forward
// rounds h_l to bf16. f64 and c128 on the reference device only.
struct TinyNetworkForwardArgs {
  ConstMatrix x, weights;
  Matrix y;
  TinyNetworkShape shape;
};

// With dz_L = dy, dz_{l-1} = f'(h_{l-1}·W_{l-1}ᵀ) ⊙ dz_l·W_l: dx (+)= dz_0·W_0 and
// dW_l (+)= dz_lᵀ·h_l. Either may be absent. The hidden values are computed again, in f32.
struct TinyNetworkBackwardArgs {
  ConstMatrix x, weights, dy;
  GradMatrix dx, dweights;
  TinyNetworkShape shape;
};

}  // namespace ffn::inline v0::kernels
