#include "ffn/layers/rms_norm_layer.h"

#include "ffn/ops/norm.h"

namespace ffn::inline v0 {

RmsNormLayer::RmsNormLayer(ParameterSet& parameters, const std::string& name, std::int64_t width,
                           float eps, float weight_offset)
    : weight_(&parameters.add(name + ".weight", {width},
                              {.decay = false,
                               .full_precision = true,
                               .init = {.mean = 1 - static_cast<double>(weight_offset)}})),
      eps_(eps),
      weight_offset_(weight_offset) {}

Value RmsNormLayer::forward(Executor& ex, Value x) const {
  return rms_norm(ex, std::move(x), ex.parameter(*weight_), eps_, weight_offset_);
}

}  // namespace ffn::inline v0
