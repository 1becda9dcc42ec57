// LLaMA 1 to 3 and what has its architecture: SmolLM2, TinyLlama, Yi. model_type "llama".
// Sources: Touvron et al. 2023; Grattafiori et al. 2024 (rope_scaling "llama3").
#include "ffn/feedforward/dense.h"
#include "ffn/models/decoder_family.h"
#include "ffn/models/decoder_keys.h"

namespace ffn::inline v0 {
namespace {

void read_llama(const ConfigReader& in, DecoderConfig& config) {
  read_decoder_keys(in, false, config);
  require_value(in, "pretraining_tp", 1);
  config.attention_bias = in.flag("attention_bias", false);
  config.feed_forward_bias = in.flag("mlp_bias", false);
  config.feed_forward = read_gated(in, "hidden_act", "intermediate_size");
}

bool write_llama(const DecoderConfig& config, nlohmann::ordered_json& json) {
  const std::string_view act = gated_activation(config.feed_forward);
  if (act.empty()) return false;
  write_common_keys(act, json);
  json["mlp_bias"] = config.feed_forward_bias;
  json["intermediate_size"] = hidden_of(config.feed_forward);
  json["attention_bias"] = config.attention_bias;
  write_decoder_keys(config, json);
  return true;
}

}  // namespace

const DecoderNames& llama_names() {
  static constexpr std::string_view kBuffers[] = {".rotary_emb.inv_freq"};
  static const DecoderNames kNames{
      .name = "llama",
      .part = [](std::string_view part) { return projection_name(part, "shared_experts"); },
      .buffers = kBuffers};
  return kNames;
}

DecoderFamily llama_family() {
  return {"llama", "LlamaForCausalLM", llama_names, read_llama, write_llama};
}

}  // namespace ffn::inline v0
