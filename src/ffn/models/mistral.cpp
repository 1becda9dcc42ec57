// Mistral: LLaMA whose layers all see a window of keys. model_type "mistral".
// Source: Jiang et al. 2023.
#include "ffn/feedforward/dense.h"
#include "ffn/models/decoder_family.h"
#include "ffn/models/decoder_keys.h"

namespace ffn::inline v0 {
namespace {

void read_mistral(const ConfigReader& in, DecoderConfig& config) {
  read_decoder_keys(in, false, config);
  require_value(in, "attention_bias", false);
  if (in.has("sliding_window")) config.window = in.integer("sliding_window", 1, 1 << 24);
  config.feed_forward = read_gated(in, "hidden_act", "intermediate_size");
}

// Without a window it is LLaMA, which comes first.
bool write_mistral(const DecoderConfig& config, nlohmann::ordered_json& json) {
  const std::string_view act = gated_activation(config.feed_forward);
  if (act.empty() || config.window == 0) return false;
  write_common_keys(act, json);
  json["intermediate_size"] = hidden_of(config.feed_forward);
  json["sliding_window"] = config.window;
  write_decoder_keys(config, json);
  return true;
}

}  // namespace

DecoderFamily mistral_family() {
  return {"mistral", "MistralForCausalLM", llama_names, read_mistral, write_mistral};
}

}  // namespace ffn::inline v0
