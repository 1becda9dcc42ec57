// Rows moved by an index, and rows scaled one by one. Sums run in a fixed order whatever the
// threads.
#pragma once

#include "ffn/autograd/executor.h"

namespace ffn::inline v0 {

// y[r, :] = x[index[r], :], a zero row where index[r] = −1. x [V, D] (an embedding table, or rows
// to reorder), index i32 of any shape of up to three axes → [index axes…, D] of x's dtype.
//   gradient   dx[index[r], :] += dy[r, :]; rows that no index names get 0
//   saved      index
//   scratch    backward: scatter_add_rows_workspace
// Errors: shape when an index that the host can read is outside [−1, V); dtype.
Value gather_rows(Executor& ex, Value x, const Tensor& index);

// y[index[r], :] += x[r, :] into `rows` rows of zeros, summed in order of r; −1 is skipped. x [...,
// D], index i32 with one entry per row → [rows, D] of x's dtype.
//   gradient   dx[r, :] = dy[index[r], :], 0 where skipped
//   saved      index
//   scratch    forward: scatter_add_rows_workspace
// Errors: shape when counts differ or an index that the host can read is outside [−1, rows); dtype.
Value scatter_add_rows(Executor& ex, Value x, const Tensor& index, std::int64_t rows);

// y[r, :] = w[r]·x[r, :]. x [..., D], w [..., 1] or [rows] with one entry per row → x's shape and
// dtype. w has x's dtype or that of statistics (f32).
//   gradients  dx = w·dy, dw[r] = Σ dy[r, :]·x[r, :]
//   saved      x if dw is wanted, w if dx is wanted; without dw y may lie where x was
// Errors: shape when counts differ; dtype.
Value scale_rows(Executor& ex, Value x, const Value& w);

}  // namespace ffn::inline v0
