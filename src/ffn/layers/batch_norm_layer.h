// Batch norm with its weight, bias and running statistics, named as in a checkpoint.
#pragma once

#include <string>

#include "ffn/autograd/parameters.h"

namespace ffn::inline v0 {

// y = (x − μ)/√(σ² + eps)·weight + bias per column, eps 1e-5: of the rows in training, of the
// running statistics in eval, which move by 0.1 a step. "<name>.weight" [C] starts at 1,
// "<name>.bias" [C] at 0, both f32 also under bf16 and outside weight decay; the state
// "<name>.running" [2, C] stands in a file as "<name>.running_mean" and "<name>.running_var" and
// starts at 0 and 1. See batch_norm().
class BatchNormLayer {
 public:
  static constexpr float kEps = 1e-5f;
  static constexpr float kMomentum = 0.1f;

  BatchNormLayer(ParameterSet& parameters, const std::string& name, std::int64_t width);

  Value forward(Executor& ex, Value x) const;

 private:
  Parameter* weight_;
  Parameter* bias_;
  State* running_;
};

}  // namespace ffn::inline v0
