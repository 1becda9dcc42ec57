// Softmax over the last axis, optionally under a causal mask.
#pragma once

#include "ffn/autograd/executor.h"

namespace ffn::inline v0 {

struct SoftmaxOptions {
  float scale = 1;      // applied to x first, e.g. 1/√(head width)
  bool causal = false;  // row r sees columns j ≤ offset + r mod period; the others become 0
  std::int64_t offset = 0;
  std::int64_t period = 0;  // rows of one sequence; > 0 when causal
};

// y[r, j] = exp(scale·x[r, j])/Σ over the visible columns. Any shape; y has x's shape and dtype and
// may lie where x was.
//   gradient   dx = scale·y ⊙ (dy − Σ_j dy·y), in place over dy
//   saved      y
// Errors: dtype; config when causal without a period, with offset < 0 or rows not a multiple of
// period.
Value softmax(Executor& ex, Value x, const SoftmaxOptions& options = {});

}  // namespace ffn::inline v0
