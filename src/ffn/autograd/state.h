// State: tensors that a model carries from step to step and that have no gradient (KV cache,
// batch-norm statistics, routing bias). Declared, preallocated at their bound, checkpointed by
// name.
#pragma once

#include <string>

#include "ffn/tensor/tensor.h"

namespace ffn::inline v0 {

// Training updates are remembered here and committed once, when the step ends: a replay of a
// segment reads what the first pass read.
struct State {
  std::string name;
  Tensor tensor;   // Role::state
  Tensor pending;  // undefined: nothing to commit
};

}  // namespace ffn::inline v0
