#include <algorithm>

#include "ffn/base/error.h"
#include "ffn/base/nearest.h"
#include "ffn/models/vit.h"

namespace ffn::inline v0 {
namespace {

struct Preset {
  std::string_view name;
  std::int64_t width, layers, heads;
  Pool pool;
};

// DeiT sizes: Touvron et al. 2021, table 1. The others are ours: small enough to train on two
// cores, in minutes (nano), a minute (micro), seconds (pico).
constexpr Preset kPresets[] = {
    {"vit-pico", 48, 3, 3, Pool::mean},           {"vit-micro", 64, 4, 4, Pool::mean},
    {"deit-pico", 48, 3, 3, Pool::class_token},   {"vit-nano", 96, 6, 3, Pool::mean},
    {"deit-tiny", 192, 12, 3, Pool::class_token}, {"deit-small", 384, 12, 6, Pool::class_token},
};

}  // namespace

std::vector<std::string_view> vit_preset_names() {
  std::vector<std::string_view> names;
  for (const Preset& preset : kPresets) names.push_back(preset.name);
  return names;
}

VitConfig vit_preset(std::string_view name) {
  const auto found = std::find_if(std::begin(kPresets), std::end(kPresets),
                                  [&](const Preset& preset) { return preset.name == name; });
  check(found != std::end(kPresets), ErrorKind::config, "model", "unknown model '", name, "'",
        did_you_mean(name, vit_preset_names()));
  VitConfig config;
  config.width = found->width;
  config.layers = found->layers;
  config.heads = found->heads;
  config.pool = found->pool;
  return config;
}

}  // namespace ffn::inline v0
