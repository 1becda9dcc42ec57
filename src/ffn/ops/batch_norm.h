// Normalisation over rows, per column, with running statistics kept as state.
#pragma once

#include "ffn/autograd/executor.h"

namespace ffn::inline v0 {

// Training: y = (x − μ)/√(σ² + eps)·weight + bias with the mean and biased variance of each column;
// `running` [2, C] = (mean, unbiased variance) moves by `momentum` when the step ends, once, also
// when a segment is replayed. Eval: y uses `running`. x [..., C]; weight, bias [C] and running in
// the statistics' dtype (f32; f64, c128 on the reference). Ioffe & Szegedy 2015.
//   saved      x, weight, (μ, r) [2, C]
//   scratch    norm_workspace(rows, C) forward and backward; in training the statistics too when
//              nothing is recorded
// Without rows the running statistics stay. Errors: shape; dtype; config when momentum is outside
// [0, 1], and when a gradient is wanted in eval mode (running statistics have no backward here).
Value batch_norm(Executor& ex, Value x, const Value& weight, const Value& bias, State& running,
                 float eps = 1e-5f, float momentum = 0.1f);

}  // namespace ffn::inline v0
