// The families of decoders whose configurations and checkpoints this library reads and writes: one
// file each, and a table.
#pragma once

#include <nlohmann/json.hpp>
#include <span>
#include <string_view>

#include "ffn/models/config_reader.h"
#include "ffn/models/decoder.h"
#include "ffn/models/decoder_names.h"

namespace ffn::inline v0 {

struct DecoderFamily {
  std::string_view model_type;    // of config.json
  std::string_view architecture;  // transformers' class of the language model
  const DecoderNames& (*names)();
  // config.json into a configuration. Errors: io naming the key.
  void (*read)(const ConfigReader& in, DecoderConfig& config);
  // The family's own keys; false where it has no word for the feed-forward design. What else it
  // cannot say is found by reading the keys again: see decoder_config_json().
  bool (*write)(const DecoderConfig& config, nlohmann::ordered_json& json);
};

DecoderFamily llama_family();
DecoderFamily mistral_family();
DecoderFamily gemma_family();
DecoderFamily gemma2_family();
DecoderFamily gemma3_family();
DecoderFamily mixtral_family();
DecoderFamily olmoe_family();
DecoderFamily qwen2_moe_family();
DecoderFamily deepseek_family();
DecoderFamily gpt2_family();

// All of these, in the order in which a configuration is offered to them.
std::span<const DecoderFamily> decoder_families();
// By model_type; null when there is none.
const DecoderFamily* find_decoder_family(std::string_view model_type);

}  // namespace ffn::inline v0
