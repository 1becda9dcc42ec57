// Rows moved by index. No shape depends on data.
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

}  // namespace ffn::inline v0::kernels
