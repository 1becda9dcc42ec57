// A small network of equal hidden layers as one operation.
#pragma once

#include "ffn/autograd/executor.h"

namespace ffn::inline v0 {

using kernels::TinyNetworkShape;

// y = h_L·W_outᵀ, h_{l+1} = f(h_l·W_lᵀ), h_1 = f(x·W_inᵀ), f = shape.activation, L =
// shape.hidden_layers ≥ 1. x [..., in] → y [..., out] of x's dtype. weights [shape.weights()], one
// buffer without gaps: W_in [width, in], L − 1 times W [width, width], W_out [out, width], each
// row-major.
//   width      a multiple of 16, at most 1024
//   dtypes     x f32 or bf16; weights f32 or bf16. On the reference device x f64 or c128 and
//              weights as x. Hidden values are f32; forward rounds them to bf16 where x and
//              weights are and the processor multiplies pairs of bf16.
//   saved      x and weights; backward computes the hidden values again. Keeping them would hold
//              L·N·width·4 bytes and saves 12–14 % of a forward and backward pass (measured at
//              64×4, N = 2^14 and 2^17, one core, AVX2).
//   scratch    packed weights and blocks of rows; backward also a copy of all weights per chunk of
//              rows, at most 32 and 16 MiB together (or 4 copies)
//   flops      2·N·weights forward; as many for dweights, as many less 2·N·width·out for the hidden
//              values, and 2·N·(weights − width·in) for going back, 2·N·width·in more for dx
// Errors: config when a size of the shape is out of range; shape when x is not [..., in] or weights
// not [shape.weights()]; dtype for any other combination.
// Müller et al. 2021 (real-time neural radiance caching), whose code pads in and out to multiples
// of 16 in the buffer of weights and computes in f16; here nothing is padded.
Value tiny_network(Executor& ex, Value x, const Value& weights, const TinyNetworkShape& shape);

}  // namespace ffn::inline v0
