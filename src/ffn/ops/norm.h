// Normalisations over the last axis, C columns. Statistics are f32 (f64, c128 on the reference)
// whatever x is; weight and bias [C] have the statistics' dtype and may be absent.
//   saved      x, the statistics, and weight if dx is wanted
//   scratch    backward: norm_workspace(rows, C), for the weight gradients' fixed row chunks
//   errors     shape when weight or bias is not [C]; dtype; config when eps < 0
#pragma once

#include "ffn/autograd/executor.h"

namespace ffn::inline v0 {

// y = (x − μ)/√(σ² + eps)·weight + bias with mean μ and biased variance σ² of the row. Ba et al.
// 2016. Keeps (μ, r) [rows, 2].
Value layer_norm(Executor& ex, Value x, const Value& weight, const Value& bias, float eps = 1e-5f);

// y = x/√(mean x² + eps)·(weight_offset + weight); weight_offset 1 as in Gemma. Zhang & Sennrich
// 2019. Keeps r [rows, 1].
Value rms_norm(Executor& ex, Value x, const Value& weight, float eps = 1e-6f,
               float weight_offset = 0);

}  // namespace ffn::inline v0
