// The loss of a classifier or language model.
#pragma once

#include "ffn/autograd/executor.h"

namespace ffn::inline v0 {

// loss = mean over rows with target ≥ 0 of logsumexp(logits[r]) − logits[r, target[r]]; rows with a
// negative target are ignored; no counted row gives loss 0. logits [..., V], targets i32 with one
// entry per row → [1, 1] f32 (f64, c128 on the reference).
//   gradient   dlogits = dloss/count·(softmax(logits) − onehot), 0 in ignored rows
//   saved      logits, targets, logsumexp [rows, 1], count [1, 1]
//   scratch    forward: cross_entropy_workspace(rows), and the two above when nothing is recorded
// Errors: shape when targets do not match the rows, or a target that the host can read is ≥ V;
// dtype.
Value cross_entropy(Executor& ex, Value logits, const Tensor& targets);

}  // namespace ffn::inline v0
