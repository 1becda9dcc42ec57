// The loss of a classifier or language model.
#pragma once

#include "ffn/autograd/executor.h"

namespace ffn::inline v0 {

// loss = mean over rows with target ≥ 0 of Σ_j t_j·(logsumexp(logits[r]) − logits[r, j]), t = (1 −
// smoothing)·onehot(target[r]) + smoothing/V (label smoothing, Szegedy et al. 2016; without it
// logsumexp − logits[r, target]); rows with a negative target are ignored; no counted row gives
// loss 0. logits [..., V], targets i32 with one entry per row → [1, 1] f32 (f64, c128 on the
// reference).
//   gradient   dlogits = dloss/count·(softmax(logits) − t), 0 in ignored rows
//   saved      logits, targets, logsumexp [rows, 1], count [1, 1]
//   scratch    forward: cross_entropy_workspace(rows), and the two above when nothing is recorded
// Errors: shape when targets do not match the rows, or a target that the host can read is ≥ V;
// config when smoothing is outside [0, 1]; dtype.
Value cross_entropy(Executor& ex, Value logits, const Tensor& targets, float smoothing = 0);

// The same for rows of weights (mixup, cutmix; they need not sum to 1): with s = Σ_j targets[r, j],
// t = (1 − smoothing)·targets[r] + smoothing·s/V (PyTorch: smoothing/V, the same where s = 1).
// targets: logits' shape, f32 (f64, c128 on the reference too). A row whose targets are all 0 is
// ignored, where PyTorch counts it.
//   gradient   dlogits = dloss/count·(s·softmax(logits) − t), 0 in ignored rows; none for targets
//   saved, scratch   as above
// Errors: shape when targets differ from logits in shape; config as above; dtype.
Value soft_cross_entropy(Executor& ex, Value logits, const Tensor& targets, float smoothing = 0);

}  // namespace ffn::inline v0
