// Top-K choice of experts and the index lists that dispatch rows to them.
#pragma once

#include "ffn/autograd/executor.h"

namespace ffn::inline v0 {

// Slot s = n·K + k is token n's k-th choice. Positions p list the slots sorted by (expert, slot).
struct Routing {
  Value weights;   // [N, K] softmax over the chosen logits, in the logits' dtype; differentiable
  Tensor expert;   // i32 [N, K] chosen experts by falling logit, ties to the lower index
  Tensor order;    // i32 [N·K] slot at position p
  Tensor token;    // i32 [N·K] token at position p: order / K
  Tensor offsets;  // i32 [E+1] positions of expert e: [offsets[e], offsets[e+1])
};

// The K largest of every row of logits [N, E]. Dispatch is gather_rows(x, token), then
// grouped_linear with offsets; combine is scale_rows by gather_rows of the weights [N·K, 1] at
// order, then scatter_add_rows to token. No shape depends on data. Shazeer et al. 2017; softmax
// after the choice as in Mixtral (Jiang et al. 2024).
//   gradient   dlogits = softmax backward at the chosen places, 0 elsewhere; indices have none
//   saved      weights, expert
// Errors: shape when logits are no matrix; config when K is outside [1, E]; dtype.
Routing route_top_k(Executor& ex, Value logits, std::int64_t k);

}  // namespace ffn::inline v0
