#include <algorithm>

#include "ffn/base/error.h"
#include "ffn/base/nearest.h"
#include "ffn/models/decoder.h"

namespace ffn::inline v0 {
namespace {

struct DecoderPreset {
  std::string_view name;
  std::int64_t width, layers, heads, tokens;
};

// 124m: Radford et al. 2019. The others are ours: trainable on two cores in a minute (pico), some
// minutes (nano), an hour (micro), a night (small).
constexpr DecoderPreset kDecoderPresets[] = {
    {"lm-pico", 64, 2, 2, 128},   {"lm-nano", 128, 4, 4, 256},    {"lm-micro", 256, 6, 4, 256},
    {"lm-small", 384, 8, 6, 512}, {"lm-124m", 768, 12, 12, 1024},
};

}  // namespace

std::vector<std::string_view> decoder_preset_names() {
  std::vector<std::string_view> names;
  for (const DecoderPreset& preset : kDecoderPresets) names.push_back(preset.name);
  return names;
}

DecoderConfig decoder_preset(std::string_view name) {
  const auto found = std::find_if(std::begin(kDecoderPresets), std::end(kDecoderPresets),
                                  [&](const DecoderPreset& preset) { return preset.name == name; });
  check(found != std::end(kDecoderPresets), ErrorKind::config, "model", "unknown model '", name,
        "'", did_you_mean(name, decoder_preset_names()));
  DecoderConfig config;
  config.width = found->width;
  config.layers = found->layers;
  config.heads = found->heads;
  config.tokens = found->tokens;
  return config;
}

}  // namespace ffn::inline v0
