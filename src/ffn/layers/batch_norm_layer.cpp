#include "ffn/layers/batch_norm_layer.h"

#include "ffn/ops/batch_norm.h"

namespace ffn::inline v0 {
namespace {

ParameterOptions norm_options(double start) {
  return {.decay = false, .full_precision = true, .init = {.mean = start}};
}

}  // namespace

BatchNormLayer::BatchNormLayer(ParameterSet& parameters, const std::string& name,
                               std::int64_t width)
    : weight_(&parameters.add(name + ".weight", {width}, norm_options(1))),
      bias_(&parameters.add(name + ".bias", {width}, norm_options(0))),
      running_(&parameters.add_state(name + ".running", width, {0, 1},
                                     {name + ".running_mean", name + ".running_var"})) {}

Value BatchNormLayer::forward(Executor& ex, Value x) const {
  return batch_norm(ex, std::move(x), ex.parameter(*weight_), ex.parameter(*bias_), *running_, kEps,
                    kMomentum);
}

}  // namespace ffn::inline v0
