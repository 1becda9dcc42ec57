// The text model of Gemma 3: norms of 1 + w before and behind both branches and of every head's
// queries and keys, local layers between global ones, and angles of their own for either.
// model_type "gemma3_text". Source: Gemma Team 2025.
#include <cmath>

#include "ffn/base/error.h"
#include "ffn/feedforward/dense.h"
#include "ffn/models/decoder_family.h"
#include "ffn/models/decoder_keys.h"

namespace ffn::inline v0 {
namespace {

using Json = nlohmann::ordered_json;

// Every so manieth layer is global where no list says which.
constexpr std::int64_t kUsualPattern = 6;

std::vector<bool> read_local_layers(const ConfigReader& in, std::int64_t layers) {
  std::vector<bool> local;
  if (!in.has("layer_types")) {
    const char* const key =
        in.has("sliding_window_pattern") ? "sliding_window_pattern" : "_sliding_window_pattern";
    const std::int64_t pattern = in.has(key) ? in.integer(key, 1, 4096) : kUsualPattern;
    for (std::int64_t i = 0; i < layers; ++i) local.push_back((i + 1) % pattern != 0);
    return local;
  }
  const Json& types = in.json()["layer_types"];
  check(types.is_array() && static_cast<std::int64_t>(types.size()) == layers, ErrorKind::io,
        in.where(), "'layer_types' is ", types.dump().substr(0, 40), "; expected a list of ",
        layers);
  for (const Json& type : types) {
    check(type == "sliding_attention" || type == "full_attention", ErrorKind::io, in.where(),
          "'layer_types' holds ", type.dump().substr(0, 40),
          "; expected sliding_attention or full_attention");
    local.push_back(type == "sliding_attention");
  }
  return local;
}

float read_cap(const ConfigReader& in, const char* key) {
  if (!in.has(key)) return 0;
  const double cap = in.number(key);
  check(cap > 0, ErrorKind::io, in.where(), "'", key, "' is ", cap,
        "; expected a positive number or null");
  return static_cast<float>(cap);
}

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
  config.attention_cap = read_cap(in, "attn_logit_softcapping");
  config.logit_cap = read_cap(in, "final_logit_softcapping");
  config.window = in.integer("sliding_window", 1, 1 << 24);
  config.local_layers = read_local_layers(in, config.layers);
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
  if (config.attention_cap > 0) json["attn_logit_softcapping"] = config.attention_cap;
  if (config.logit_cap > 0) json["final_logit_softcapping"] = config.logit_cap;
  json["sliding_window"] = config.window;
  Json types = Json::array();
  for (const bool local : config.local_layers)
    types.push_back(local ? "sliding_attention" : "full_attention");
  json["layer_types"] = types;
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
