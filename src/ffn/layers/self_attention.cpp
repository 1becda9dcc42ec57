#include "ffn/layers/self_attention.h"

#include <utility>

#include "ffn/base/error.h"

namespace ffn::inline v0 {
namespace {

std::int64_t head_width(const SelfAttentionConfig& config) {
  if (config.head_width > 0) return config.head_width;
  const std::int64_t heads = config.attention.heads;
  check(heads > 0 && config.width % heads == 0, ErrorKind::config, "attention", "a width of ",
        config.width, " cannot be split into ", heads, " heads");
  return config.width / heads;
}

std::int64_t query_width(const SelfAttentionConfig& config) {
  return head_width(config) * config.attention.heads;
}

std::int64_t kv_heads(const AttentionOptions& options) {
  return options.kv_heads == 0 ? options.heads : options.kv_heads;
}

std::int64_t kv_width(const SelfAttentionConfig& config) {
  return head_width(config) * kv_heads(config.attention);
}

}  // namespace

SelfAttention::SelfAttention(ParameterSet& parameters, const SelfAttentionNames& names,
                             const SelfAttentionConfig& config)
    : options_(config.attention),
      rope_(config.rope),
      query_(parameters, names.query, {query_width(config), config.width, config.qkv_bias},
             config.weight_init),
      key_(parameters, names.key, {kv_width(config), config.width, config.qkv_bias},
           config.weight_init),
      value_(parameters, names.value, {kv_width(config), config.width, config.qkv_bias},
             config.weight_init),
      out_(parameters, names.out, {config.width, query_width(config), config.out_bias},
           config.weight_init) {}

Value SelfAttention::turned(Executor& ex, Value x, std::int64_t sequences,
                            std::int64_t heads) const {
  if (!rope_) return x;
  RopeOptions options = *rope_;
  options.heads = heads;
  return rope(ex, std::move(x), sequences, options);
}

Value SelfAttention::forward(Executor& ex, const Value& x, std::int64_t sequences) const {
  Value query = turned(ex, query_.forward(ex, x), sequences, options_.heads);
  Value key = turned(ex, key_.forward(ex, x), sequences, kv_heads(options_));
  Value mixed =
      attention(ex, std::move(query), std::move(key), value_.forward(ex, x), sequences, options_);
  return out_.forward(ex, std::move(mixed));
}

}  // namespace ffn::inline v0
