// Stochastic depth: the residual branch of a whole sequence is dropped.
#pragma once

#include "ffn/autograd/executor.h"
#include "ffn/base/philox.h"

namespace ffn::inline v0 {

// Training: the rows of sequence b become x/(1 − p) when word b of `stream` at ex.step() is ≥
// floor(p·2^32), 0 otherwise. x [B·T, D], B = sequences → x's shape and dtype; y may lie where x
// was. Eval, or p = 0: x itself, no node.
//   gradient   dx = dy/(1 − p) or 0 by the same word: no mask is stored, a replay draws the same
//   saved      nothing
// Two calls in one step need two streams. Errors: config when p is outside [0, 1); shape when rows
// are no multiple of sequences; dtype. Huang et al. 2016; the factor 1/(1 − p) in training instead
// of 1 − p in eval, as in later code.
Value drop_path(Executor& ex, Value x, float p, const RandomStream& stream, std::int64_t sequences);

}  // namespace ffn::inline v0
