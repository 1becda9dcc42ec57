// Elementwise kernels. x, y and their gradients share shape [rows, cols] unless stated.
#pragma once

#include "ffn/kernels/args.h"

namespace ffn::inline v0::kernels {

// relu max(0,x) · gelu ½x(1+erf(x/√2)) · gelu_tanh ½x(1+tanh(√(2/π)(x+0.044715x³))) · quick_gelu
// x·σ(1.702x) · silu x·σ(x) · swish x·σ(βx) · relu2 max(0,x)² · sigmoid σ(x) · tanh · hardswish
// x·min(max(x+3,0),6)/6 · hardsigmoid min(max(x+3,0),6)/6 · identity. relu'(0) = relu2'(0) = 0;
// hardswish' is 0 at x ≤ −3, 1 at x ≥ 3; hardsigmoid' is 0 at ±3 and beyond.
enum class Activation {
  relu,
  gelu,
  gelu_tanh,
  quick_gelu,
  silu,
  swish,
  relu2,
  sigmoid,
  tanh,
  hardswish,
  hardsigmoid,
  identity
};

// y = f(x). y may be x.
struct ActivationForwardArgs {
  Activation kind = Activation::relu;
  float beta = 1;  // swish only
  ConstMatrix x;
  Matrix y;
};
// dx (+)= f'(x)·dy. dx may be dy (overwrite).
struct ActivationBackwardArgs {
  Activation kind = Activation::relu;
  float beta = 1;
  ConstMatrix x, dy;
  GradMatrix dx;
};

// The hidden units of a feed-forward layer: neuron = f(pre), or f(pre) ⊙ up where `up` is given.
// neuron may be pre or up.
struct NeuronForwardArgs {
  Activation kind = Activation::relu;
  float beta = 1;  // swish only
  ConstMatrix pre, up;
  Matrix neuron;
};
// neuron as above; dpre = f'(pre)·(dneuron ⊙ up), dup = dneuron ⊙ f(pre), the bits of the separate
// kernels. neuron may be pre, dpre may be dneuron, dup may be up; without `up` there is no dup.
struct NeuronBackwardArgs {
  Activation kind = Activation::relu;
  float beta = 1;
  ConstMatrix pre, up, dneuron;
  Matrix neuron, dpre, dup;
};

// y = a ⊙ b. y may be a or b.
struct MultiplyForwardArgs {
  ConstMatrix a, b;
  Matrix y;
};
// da (+)= dy ⊙ b, db (+)= dy ⊙ a. Either may be absent; da may be dy (overwrite).
struct MultiplyBackwardArgs {
  ConstMatrix a, b, dy;
  GradMatrix da, db;
};

// y = a + b, row r of a with row r mod b.rows of b (a.rows is a multiple of b.rows). y may be a.
struct AddForwardArgs {
  ConstMatrix a, b;
  Matrix y;
};

// y (+)= alpha·x with conversion between any two float dtypes. y may be x when dtypes are equal.
struct CopyArgs {
  ConstMatrix x;
  Matrix y;
  float alpha = 1;
  bool accumulate = false;
};

// y = value.
struct FillArgs {
  Matrix y;
  float value = 0;
};

// y (+)= mask ⊙ x / (1 − p). Element i = row·cols + col is kept when the word i of the random
// stream (key, step) is ≥ p·2^32 (threshold = floor(p·2^32), compared as unsigned). With
// rows_per_word > 0 whole rows are kept or dropped: the word of a row is row / rows_per_word. Its
// own backward. y may be x (overwrite).
struct DropoutArgs {
  ConstMatrix x;
  Matrix y;
  float p = 0;
  std::uint64_t key = 0, step = 0;
  bool accumulate = false;
  std::int64_t rows_per_word = 0;
};

// y (+)= x·(1 + amount·(2·u − 1)), u in [0, 1) of element i = row·cols + col: word i of the random
// stream (key, step) times 2^-32. Its own backward. y may be x (overwrite).
struct JitterArgs {
  ConstMatrix x;
  Matrix y;
  float amount = 0;
  std::uint64_t key = 0, step = 0;
  bool accumulate = false;
};

// y[r,:] = w[r]·x[r,:], w [rows, 1]. y may be x.
struct ScaleRowsForwardArgs {
  ConstMatrix x, w;
  Matrix y;
};
// dx (+)= w·dy, dw[r] (+)= Σ_c dy·x. Either may be absent.
struct ScaleRowsBackwardArgs {
  ConstMatrix x, w, dy;
  GradMatrix dx, dw;
};

// AdamW (Loshchilov & Hutter 2019), elementwise over flat vectors of `count` f32 (all f64 on
// reference):
//   m = β1·m + (1−β1)·g', v = β2·v + (1−β2)·g'², g' = grad_scale·g
//   w −= lr·(weight_decay·w + (m/c1)/(√(v/c2) + eps)),  c1 = 1−β1^t, c2 = 1−β2^t
// shadow (bf16, may be absent) receives the rounded w.
struct AdamWArgs {
  Matrix weight, first_moment, second_moment;  // [1, count]
  ConstMatrix gradient;
  Matrix shadow;
  double learning_rate = 0, beta1 = 0.9, beta2 = 0.999, eps = 1e-8, weight_decay = 0;
  double correction1 = 1, correction2 = 1;  // c1, c2
  double gradient_scale = 1;
};

}  // namespace ffn::inline v0::kernels
