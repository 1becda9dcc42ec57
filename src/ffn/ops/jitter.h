// Multiplicative noise from counter-based random numbers: nothing is stored.
#pragma once

#include "ffn/autograd/executor.h"
#include "ffn/base/philox.h"

namespace ffn::inline v0 {

// Training: y = x ⊙ r, r uniform in [1 − amount, 1 + amount): element i (row·cols + col) takes word
// i of `stream` at ex.step(). Eval, or amount = 0: x itself, no node. dx = dy ⊙ r, from the same
// counter: nothing is saved, and a replay draws the same numbers. Errors: config when amount is
// outside [0, 1); dtype. Fedus et al. 2021 (the router's input).
Value jitter(Executor& ex, Value x, float amount, const RandomStream& stream);

}  // namespace ffn::inline v0
