// Rows moved by index, and the routing that makes such indices. No shape depends on data.
#pragma once

#include "ffn/kernels/args.h"

namespace ffn::inline v0::kernels {

// y[r,:] (+)= x[index[r],:]; index −1 gives a zero row. Out-of-range is a programmer error.
struct GatherRowsArgs {
  ConstMatrix x;
  const std::int32_t* index = nullptr;  // [y.rows]
  Matrix y;
  bool accumulate = false;
};

// y[index[r],:] (+)= x[r,:], summed in order of r; rows of y that no index names are zeroed unless
// accumulating. index −1 is skipped. Deterministic: threads split columns, never rows. Overwriting
// a bf16 y (rows named more than once) sums in f32: workspace = scatter_add_rows_workspace.
struct ScatterAddRowsArgs {
  ConstMatrix x;
  const std::int32_t* index = nullptr;  // [x.rows]
  Matrix y;
  bool accumulate = false;
};

// Top-K routing. Per row of logits [N, E] the K largest are chosen, ties to the lower index, listed
// by falling logit. weights [N, K] = softmax over the chosen logits. Slot s = n·K + k; the slots
// sorted by (expert, slot) give order [N·K] (slot at position p), token [N·K] = order / K, offsets
// [E+1].
struct RouteTopKForwardArgs {
  ConstMatrix logits;
  std::int64_t k = 0;
  Matrix weights;
  std::int32_t *expert = nullptr, *order = nullptr, *token = nullptr, *offsets = nullptr;
};
// dlogits (+)= softmax backward at the chosen places, 0 elsewhere.
struct RouteTopKBackwardArgs {
  ConstMatrix weights, dweights;
  const std::int32_t* expert = nullptr;  // [N, K]
  GradMatrix dlogits;
};

}  // namespace ffn::inline v0::kernels
