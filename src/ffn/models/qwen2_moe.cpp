// Qwen2-MoE: routed experts beside a shared one behind a gate, biases of queries, keys and values,
// and dense layers between. model_type "qwen2_moe". Source: Yang et al. 2024.
#include <algorithm>

#include "ffn/base/error.h"
#include "ffn/feedforward/dense.h"
#include "ffn/models/decoder_family.h"
#include "ffn/models/decoder_keys.h"

namespace ffn::inline v0 {
namespace {

using Json = nlohmann::ordered_json;

// The shared layer is S experts wide where that is a whole number, else one of its own width.
std::string shared_options(std::int64_t shared_hidden, std::int64_t hidden) {
  if (shared_hidden % hidden == 0) return ", shared=" + std::to_string(shared_hidden / hidden);
  return ", shared=1, shared_hidden=" + std::to_string(shared_hidden);
}

FeedForwardSpec read_qwen2_experts(const ConfigReader& in) {
  const std::int64_t experts = in.integer("num_experts", 1, kMaxExperts);
  const std::int64_t top = in.integer("num_experts_per_tok", 1, experts);
  const std::int64_t hidden = in.integer("moe_intermediate_size", 1, kMostConfig);
  const std::int64_t shared = in.integer("shared_expert_intermediate_size", 1, kMostConfig);
  // transformers' loss is K at perfect balance, ours 1.
  const double loss = in.has("router_aux_loss_coef") ? in.number("router_aux_loss_coef") : 0.001;
  return standard_designs().parse(
      "deepseek-moe(" + std::to_string(experts) + ", " +
      to_string(read_gated(in, "hidden_act", "moe_intermediate_size")) +
      ", top=" + std::to_string(top) + shared_options(shared, hidden) +
      ", shared_gate=true, normalise=" + (in.flag("norm_topk_prob", false) ? "true" : "false") +
      ", balance_over=batch, balance=" + spec_number_text(loss * static_cast<double>(top)) + ")");
}

void read_qwen2_moe(const ConfigReader& in, DecoderConfig& config) {
  read_decoder_keys(in, false, config);
  require_value(in, "use_sliding_window", false);
  config.qkv_bias = in.flag("qkv_bias", true);
  config.feed_forward = read_qwen2_experts(in);
  const std::int64_t step =
      in.has("decoder_sparse_step") ? in.integer("decoder_sparse_step", 1, 4096) : 1;
  std::vector<std::int64_t> dense;
  if (in.has("mlp_only_layers")) dense = in.integers("mlp_only_layers", 0, config.layers - 1);
  for (std::int64_t layer = 0; layer < config.layers; ++layer)
    if (std::ranges::find(dense, layer) != dense.end() || (layer + 1) % step != 0)
      config.other_feed_forward[layer] = read_gated(in, "hidden_act", "intermediate_size");
}

bool write_qwen2_moe(const DecoderConfig& config, Json& json) {
  const FeedForwardSpec& spec = config.feed_forward;
  const std::string_view act =
      spec.design == "deepseek-moe" ? gated_activation(spec.nested.at(0)) : std::string_view();
  if (act.empty() || config.width_of_head() * config.heads != config.width) return false;
  write_common_keys(act, json);
  const std::int64_t hidden = hidden_of(spec.nested[0]), top = option_integer(spec, "top", 6);
  json["moe_intermediate_size"] = hidden;
  json["shared_expert_intermediate_size"] =
      option_integer(spec, "shared_hidden", option_integer(spec, "shared", 1) * hidden);
  json["num_experts"] = experts_of(spec);
  json["num_experts_per_tok"] = top;
  json["norm_topk_prob"] = option_is(spec, "normalise", "true");
  json["router_aux_loss_coef"] = option_number(spec, "balance", 0.001) / static_cast<double>(top);
  json["qkv_bias"] = config.qkv_bias;
  json["decoder_sparse_step"] = 1;
  json["mlp_only_layers"] = Json::array();
  json["intermediate_size"] = hidden;  // of the dense layers, where there are some
  for (const auto& [layer, other] : config.other_feed_forward) {
    json["mlp_only_layers"].push_back(layer);
    if (!gated_activation(other).empty()) json["intermediate_size"] = hidden_of(other);
  }
  write_decoder_keys(config, json);
  return true;
}

}  // namespace

const DecoderNames& qwen2_moe_names() {
  static const DecoderNames kNames{
      .name = "qwen2_moe",
      .part = [](std::string_view part) { return projection_name(part, "shared_expert"); },
      .buffers = llama_names().buffers};
  return kNames;
}

DecoderFamily qwen2_moe_family() {
  return {"qwen2_moe", "Qwen2MoeForCausalLM", qwen2_moe_names, read_qwen2_moe, write_qwen2_moe};
}

}  // namespace ffn::inline v0
