// Pointwise activations: y = f(x), any shape, of x's dtype (f32, bf16; f64, c128 on the reference).
//   saved      x, so that y takes a buffer of its own; relu saves y instead and may run in place
//   backward   dx = f'(x)·dy, in place over dy where nothing else holds it; no scratch, no flops
//   errors     dtype when x is no float activation
#pragma once

#include "ffn/autograd/executor.h"

namespace ffn::inline v0 {

using kernels::Activation;

// Names as in text specs: "relu", "gelu_tanh", … (the enumerators of kernels/pointwise.h).
std::string_view to_string(Activation kind);
// f by name; beta is read by swish only. identity returns x itself: no node, no memory.
Value activation(Executor& ex, Value x, Activation kind, float beta = 1);

// max(0, x); relu'(0) = 0.
Value relu(Executor& ex, Value x);
// ½x(1 + erf(x/√2)) = x·Φ(x). Hendrycks & Gimpel 2016.
Value gelu(Executor& ex, Value x);
// ½x(1 + tanh(√(2/π)(x + 0.044715x³))), the tanh form of the same paper (GPT-2).
Value gelu_tanh(Executor& ex, Value x);
// x·σ(1.702x), the sigmoid form of the same paper (CLIP).
Value quick_gelu(Executor& ex, Value x);
// x·σ(x). Elfwing et al. 2017.
Value silu(Executor& ex, Value x);
// x·σ(βx) with fixed β. Ramachandran et al. 2017.
Value swish(Executor& ex, Value x, float beta);
// max(0, x)². So et al. 2021 (Primer).
Value relu2(Executor& ex, Value x);
// 1/(1 + e^−x).
Value sigmoid(Executor& ex, Value x);
Value tanh(Executor& ex, Value x);
// x·min(max(x + 3, 0), 6)/6. Howard et al. 2019 (MobileNetV3).
Value hardswish(Executor& ex, Value x);
// min(max(x + 3, 0), 6)/6, the same paper's gate.
Value hardsigmoid(Executor& ex, Value x);
// x itself.
Value identity(Executor& ex, Value x);

}  // namespace ffn::inline v0
