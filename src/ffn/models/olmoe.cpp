// OLMoE: many small experts, and norms of all queries and of all keys. model_type "olmoe".
// Source: Muennighoff et al. 2024.
#include "ffn/base/error.h"
#include "ffn/feedforward/dense.h"
#include "ffn/models/decoder_family.h"
#include "ffn/models/decoder_keys.h"

namespace ffn::inline v0 {
namespace {

void read_olmoe(const ConfigReader& in, DecoderConfig& config) {
  read_decoder_keys(in, false, config);
  check(!in.has("clip_qkv"), ErrorKind::io, in.where(),
        "'clip_qkv' asks for clipped queries, keys and values, which this library has not");
  config.attention_bias = in.flag("attention_bias", false);
  config.qk_norm = QkNorm::whole;
  const std::int64_t experts = in.integer("num_experts", 1, kMaxExperts);
  const std::int64_t top = in.integer("num_experts_per_tok", 1, experts);
  std::string text = "moe(" + std::to_string(experts) + ", " +
                     to_string(read_gated(in, "hidden_act", "intermediate_size")) +
                     ", top=" + std::to_string(top) +
                     ", weights=" + (in.flag("norm_topk_prob", false) ? "chosen" : "all");
  if (in.has("router_aux_loss_coef"))
    text += ", balance=" + spec_number_text(in.number("router_aux_loss_coef"));
  config.feed_forward = standard_designs().parse(text + ")");
}

bool write_olmoe(const DecoderConfig& config, nlohmann::ordered_json& json) {
  const FeedForwardSpec& spec = config.feed_forward;
  const std::string_view act =
      spec.design == "moe" ? gated_activation(spec.nested.at(0)) : std::string_view();
  if (act.empty() || config.width_of_head() * config.heads != config.width) return false;
  write_common_keys(act, json);
  json["intermediate_size"] = hidden_of(spec.nested[0]);
  json["num_experts"] = experts_of(spec);
  json["num_experts_per_tok"] = option_integer(spec, "top", 2);
  json["norm_topk_prob"] = !option_is(spec, "weights", "all");
  json["router_aux_loss_coef"] = option_number(spec, "balance", 0.01);
  json["attention_bias"] = config.attention_bias;
  write_decoder_keys(config, json);
  return true;
}

}  // namespace

const DecoderNames& olmoe_names() {
  static const DecoderNames kNames{
      .name = "olmoe", .part = llama_names().part, .buffers = llama_names().buffers};
  return kNames;
}

DecoderFamily olmoe_family() {
  return {"olmoe", "OlmoeForCausalLM", olmoe_names, read_olmoe, write_olmoe};
}

}  // namespace ffn::inline v0
