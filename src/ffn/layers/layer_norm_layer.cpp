#include "ffn/layers/layer_norm_layer.h"

#include "ffn/ops/norm.h"

namespace ffn::inline v0 {
namespace {

ParameterOptions norm_options(double start) {
  return {.decay = false, .full_precision = true, .init = {.mean = start}};
}

}  // namespace

LayerNormLayer::LayerNormLayer(ParameterSet& parameters, const std::string& name,
                               std::int64_t width, float eps)
    : weight_(&parameters.add(name + ".weight", {width}, norm_options(1))),
      bias_(&parameters.add(name + ".bias", {width}, norm_options(0))),
      eps_(eps) {}

Value LayerNormLayer::forward(Executor& ex, Value x) const {
  return layer_norm(ex, std::move(x), ex.parameter(*weight_), ex.parameter(*bias_), eps_);
}

}  // namespace ffn::inline v0
