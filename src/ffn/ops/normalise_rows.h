// Rows divided by their sums.
#pragma once

#include "ffn/autograd/executor.h"

namespace ffn::inline v0 {

// y[r, :] = scale·x[r, :]/(Σ_c x[r, c] + eps): weights of chosen experts that sum to `scale`. x of
// any shape → x's shape and dtype.
//   gradient   dx = (scale·dy − Σ_c dy·y)/(Σ_c x + eps), in place over dy
//   saved      x, y
// Errors: dtype; config when eps < 0.
Value normalise_rows(Executor& ex, Value x, float scale = 1, float eps = 1e-20f);

}  // namespace ffn::inline v0
