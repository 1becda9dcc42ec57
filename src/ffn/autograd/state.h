// State: tensors that a model carries from step to step and that have no gradient (KV cache,
// batch-norm statistics, routing bias). Declared, preallocated at their bound, checkpointed by
// name.
#pragma once

#include <string>
#include <vector>

#include "ffn/tensor/tensor.h"

namespace ffn::inline v0 {

// Training updates are remembered here and committed once, when the step ends: a replay of a
// segment reads what the first pass read.
struct State {
  std::string name;
  Tensor tensor;   // Role::state
  Tensor pending;  // undefined: nothing to commit

  // Of a model's own states (ParameterSet::add_state): the first value of every row, and the names
  // under which a checkpoint file holds the rows.
  Shape shape = {};
  std::vector<double> first_rows = {};
  std::vector<std::string> row_names = {};
};

}  // namespace ffn::inline v0
