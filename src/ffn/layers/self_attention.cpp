#include "ffn/layers/self_attention.h"

#include <utility>

#include "ffn/base/error.h"
#include "ffn/base/faults.h"
#include "ffn/ops/arithmetic.h"
#include "ffn/ops/cache.h"
#include "ffn/ops/view.h"

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

std::vector<LinearLayer> make_projections(ParameterSet& parameters, const SelfAttentionNames& names,
                                          const SelfAttentionConfig& config) {
  const std::int64_t queries = query_width(config), keys = kv_width(config);
  std::vector<LinearLayer> maps;
  const auto add = [&](const std::string& name, std::int64_t out) {
    maps.emplace_back(parameters, name, LinearLayer::Sizes{out, config.width, config.qkv_bias},
                      config.weight_init);
  };
  if (config.fused) {
    add(names.query, queries + 2 * keys);
    return maps;
  }
  add(names.query, queries);
  add(names.key, keys);
  add(names.value, keys);
  return maps;
}

std::optional<RopeOptions> rope_of(const SelfAttentionConfig& config) {
  std::optional<RopeOptions> rope = config.rope;
  if (!rope || config.rope_scaling.kind == RopeScaling::Kind::none) return rope;
  const std::int64_t R = rope->rotary_width > 0 ? rope->rotary_width : head_width(config);
  rope->frequencies = std::make_shared<const std::vector<double>>(
      rope_frequencies(rope->theta, R, config.rope_scaling));
  return rope;
}

}  // namespace

SelfAttention::SelfAttention(ParameterSet& parameters, const SelfAttentionNames& names,
                             const SelfAttentionConfig& config)
    : options_(config.attention),
      kv_heads_(kv_heads(config.attention)),
      head_width_(head_width(config)),
      rope_(rope_of(config)),
      qk_norm_(config.qk_norm),
      in_(make_projections(parameters, names, config)),
      out_(parameters, names.out, {config.width, query_width(config), config.out_bias},
           config.weight_init) {
  if (qk_norm_ == QkNorm::none) return;
  const bool whole = qk_norm_ == QkNorm::whole;
  query_norm_.emplace(parameters, names.query_norm, whole ? query_width(config) : head_width_,
                      config.norm);
  key_norm_.emplace(parameters, names.key_norm, whole ? kv_width(config) : head_width_,
                    config.norm);
}

Value SelfAttention::normed(Executor& ex, const NormLayer& norm, Value x,
                            std::int64_t heads) const {
  if (qk_norm_ == QkNorm::whole) return norm.forward(ex, std::move(x));
  const Shape rows = x.shape();
  x = reshape(ex, std::move(x), {x.rows() * heads, head_width_});
  return reshape(ex, norm.forward(ex, std::move(x)), rows);
}

Value SelfAttention::placed(Executor& ex, Value x, bool query, const Rows& rows) const {
  const std::optional<NormLayer>& norm = query ? query_norm_ : key_norm_;
  const std::int64_t heads = query ? options_.heads : kv_heads_;
  if (norm) x = normed(ex, *norm, std::move(x), heads);
  if (!rope_) return x;
  RopeOptions options = *rope_;
  options.heads = heads;
  options.first_position = fault(800) ? 0 : rows.position;
  return rope(ex, std::move(x), rows.sequences, options);
}

SelfAttention::Projected SelfAttention::project(Executor& ex, const Value& x,
                                                const Rows& rows) const {
  if (in_.size() == 3) {
    Value query = placed(ex, in_[0].forward(ex, x), true, rows);
    Value key = placed(ex, in_[1].forward(ex, x), false, rows);
    return {std::move(query), std::move(key), in_[2].forward(ex, x)};
  }
  const std::int64_t widths[] = {options_.heads * head_width_, cache_width(), cache_width()};
  Values parts = split_cols(ex, in_[0].forward(ex, x), widths);
  Value query = placed(ex, std::move(parts[0]), true, rows);
  Value key = placed(ex, std::move(parts[1]), false, rows);
  return {std::move(query), std::move(key), std::move(parts[2])};
}

Value SelfAttention::forward(Executor& ex, const Value& x, std::int64_t sequences) const {
  auto [query, key, value] = project(ex, x, {sequences, 0});
  Value mixed =
      attention(ex, std::move(query), std::move(key), std::move(value), sequences, options_);
  return out_.forward(ex, std::move(mixed));
}

Value SelfAttention::forward_packed(Executor& ex, const Value& x, const Tensor& offsets) const {
  check(!rope_, ErrorKind::config, "attention", "packed sequences of x ", x.shape(),
        " have no rotary positions here");
  auto [query, key, value] = project(ex, x, {1, 0});
  Value mixed =
      attention(ex, std::move(query), std::move(key), std::move(value), offsets, options_);
  return out_.forward(ex, std::move(mixed));
}

Value SelfAttention::extend(Executor& ex, const Value& x, AttentionCache& cache,
                            std::int64_t position) const {
  auto [query, key, value] = project(ex, x, {1, position});
  const DType dtype = cache.keys.tensor.dtype();
  Value keys = cache_append(ex, cache.keys, std::move(key), position);
  Value values = cache_append(ex, cache.values, std::move(value), position);
  query = cast(ex, std::move(query), dtype);
  Value mixed = attention(ex, std::move(query), std::move(keys), std::move(values), 1, options_);
  return out_.forward(ex, cast(ex, std::move(mixed), x.dtype()));
}

}  // namespace ffn::inline v0
