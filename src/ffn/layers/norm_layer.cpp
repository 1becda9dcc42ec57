#include "ffn/layers/norm_layer.h"

#include <utility>

namespace ffn::inline v0 {
namespace {

std::variant<LayerNormLayer, RmsNormLayer> make_norm(ParameterSet& parameters,
                                                     const std::string& name, std::int64_t width,
                                                     const NormConfig& config) {
  if (config.kind == NormKind::layer) return LayerNormLayer(parameters, name, width, config.eps);
  return RmsNormLayer(parameters, name, width, config.eps, config.weight_offset);
}

}  // namespace

NormLayer::NormLayer(ParameterSet& parameters, const std::string& name, std::int64_t width,
                     const NormConfig& config)
    : norm_(make_norm(parameters, name, width, config)) {}

Value NormLayer::forward(Executor& ex, Value x) const {
  return std::visit([&](const auto& norm) { return norm.forward(ex, std::move(x)); }, norm_);
}

}  // namespace ffn::inline v0
