// Mixtral: Mistral with a mixture of experts in every layer. model_type "mixtral".
// Source: Jiang et al. 2024.
#include "ffn/feedforward/dense.h"
#include "ffn/models/decoder_family.h"
#include "ffn/models/decoder_keys.h"

namespace ffn::inline v0 {
namespace {

void read_mixtral(const ConfigReader& in, DecoderConfig& config) {
  config.rope_theta = 1e6;
  read_decoder_keys(in, false, config);
  if (in.has("sliding_window")) config.window = in.integer("sliding_window", 1, 1 << 24);
  const std::int64_t experts = in.integer("num_local_experts", 1, kMaxExperts);
  const std::int64_t top = in.integer("num_experts_per_tok", 1, experts);
  std::string text = "moe(" + std::to_string(experts) + ", " +
                     to_string(read_gated(in, "hidden_act", "intermediate_size")) +
                     ", top=" + std::to_string(top);
  if (in.has("router_aux_loss_coef"))
    text += ", balance=" + spec_number_text(in.number("router_aux_loss_coef"));
  if (in.has("router_jitter_noise") && in.number("router_jitter_noise") > 0)
    text += ", jitter=" + spec_number_text(in.number("router_jitter_noise"));
  config.feed_forward = standard_designs().parse(text + ")");
}

bool write_mixtral(const DecoderConfig& config, nlohmann::ordered_json& json) {
  const FeedForwardSpec& spec = config.feed_forward;
  const std::string_view act =
      spec.design == "moe" ? gated_activation(spec.nested.at(0)) : std::string_view();
  if (act.empty()) return false;
  write_common_keys(act, json);
  json["intermediate_size"] = hidden_of(spec.nested[0]);
  json["num_local_experts"] = experts_of(spec);
  json["num_experts_per_tok"] = option_integer(spec, "top", 2);
  json["router_aux_loss_coef"] = option_number(spec, "balance", 0.01);
  json["router_jitter_noise"] = option_number(spec, "jitter", 0);
  if (config.window > 0) json["sliding_window"] = config.window;
  write_decoder_keys(config, json);
  return true;
}

std::string mixtral_part(std::string_view part) {
  if (part == "router") return "block_sparse_moe.gate";
  const std::size_t dot = part.rfind('.');
  const std::string_view last = part.substr(dot + 1);
  const std::string_view theirs = last == "gate" ? "w1" : last == "up" ? "w3" : "w2";
  if (!part.starts_with("experts.") || (last != "gate" && last != "up" && last != "down"))
    return "block_sparse_moe." + std::string(part);
  return "block_sparse_moe." + std::string(part.substr(0, dot + 1)) + std::string(theirs);
}

}  // namespace

const DecoderNames& mixtral_names() {
  static const DecoderNames kNames{
      .name = "mixtral", .part = mixtral_part, .buffers = llama_names().buffers};
  return kNames;
}

DecoderFamily mixtral_family() {
  return {"mixtral", "MixtralForCausalLM", mixtral_names, read_mixtral, write_mixtral};
}

}  // namespace ffn::inline v0
