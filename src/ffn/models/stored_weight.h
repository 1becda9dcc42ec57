// A weight, or a row of a state, as it stands in a checkpoint file.
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
  State* state = nullptr;          // row `row` of it
  std::int64_t row = 0;

  // Where the values are, after ParameterSet::finalize().
  Tensor tensor() const {
    return parameter != nullptr ? parameter->master : state->tensor.slice_rows(row, 1);
  }
};

// Every parameter in its own shape, then every state's rows.
std::vector<StoredWeight> stored_weights_of(ParameterSet& parameters);

}  // namespace ffn::inline v0
