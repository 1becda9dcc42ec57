#include "ffn/layers/self_attention.h"

#include "ffn/base/error.h"

namespace ffn::inline v0 {
namespace {

std::int64_t kv_width(const SelfAttentionConfig& config) {
  const AttentionOptions& options = config.attention;
  check(options.heads > 0 && config.width % options.heads == 0, ErrorKind::config, "attention",
        "a width of ", config.width, " cannot be split into ", options.heads, " heads");
  const std::int64_t kv_heads = options.kv_heads == 0 ? options.heads : options.kv_heads;
  return config.width / options.heads * kv_heads;
}

}  // namespace

SelfAttention::SelfAttention(ParameterSet& parameters, const SelfAttentionNames& names,
                             const SelfAttentionConfig& config)
    : options_(config.attention),
      query_(parameters, names.query, {config.width, config.width, config.qkv_bias},
             config.weight_init),
      key_(parameters, names.key, {kv_width(config), config.width, config.qkv_bias},
           config.weight_init),
      value_(parameters, names.value, {kv_width(config), config.width, config.qkv_bias},
             config.weight_init),
      out_(parameters, names.out, {config.width, config.width, config.out_bias},
           config.weight_init) {}

Value SelfAttention::forward(Executor& ex, const Value& x, std::int64_t sequences) const {
  Value mixed = attention(ex, query_.forward(ex, x), key_.forward(ex, x), value_.forward(ex, x),
                          sequences, options_);
  return out_.forward(ex, std::move(mixed));
}

}  // namespace ffn::inline v0
