// Layer norm with its weight and bias, named as in a checkpoint.
#pragma once

#include <string>

#include "ffn/autograd/parameters.h"

namespace ffn::inline v0 {

// y = (x − μ)/√(σ² + eps)·weight + bias over the last axis; "<name>.weight" [D] starts at 1,
// "<name>.bias" [D] at 0, both f32 also under bf16 and outside weight decay. See layer_norm().
class LayerNormLayer {
 public:
  LayerNormLayer(ParameterSet& parameters, const std::string& name, std::int64_t width, float eps);

  Value forward(Executor& ex, Value x) const;

 private:
  Parameter* weight_;
  Parameter* bias_;
  float eps_;
};

}  // namespace ffn::inline v0
