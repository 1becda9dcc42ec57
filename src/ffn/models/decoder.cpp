#include "ffn/models/decoder.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "ffn/base/error.h"
#include "ffn/base/nearest.h"
#include "ffn/ops/arithmetic.h"
#include "ffn/ops/indexing.h"
#include "ffn/ops/linear.h"

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
}

TransformerBlockNames block_names(const std::string& prefix) {
  const std::string attention = prefix + "self_attn.";
  return {prefix + "input_layernorm",
          prefix + "post_attention_layernorm",
          {attention + "q_proj", attention + "k_proj", attention + "v_proj", attention + "o_proj"}};
}

// The checkpoint's name of a design's part; of an expert's "experts.3.up", of the router OLMoE's,
// of shared experts DeepSeek's.
std::string feed_forward_name(const std::string& prefix, std::string_view part) {
  if (part == "router") return prefix + "mlp.gate";
  if (part == "shared_gate") return prefix + "mlp.shared_expert_gate";
  std::string name(part);
  if (part.starts_with("shared.")) name.replace(0, 6, "shared_experts");
  const std::string_view last = part.substr(part.rfind('.') + 1);
  const bool projection = last == "up" || last == "gate" || last == "down";
  return prefix + "mlp." + name + (projection ? "_proj" : "");
}

NormConfig norm_config(const DecoderConfig& c) {
  return {NormKind::rms, c.norm_eps, c.norm_offset};
}

TransformerBlockConfig block_config(const DecoderConfig& c, const std::string& prefix,
                                    std::int64_t layer, std::uint64_t seed) {
  TransformerBlockConfig block;
  block.form = c.form;
  block.attention = {.width = c.width,
                     .head_width = c.width_of_head(),
                     .qkv_bias = c.attention_bias,
                     .out_bias = c.attention_bias,
                     .attention = {.heads = c.heads, .kv_heads = c.kv_heads, .causal = true},
                     .rope = RopeOptions{.theta = c.rope_theta},
                     .weight_init = kWeightInit};
  block.feed_forward = c.feed_forward;
  block.site = feed_forward_site(c);
  block.site.seed = seed;
  block.site.name = [prefix](std::string_view part) { return feed_forward_name(prefix, part); };
  block.norm = norm_config(c);
  if (c.layers > 1)
    block.drop_path = c.drop_path * static_cast<float>(layer) / static_cast<float>(c.layers - 1);
  for (const int branch : {0, 1})
    block.drop_streams[branch] = RandomStream(
        seed, "drop_path." + std::to_string(layer) + (branch == 0 ? ".attention" : ".mlp"));
  return block;
}

struct Preset {
  std::string_view name;
  std::int64_t width, layers, heads, tokens;
};

// 124m: Radford et al. 2019. The others are ours: trainable on two cores in a minute (pico), some
// minutes (nano), an hour (micro), a night (small).
constexpr Preset kPresets[] = {
    {"lm-pico", 64, 2, 2, 128},   {"lm-nano", 128, 4, 4, 256},    {"lm-micro", 256, 6, 4, 256},
    {"lm-small", 384, 8, 6, 512}, {"lm-124m", 768, 12, 12, 1024},
};

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
    : config_(config) {
  check_config(config);
  config_.feed_forward = designs.with_hidden(config.feed_forward, config.width);
  embedding_ = &parameters.add("model.embed_tokens.weight", {config.vocabulary, config.width},
                               {.init = kWeightInit});
  blocks_.reserve(static_cast<std::size_t>(config.layers));
  for (std::int64_t layer = 0; layer < config.layers; ++layer) {
    const std::string prefix = "model.layers." + std::to_string(layer) + ".";
    blocks_.emplace_back(parameters, block_names(prefix),
                         block_config(config_, prefix, layer, seed), designs);
  }
  norm_ = std::make_unique<NormLayer>(parameters, "model.norm", config.width, norm_config(config));
  if (config.tied_head) {
    parameters.tie("lm_head.weight", *embedding_);
  } else {
    const LinearLayer::Sizes sizes{config.vocabulary, config.width, false};
    head_ = std::make_unique<LinearLayer>(parameters, "lm_head", sizes, kWeightInit);
  }
  stored_ = stored_weights_of(parameters);
}

Value Decoder::logits(Executor& ex, const Tensor& ids, std::int64_t sequences) const {
  Value x = gather_rows(ex, ex.parameter(*embedding_), ids);  // [B·T, D]
  if (config_.scaled_embedding)
    x = scale(ex, std::move(x), std::sqrt(static_cast<float>(config_.width)));
  for (const TransformerBlock& block : blocks_) x = block.forward(ex, std::move(x), sequences);
  x = norm_->forward(ex, std::move(x));
  if (head_ != nullptr) return head_->forward(ex, std::move(x));
  return linear(ex, std::move(x), ex.parameter(*embedding_));
}

std::vector<std::string_view> decoder_preset_names() {
  std::vector<std::string_view> names;
  for (const Preset& preset : kPresets) names.push_back(preset.name);
  return names;
}

DecoderConfig decoder_preset(std::string_view name) {
  const auto found = std::find_if(std::begin(kPresets), std::end(kPresets),
                                  [&](const Preset& preset) { return preset.name == name; });
  check(found != std::end(kPresets), ErrorKind::config, "model", "unknown model '", name, "'",
        did_you_mean(name, decoder_preset_names()));
  DecoderConfig config;
  config.width = found->width;
  config.layers = found->layers;
  config.heads = found->heads;
  config.tokens = found->tokens;
  return config;
}

}  // namespace ffn::inline v0
