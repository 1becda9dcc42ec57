// The text model of Gemma 3: norms of 1 + w before and behind both branches and of every head's
// queries and keys, local layers between global ones, and angles of their own for either.
// model_type "gemma3_text". Source: Gemma Team 2025.
#include "ffn/base/error.h"
#include "ffn/feedforward/dense.h"
#include "ffn/models/decoder_family.h"
#include "ffn/models/decoder_keys.h"

namespace ffn::inline v0 {
namespace {

using Json = nlohmann::ordered_json;

void read_gemma3(const ConfigReader& in, DecoderConfig& config) {
  config.rope_theta = 1e6;
  read_decoder_keys(in, true, config);
  require_value(in, "use_bidirectional_attention", false);
  config.attention_bias = in.flag("attention_bias", false);
  config.feed_forward = read_gated(in, "hidden_activation", "intermediate_size");
  config.norm_offset = 1;
  config.scaled_embedding = true;
  config.branch_norms = true;
  config.qk_norm = QkNorm::head;
  config.query_scale_width = in.number("query_pre_attn_scalar");
  check(config.query_scale_width > 0, ErrorKind::io, in.where(), "'query_pre_attn_scalar' is ",
        config.query_scale_width, "; expected a positive number");
  // transformers reads this key and caps nothing; published models do not set it.
  require_value(in, "attn_logit_softcapping", nullptr);
  config.logit_cap = read_cap(in, "final_logit_softcapping");
  read_local_layers(in, 6, config);
  config.local_rope_theta =
      in.has("rope_local_base_freq") ? in.number("rope_local_base_freq") : 1e4;
  check(config.local_rope_theta > 0, ErrorKind::io, in.where(), "'rope_local_base_freq' is ",
        config.local_rope_theta, "; expected a positive number");
}

bool write_gemma3(const DecoderConfig& config, Json& json) {
  const std::string_view act = gated_activation(config.feed_forward);
  if (act.empty() || config.local_layers.empty()) return false;
  write_common_keys(act, json);
  json["hidden_activation"] = json["hidden_act"];
  json["intermediate_size"] = hidden_of(config.feed_forward);
  json["attention_bias"] = config.attention_bias;
  json["query_pre_attn_scalar"] = config.query_scale_width;
  if (config.logit_cap > 0) json["final_logit_softcapping"] = config.logit_cap;
  write_local_layers(config, json);
  json["rope_local_base_freq"] = config.local_rope_theta;
  write_decoder_keys(config, json);
  return true;
}

}  // namespace

const DecoderNames& gemma3_names() {
  static constexpr std::string_view kBuffers[] = {".rotary_emb.inv_freq",
                                                  ".rotary_emb_local.inv_freq"};
  static const DecoderNames kNames{.name = "gemma3",
                                   .norm_after = "pre_feedforward_layernorm",
                                   .norm_of_attention = "post_attention_layernorm",
                                   .norm_of_feed_forward = "post_feedforward_layernorm",
                                   .part = llama_names().part,
                                   .buffers = kBuffers};
  return kNames;
}

DecoderFamily gemma3_family() {
  return {"gemma3_text", "Gemma3ForCausalLM", gemma3_names, read_gemma3, write_gemma3};
}

}  // namespace ffn::inline v0
