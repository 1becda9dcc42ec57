#include "ffn/models/decoder_cache.h"

#include "ffn/base/error.h"
#include "ffn/models/decoder.h"

namespace ffn::inline v0 {

DecoderCache::DecoderCache(Executor& ex, const DecoderConfig& config, std::int64_t bound,
                           DType dtype)
    : bound_(bound) {
  check(bound >= 1, ErrorKind::config, "cache", "a bound of ", bound,
        " tokens; expected at least 1");
  const std::int64_t width = config.key_value_heads() * config.width_of_head();
  const auto add = [&](State& state, const std::string& name) {
    state.name = name;
    state.shape = {bound, width};
    state.tensor = ex.allocate_persistent({state.shape, dtype, Role::state}, Tag::state);
  };
  for (std::int64_t layer = 0; layer < config.layers; ++layer) {
    AttentionCache& cache = layers_.emplace_back();
    add(cache.keys, "cache." + std::to_string(layer) + ".keys");
    add(cache.values, "cache." + std::to_string(layer) + ".values");
  }
}

void DecoderCache::keep(std::int64_t tokens) {
  check(tokens >= 0 && tokens <= tokens_, ErrorKind::config, "cache", "cannot keep ", tokens,
        " tokens; there are ", tokens_);
  tokens_ = tokens;
}

}  // namespace ffn::inline v0
