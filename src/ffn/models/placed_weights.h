// Weights for inference that stay where a checkpoint's file has them.
#pragma once

#include <span>

#include "ffn/models/weight_file.h"

namespace ffn::inline v0 {

struct PlacedBytes {
  std::int64_t mapped = 0;  // read where they lie
  std::int64_t copied = 0;  // charged as parameters
};

// Before finalize(): places every parameter (ParameterSet::place()) so that it takes no memory of
// the arena.
//   matrices  views of the file in its own type: f32, bf16, f16 or blocks, which linear() reads
//   copies    one matrix of experts that lie apart, a matrix that the file holds as [in, out]
//             or that begins at no multiple of its element: in the file's type
//             and the file's pages are given back one tensor after another
//   the rest  norms, biases, routers and f64: f32 (f64 on the reference, where `compute` is f64)
// A layer of f16 or blocks runs as the composition of its products. The file's mapping lives as
// long as the parameters. On a dry device sizes are as they would be, and nothing is read.
// Errors: io as read_weights(); the parameters must be of `stored`.
PlacedBytes place_weights(Executor& ex, const WeightFile& file,
                          std::span<const StoredWeight> stored, ParameterSet& parameters,
                          DType compute, HarmlessNames harmless = {});

// Rows of an embedding's table in `dtype`: gather_rows() where the table has that type, otherwise
// read and converted on the host, a row for every id. ids i32 [N] → [N, D]. Errors: those of
// gather_rows().
Value table_rows(Executor& ex, Parameter& table, const Tensor& ids, DType dtype);

}  // namespace ffn::inline v0
