// A weight or some of its rows, or a row of a state, as it stands in a checkpoint file.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "ffn/autograd/parameters.h"

namespace ffn::inline v0 {

// The shape may have more axes than the parameter's ([D, C, p, p] for the convolution that embeds
// patches) over the same elements in the same order.
struct StoredWeight {
  std::string name;
  std::vector<std::int64_t> shape;
  Parameter* parameter = nullptr;  // or
  State* state = nullptr;
  std::int64_t row = 0, rows = 0;  // of it; no rows: all
  bool transposed = false;         // the file holds [in, out]; the shape is the file's
  std::string other_name = {};     // under which some files have it

  // Where the values are, after ParameterSet::finalize().
  Tensor tensor() const {
    const Tensor& whole = parameter != nullptr ? parameter->stored() : state->tensor;
    return rows == 0 ? whole : whole.slice_rows(row, rows);
  }
};

// Every parameter in its own shape, or the blocks that its options name, then every state's rows. A
// block of one row of several, as of biases side by side, is a vector.
std::vector<StoredWeight> stored_weights_of(ParameterSet& parameters);

}  // namespace ffn::inline v0
