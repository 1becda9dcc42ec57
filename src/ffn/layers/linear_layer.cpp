#include "ffn/layers/linear_layer.h"

#include "ffn/ops/linear.h"

namespace ffn::inline v0 {

LinearLayer::LinearLayer(ParameterSet& parameters, const std::string& name, const Sizes& sizes,
                         const Init& weight_init)
    : weight_(&parameters.add(name + ".weight", {sizes.out, sizes.in}, {.init = weight_init})),
      bias_(sizes.bias ? &parameters.add(name + ".bias", {sizes.out}, {.decay = false}) : nullptr) {
}

Value LinearLayer::forward(Executor& ex, Value x) const {
  const Value bias = bias_ == nullptr ? Value() : ex.parameter(*bias_);
  return linear(ex, std::move(x), ex.parameter(*weight_), bias);
}

}  // namespace ffn::inline v0
