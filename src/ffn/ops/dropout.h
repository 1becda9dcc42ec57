// Dropout from counter-based random numbers: no mask is ever stored.
#pragma once

#include "ffn/autograd/executor.h"
#include "ffn/base/philox.h"

namespace ffn::inline v0 {

// Training: y = mask ⊙ x/(1 − p); element i (row·cols + col) is kept when word i of `stream` at
// ex.step() is ≥ floor(p·2^32). Eval, or p = 0: x itself, no node. dx = mask ⊙ dy/(1 − p), from the
// same counter: nothing is saved, and a replay draws the same mask. Two calls in one step need two
// streams. Errors: config when p is outside [0, 1); dtype. Srivastava et al. 2014.
Value dropout(Executor& ex, Value x, float p, const RandomStream& stream);

}  // namespace ffn::inline v0
