// Gemma 2: Gemma with norms behind both branches too, local layers between global ones, and capped
// scores and logits. model_type "gemma2". Source: Gemma Team 2024, Gemma 2.
#include "ffn/base/error.h"
#include "ffn/feedforward/dense.h"
#include "ffn/models/decoder_family.h"
#include "ffn/models/decoder_keys.h"

namespace ffn::inline v0 {
namespace {

void read_gemma2(const ConfigReader& in, DecoderConfig& config) {
  read_decoder_keys(in, true, config);
  require_value(in, "use_bidirectional_attention", false);
  config.attention_bias = in.flag("attention_bias", false);
  config.feed_forward = read_gated(in, "hidden_activation", "intermediate_size");
  config.norm_offset = 1;
  config.scaled_embedding = true;
  config.branch_norms = true;
  config.query_scale_width = in.number("query_pre_attn_scalar");
  check(config.query_scale_width > 0, ErrorKind::io, in.where(), "'query_pre_attn_scalar' is ",
        config.query_scale_width, "; expected a positive number");
  config.attention_cap = read_cap(in, "attn_logit_softcapping");
  config.logit_cap = read_cap(in, "final_logit_softcapping");
  read_local_layers(in, 2, config);
}

bool write_gemma2(const DecoderConfig& config, nlohmann::ordered_json& json) {
  const std::string_view act = gated_activation(config.feed_forward);
  if (act.empty() || config.local_layers.empty() || !config.tied_head) return false;
  write_common_keys(act, json);
  json["hidden_activation"] = json["hidden_act"];
  json["intermediate_size"] = hidden_of(config.feed_forward);
  json["attention_bias"] = config.attention_bias;
  json["query_pre_attn_scalar"] = config.query_scale_width;
  for (const auto& [key, cap] : {std::pair("attn_logit_softcapping", config.attention_cap),
                                 std::pair("final_logit_softcapping", config.logit_cap)}) {
    if (cap > 0) json[key] = cap;
    if (cap == 0) json[key] = nullptr;
  }
  write_local_layers(config, json);
  write_decoder_keys(config, json);
  return true;
}

}  // namespace

DecoderFamily gemma2_family() {
  return {"gemma2", "Gemma2ForCausalLM", gemma3_names, read_gemma2, write_gemma2};
}

}  // namespace ffn::inline v0
