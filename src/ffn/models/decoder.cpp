#include "ffn/models/decoder.h"

#include <cmath>
#include <utility>

#include "ffn/base/error.h"
#include "ffn/models/decoder_names.h"
#include "ffn/models/placed_weights.h"
#include "ffn/ops/activation.h"
#include "ffn/ops/arithmetic.h"
#include "ffn/ops/linear.h"
#include "ffn/ops/view.h"

namespace ffn::inline v0 {
namespace {

constexpr Init kWeightInit{Init::Kind::truncated_normal, 0, 0.02};

void check_config(const DecoderConfig& c) {
  check(c.width > 0 && c.layers > 0 && c.heads > 0 && c.vocabulary > 0 && c.tokens > 0,
        ErrorKind::config, "decoder", "width ", c.width, ", layers ", c.layers, ", heads ", c.heads,
        ", vocabulary ", c.vocabulary, " and tokens ", c.tokens, " must be positive");
  check(c.head_width > 0 || c.width % c.heads == 0, ErrorKind::config, "decoder", "a width of ",
        c.width, " cannot be split into ", c.heads, " heads");
  check(c.key_value_heads() > 0 && c.heads % c.key_value_heads() == 0, ErrorKind::config, "decoder",
        c.key_value_heads(), " heads of keys do not divide ", c.heads, " heads");
  check(c.local_layers.empty() || std::ssize(c.local_layers) == c.layers, ErrorKind::config,
        "decoder", "a list of ", c.local_layers.size(), " layers says which are local; there are ",
        c.layers);
}

NormConfig norm_config(const DecoderConfig& c) { return {c.norm, c.norm_eps, c.norm_offset}; }

SelfAttentionConfig attention_config(const DecoderConfig& c, std::int64_t layer, bool fused) {
  const bool local = c.is_local(layer);
  const bool own_angles = local && c.local_rope_theta > 0;
  SelfAttentionConfig config;
  config.width = c.width;
  config.head_width = c.width_of_head();
  config.qkv_bias = c.attention_bias || c.qkv_bias;
  config.out_bias = c.attention_bias;
  config.fused = fused;
  config.qk_norm = c.qk_norm;
  config.norm = norm_config(c);
  config.attention = {.heads = c.heads, .kv_heads = c.kv_heads, .causal = true};
  if (c.query_scale_width > 0)
    config.attention.scale = static_cast<float>(1 / std::sqrt(c.query_scale_width));
  config.attention.window = local ? c.window : 0;
  config.attention.logit_cap = c.attention_cap;
  if (!c.learned_positions)
    config.rope =
        RopeOptions{.theta = own_angles ? c.local_rope_theta : c.rope_theta, .style = c.rope_style};
  if (!own_angles) config.rope_scaling = c.rope_scaling;
  config.weight_init = kWeightInit;
  return config;
}

TransformerBlockConfig block_config(const DecoderConfig& c, const DecoderNames& names,
                                    std::int64_t layer, std::uint64_t seed) {
  TransformerBlockConfig block;
  block.form = c.form;
  block.attention = attention_config(c, layer, names.fused_attention);
  block.feed_forward = c.feed_forward_of(layer);
  block.site = feed_forward_site(c);
  block.site.seed = seed;
  const std::string prefix = std::string(names.layers) + std::to_string(layer) + ".";
  block.site.name = [prefix, name = names.part](std::string_view part) {
    return prefix + name(part);
  };
  block.norm = norm_config(c);
  if (c.layers > 1)
    block.drop_path = c.drop_path * static_cast<float>(layer) / static_cast<float>(c.layers - 1);
  for (const int branch : {0, 1})
    block.drop_streams[branch] = RandomStream(
        seed, "drop_path." + std::to_string(layer) + (branch == 0 ? ".attention" : ".mlp"));
  return block;
}

TransformerBlockNames names_of_block(const DecoderConfig& c, const DecoderNames& names,
                                     std::int64_t layer) {
  TransformerBlockNames block =
      decoder_block_names(names, std::string(names.layers) + std::to_string(layer) + ".");
  // Names alone must not make norms.
  if (!c.branch_norms) block.norm_of_attention = block.norm_of_feed_forward = "";
  return block;
}

// Matrices of the layers, which some families' files hold as [in, out].
bool is_map(const StoredWeight& stored, const DecoderNames& names) {
  return stored.rows == 0 && stored.shape.size() == 2 && stored.name.starts_with(names.layers);
}

}  // namespace

FeedForwardSite feed_forward_site(const DecoderConfig& config) {
  return {.width = config.width,
          .grid = {},
          .tokens = config.tokens,
          .causal = true,
          .bias = config.feed_forward_bias,
          .name = [](std::string_view part) { return std::string(part); },
          .weight_init = kWeightInit};
}

Decoder::Decoder(const DecoderConfig& config, ParameterSet& parameters, std::uint64_t seed,
                 const DesignRegistry& designs)
    : config_(config), parameters_(&parameters) {
  check_config(config);
  const DecoderNames& names = decoder_names(config.names);
  config_.feed_forward = designs.with_hidden(config.feed_forward, config.width);
  for (auto& [layer, other] : config_.other_feed_forward)
    other = designs.with_hidden(other, config.width);
  add_embeddings(parameters, names);
  blocks_.reserve(static_cast<std::size_t>(config.layers));
  for (std::int64_t layer = 0; layer < config.layers; ++layer)
    blocks_.emplace_back(parameters, names_of_block(config_, names, layer),
                         block_config(config_, names, layer, seed), designs);
  norm_ = std::make_unique<NormLayer>(parameters, std::string(names.last_norm), config.width,
                                      norm_config(config));
  const std::string head(names.head);
  if (config.tied_head) {
    parameters.tie(head + ".weight", *embedding_);
  } else {
    const LinearLayer::Sizes sizes{config.vocabulary, config.width, false};
    head_ = std::make_unique<LinearLayer>(parameters, head, sizes, kWeightInit);
  }
  collect_stored(parameters, names);
}

void Decoder::add_embeddings(ParameterSet& parameters, const DecoderNames& names) {
  embedding_ = &parameters.add(std::string(names.embedding) + ".weight",
                               {config_.vocabulary, config_.width}, {.init = kWeightInit});
  if (!config_.learned_positions) return;
  const std::string_view name = names.positions.empty() ? "model.positions" : names.positions;
  positions_ = &parameters.add(std::string(name) + ".weight", {config_.tokens, config_.width},
                               {.init = kWeightInit});
}

void Decoder::collect_stored(ParameterSet& parameters, const DecoderNames& names) {
  stored_ = stored_weights_of(parameters);
  for (StoredWeight& stored : stored_) {
    if (names.transposed && is_map(stored, names)) {
      std::swap(stored.shape[0], stored.shape[1]);
      stored.transposed = true;
    }
    if (!names.prefix.empty() && stored.name.starts_with(names.prefix))
      stored.other_name = stored.name.substr(names.prefix.size());
  }
}

Value Decoder::embed(Executor& ex, const Tensor& ids, std::int64_t sequences,
                     std::int64_t position) const {
  Value x = table_rows(ex, *embedding_, ids, parameters_->compute());  // [B·T, D]
  if (config_.scaled_embedding)
    x = scale(ex, std::move(x), std::sqrt(static_cast<float>(config_.width)));
  if (positions_ == nullptr) return x;
  const std::int64_t T = sequences > 0 ? x.rows() / sequences : 0;
  check(position + T <= config_.tokens, ErrorKind::shape, "decoder", "positions ", position, " to ",
        position + T, " of a model that has learned ", config_.tokens);
  // A placed table may be of another type than x.
  Value learned = slice_rows(ex, ex.parameter(*positions_), position, T);
  return add(ex, std::move(x), cast(ex, std::move(learned), x.dtype()));
}

Value Decoder::head(Executor& ex, Value x) const {
  Value logits = head_ != nullptr ? head_->forward(ex, std::move(x))
                                  : linear(ex, std::move(x), ex.parameter(*embedding_));
  if (config_.logit_cap == 0) return logits;
  logits = tanh(ex, scale(ex, std::move(logits), 1 / config_.logit_cap));
  return scale(ex, std::move(logits), config_.logit_cap);
}

Value Decoder::logits(Executor& ex, const Tensor& ids, std::int64_t sequences) const {
  Value x = embed(ex, ids, sequences, 0);
  for (const TransformerBlock& block : blocks_) x = block.forward(ex, std::move(x), sequences);
  return head(ex, norm_->forward(ex, std::move(x)));
}

Value Decoder::extend(Executor& ex, const Tensor& ids, DecoderCache& cache) const {
  const std::int64_t T = ids.shape().count(), position = cache.tokens();
  check(T >= 1 && position + T <= cache.bound(), ErrorKind::shape, "decoder", T, " tokens behind ",
        position, " others; the cache holds at most ", cache.bound());
  Value x = embed(ex, ids, 1, position);
  for (std::size_t layer = 0; layer < blocks_.size(); ++layer) {
    check(!blocks_[layer].feed_forward().mixes_tokens(), ErrorKind::config, "decoder", "'",
          to_string(config_.feed_forward_of(static_cast<std::int64_t>(layer))),
          "' mixes tokens; it cannot go on from a cache");
    x = blocks_[layer].extend(ex, x, cache.layer(layer), position);
  }
  cache.grow(T);
  return x;
}

Value Decoder::last_hidden(Executor& ex, const Tensor& ids, DecoderCache& cache) const {
  Value x = extend(ex, ids, cache);
  const std::int64_t last = x.rows() - 1;
  return norm_->forward(ex, slice_rows(ex, std::move(x), last, 1));
}

Value Decoder::last_logits(Executor& ex, const Tensor& ids, DecoderCache& cache) const {
  return head(ex, last_hidden(ex, ids, cache));
}

Value Decoder::all_logits(Executor& ex, const Tensor& ids, DecoderCache& cache) const {
  return head(ex, norm_->forward(ex, extend(ex, ids, cache)));
}

}  // namespace ffn::inline v0
