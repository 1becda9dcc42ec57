// Keys of config.json that families of decoders share.
#pragma once

#include <nlohmann/json.hpp>
#include <string_view>

#include "ffn/models/config_reader.h"
#include "ffn/models/decoder.h"

namespace ffn::inline v0 {

// vocab_size, max_position_embeddings, hidden_size, num_hidden_layers, num_attention_heads,
// num_key_value_heads, head_dim, rms_norm_eps, rope_theta, tie_word_embeddings (`tied` when
// absent). Keys that may be absent leave what stands in `config`. Errors of all here: io.
void read_decoder_keys(const ConfigReader& in, bool tied, DecoderConfig& config);
void write_decoder_keys(const DecoderConfig& config, nlohmann::ordered_json& json);

// rope_scaling, or rope_theta and type in rope_parameters as later files have them: absent, null,
// "default", "linear" or "llama3"; another type is refused by name.
void read_rope_keys(const ConfigReader& in, DecoderConfig& config);
void write_rope_scaling(const DecoderConfig& config, nlohmann::ordered_json& json);

// sliding_window, and layer_types or, where no list says which layers are local, every `pattern`th
// is global (sliding_window_pattern).
void read_local_layers(const ConfigReader& in, std::int64_t pattern, DecoderConfig& config);
void write_local_layers(const DecoderConfig& config, nlohmann::ordered_json& json);

// A positive number, 0 where the key is absent or null.
float read_cap(const ConfigReader& in, const char* key);

// A key that must be absent, null or `value`: whatever else it says is not supported here.
void require_value(const ConfigReader& in, const char* key, const nlohmann::ordered_json& value);

// glu(act, hidden=H) with the activation under `act_key` and the width under `hidden_key`.
FeedForwardSpec read_gated(const ConfigReader& in, const char* act_key, const char* hidden_key);
// transformers' name for the activation of a glu without options of its own, else empty.
std::string_view gated_activation(const FeedForwardSpec& spec);
// An option of a design's text, `otherwise` when it is not written out.
std::int64_t option_integer(const FeedForwardSpec& spec, std::string_view key,
                            std::int64_t otherwise);
double option_number(const FeedForwardSpec& spec, std::string_view key, double otherwise);
bool option_is(const FeedForwardSpec& spec, std::string_view key, std::string_view value);
// A number as a design's text holds it: 12 digits at most.
std::string spec_number_text(double value);

// Keys that transformers wants of every decoder.
void write_common_keys(std::string_view act, nlohmann::ordered_json& json);

}  // namespace ffn::inline v0
