// The norm of a Transformer block: layer norm or RMS norm.
#pragma once

#include <string>
#include <variant>

#include "ffn/layers/layer_norm_layer.h"
#include "ffn/layers/rms_norm_layer.h"

namespace ffn::inline v0 {

enum class NormKind { layer, rms };

struct NormConfig {
  NormKind kind = NormKind::layer;
  float eps = 1e-6f;
  float weight_offset = 0;  // of RMS norm: 1 as in Gemma
};

// "<name>.weight" and, for layer norm, "<name>.bias": see LayerNormLayer, RmsNormLayer.
class NormLayer {
 public:
  NormLayer(ParameterSet& parameters, const std::string& name, std::int64_t width,
            const NormConfig& config);

  Value forward(Executor& ex, Value x) const;

 private:
  std::variant<LayerNormLayer, RmsNormLayer> norm_;
};

}  // namespace ffn::inline v0
