// RMS norm with its weight, named as in a checkpoint.
#pragma once

#include <string>

#include "ffn/autograd/parameters.h"

namespace ffn::inline v0 {

// y = x/√(mean x² + eps)·(weight_offset + weight) over the last axis; "<name>.weight" [D] starts at
// 1 − weight_offset (1 as in LLaMA; 0 where the offset is 1, as in Gemma), f32 also under bf16 and
// outside weight decay. See rms_norm().
class RmsNormLayer {
 public:
  RmsNormLayer(ParameterSet& parameters, const std::string& name, std::int64_t width, float eps,
               float weight_offset);

  Value forward(Executor& ex, Value x) const;

 private:
  Parameter* weight_;
  float eps_, weight_offset_;
};

}  // namespace ffn::inline v0
