// Gemma: LLaMA with norms of 1 + w, embeddings times √D and a tied head. model_type "gemma".
// Source: Gemma Team 2024.
#include "ffn/feedforward/dense.h"
#include "ffn/models/decoder_family.h"
#include "ffn/models/decoder_keys.h"

namespace ffn::inline v0 {
namespace {

void read_gemma(const ConfigReader& in, DecoderConfig& config) {
  read_decoder_keys(in, true, config);
  config.attention_bias = in.flag("attention_bias", false);
  // Early files say "gelu" and mean the tanh form, which was trained.
  config.feed_forward = standard_designs().parse(
      "glu(gelu_tanh, hidden=" + std::to_string(in.integer("intermediate_size", 1, kMostConfig)) +
      ")");
  config.norm_offset = 1;
  config.scaled_embedding = true;
}

bool write_gemma(const DecoderConfig& config, nlohmann::ordered_json& json) {
  const std::string_view act = gated_activation(config.feed_forward);
  if (act.empty() || !config.tied_head) return false;
  write_common_keys(act, json);
  json["hidden_activation"] = json["hidden_act"];
  json["intermediate_size"] = hidden_of(config.feed_forward);
  json["attention_bias"] = config.attention_bias;
  write_decoder_keys(config, json);
  return true;
}

}  // namespace

DecoderFamily gemma_family() {
  return {"gemma", "GemmaForCausalLM", llama_names, read_gemma, write_gemma};
}

}  // namespace ffn::inline v0
