// A linear map with its weight and bias, named as in a checkpoint.
#pragma once

#include <string>

#include "ffn/autograd/parameters.h"

namespace ffn::inline v0 {

// y = x·Wᵀ + b, weight "<name>.weight" [out, in], bias "<name>.bias" [out] starting at 0 and
// outside weight decay. Parameters: out·in, plus out with a bias. See linear() for bytes and flops.
class LinearLayer {
 public:
  struct Sizes {
    std::int64_t out = 0, in = 0;
    bool bias = true;
  };
  // Adds the parameters to the set, which owns them and must outlive the layer.
  LinearLayer(ParameterSet& parameters, const std::string& name, const Sizes& sizes,
              const Init& weight_init);

  Value forward(Executor& ex, Value x) const;

 private:
  Parameter* weight_;
  Parameter* bias_;  // null: none
};

}  // namespace ffn::inline v0
