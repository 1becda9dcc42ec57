// Normalisations over a row (layer norm, RMS norm), over a column (batch norm), and softmax with
// the cross-entropy built on it. Statistics are f32 (f64/c128 on the reference device) whatever x
// is.
#pragma once

#include "ffn/kernels/args.h"

namespace ffn::inline v0::kernels {

// y = (x − μ)·r·weight + bias; μ = mean of the row, r = 1/√(mean (x−μ)² + eps). weight, bias [1, C]
// f32, may be absent. stats [rows, 2] = (μ, r), may be absent. y may be x.
struct LayerNormForwardArgs {
  ConstMatrix x, weight, bias;
  Matrix y, stats;
  float eps = 1e-6f;
};
// With x̂ = (x−μ)r and g = dy·weight: dx (+)= r·(g − mean(g) − x̂·mean(g·x̂)); dweight (+)= Σ_rows
// dy·x̂; dbias (+)= Σ_rows dy. All three optional. dx may be dy (overwrite).
struct LayerNormBackwardArgs {
  ConstMatrix x, weight, stats, dy;
  GradMatrix dx, dweight, dbias;
};

// y = x·r·(weight_offset + weight), r = 1/√(mean x² + eps). weight_offset is 1 for Gemma, else 0.
// stats [rows, 1] = r. An absent weight counts as 1 (offset ignored). y may be x.
struct RmsNormForwardArgs {
  ConstMatrix x, weight;
  Matrix y, stats;
  float eps = 1e-6f;
  float weight_offset = 0;
};
// g = dy·(offset+weight): dx (+)= r·(g − x·r²·mean(g·x)); dweight (+)= Σ_rows dy·x·r.
struct RmsNormBackwardArgs {
  ConstMatrix x, weight, stats, dy;
  GradMatrix dx, dweight;
  float weight_offset = 0;
};

// Batch norm over rows, per column. Training: μ, σ² = mean and biased variance of the column; y =
// (x−μ)/√(σ²+eps)·weight + bias; stats [2, C] = (μ, r); new_running [2, C] = (1−momentum)·running +
// momentum·(μ, σ²·rows/(rows−1)) (unbiased, as PyTorch; rows = 1 uses the biased one). No rows:
// stats are those of μ = σ² = 0 and new_running = running. Inference (stats absent): running =
// (mean, variance) is used. y may be x.
struct BatchNormForwardArgs {
  ConstMatrix x, weight, bias, running;  // weight, bias [1, C]; running [2, C]; all f32
  Matrix y, stats, new_running;          // new_running absent in inference
  float eps = 1e-5f, momentum = 0.1f;
};
// Training backward: dx (+)= r·weight·(dy − mean(dy) − x̂·mean(dy·x̂)), dweight (+)= Σ dy·x̂, dbias
// (+)= Σ dy.
struct BatchNormBackwardArgs {
  ConstMatrix x, weight, stats, dy;
  GradMatrix dx, dweight, dbias;
};

// y[r, j] = exp(s·x[r,j] − max)/Σ over the visible columns, 0 for the others. All columns are
// visible unless causal, when row r sees columns j ≤ causal_offset + r mod causal_period. y may be
// x.
struct SoftmaxForwardArgs {
  ConstMatrix x;
  Matrix y;
  float scale = 1;
  bool causal = false;
  std::int64_t causal_offset = 0, causal_period = 0;
};
// dx (+)= s·y ⊙ (dy − Σ_j dy·y). dx may be dy (overwrite).
struct SoftmaxBackwardArgs {
  ConstMatrix y, dy;
  GradMatrix dx;
  float scale = 1;
};

// Mean over rows with target ≥ 0 of Σ_j t_j·(logsumexp(logits[r]) − logits[r, j]), where t = (1 −
// smoothing)·onehot(target) + smoothing/V; rows with target < 0 are ignored; no counted row gives
// loss 0. loss [1,1] f32; lse [rows, 1]; count [1,1] f32 (counted rows). Workspace:
// cross_entropy_workspace(rows). A target ≥ V is a programmer error (ops check before).
struct CrossEntropyForwardArgs {
  ConstMatrix logits;           // [N, V]
  const std::int32_t* targets;  // [N]
  Matrix loss, lse, count;
  float smoothing = 0;
};
// dlogits (+)= dloss/count·(exp(logits − lse) − t); ignored rows get 0. dlogits may be logits
// itself (overwrite).
struct CrossEntropyBackwardArgs {
  ConstMatrix logits;
  const std::int32_t* targets;
  ConstMatrix lse, count, dloss;
  GradMatrix dlogits;
  float smoothing = 0;
};

// The same for targets [N, V] that are rows of weights: t = (1 − smoothing)·targets[r] +
// smoothing·s/V with s = Σ targets[r]. Rows whose targets are all 0 are ignored. Workspace:
// cross_entropy_workspace(rows).
struct SoftCrossEntropyForwardArgs {
  ConstMatrix logits, targets;
  Matrix loss, lse, count;
  float smoothing = 0;
};
// dlogits (+)= dloss/count·(s·exp(logits − lse) − t); ignored rows get 0. dlogits may be logits
// itself (overwrite).
struct SoftCrossEntropyBackwardArgs {
  ConstMatrix logits, targets, lse, count, dloss;
  GradMatrix dlogits;
  float smoothing = 0;
};

}  // namespace ffn::inline v0::kernels
