#include "ffn/models/decoder_keys.h"

#include <cstdio>
#include <cstdlib>

#include "ffn/base/error.h"
#include "ffn/feedforward/dense.h"

namespace ffn::inline v0 {
namespace {

using Json = nlohmann::ordered_json;

RopeScaling read_scaling(const ConfigReader& in) {
  const std::string type = in.has("rope_type") ? in.text("rope_type") : in.text("type");
  RopeScaling scaling;
  if (type == "default") return scaling;
  check(type == "linear" || type == "llama3", ErrorKind::io, in.where(), "'rope_type' is '", type,
        "'; this library has default, linear and llama3");
  scaling.kind = type == "linear" ? RopeScaling::Kind::linear : RopeScaling::Kind::llama3;
  scaling.factor = in.number("factor");
  check(scaling.factor >= 1, ErrorKind::io, in.where(), "'factor' is ", scaling.factor,
        "; expected at least 1");
  if (type == "linear") return scaling;
  scaling.low = in.number("low_freq_factor");
  scaling.high = in.number("high_freq_factor");
  check(scaling.high > scaling.low, ErrorKind::io, in.where(), "'high_freq_factor' is ",
        scaling.high, "; expected more than 'low_freq_factor', which is ", scaling.low);
  scaling.original_tokens = in.integer("original_max_position_embeddings", 1, 1 << 24);
  return scaling;
}

}  // namespace

void read_decoder_keys(const ConfigReader& in, bool tied, DecoderConfig& config) {
  config.vocabulary = in.integer("vocab_size", 1, 1 << 24);
  config.tokens = in.integer("max_position_embeddings", 1, 1 << 24);
  config.width = in.integer("hidden_size", 1, kMostConfig);
  config.layers = in.integer("num_hidden_layers", 1, 4096);
  config.heads = in.integer("num_attention_heads", 1, 4096);
  if (in.has("num_key_value_heads"))
    config.kv_heads = in.integer("num_key_value_heads", 1, config.heads);
  if (in.has("head_dim")) config.head_width = in.integer("head_dim", 1, kMostConfig);
  config.norm_eps = static_cast<float>(in.number("rms_norm_eps"));
  check(config.norm_eps > 0, ErrorKind::io, in.where(), "'rms_norm_eps' is ", config.norm_eps,
        "; expected a positive number");
  config.tied_head = in.flag("tie_word_embeddings", tied);
  require_value(in, "partial_rotary_factor", 1.0);
  read_rope_keys(in, config);
}

void write_decoder_keys(const DecoderConfig& config, Json& json) {
  json["vocab_size"] = config.vocabulary;
  json["max_position_embeddings"] = config.tokens;
  json["hidden_size"] = config.width;
  json["num_hidden_layers"] = config.layers;
  json["num_attention_heads"] = config.heads;
  json["num_key_value_heads"] = config.key_value_heads();
  json["head_dim"] = config.width_of_head();
  json["rms_norm_eps"] = config.norm_eps;
  json["rope_theta"] = config.rope_theta;
  write_rope_scaling(config, json);
  json["tie_word_embeddings"] = config.tied_head;
}

void read_rope_keys(const ConfigReader& in, DecoderConfig& config) {
  if (in.has("rope_theta")) config.rope_theta = in.number("rope_theta");
  if (in.has("rope_scaling")) config.rope_scaling = read_scaling(in.section("rope_scaling"));
  if (in.has("rope_parameters")) {
    const ConfigReader rope = in.section("rope_parameters");
    if (rope.has("rope_theta")) config.rope_theta = rope.number("rope_theta");
    config.rope_scaling = read_scaling(rope);
  }
  check(config.rope_theta > 0, ErrorKind::io, in.where(), "'rope_theta' is ", config.rope_theta,
        "; expected a positive number");
}

void write_rope_scaling(const DecoderConfig& config, Json& json) {
  const RopeScaling& scaling = config.rope_scaling;
  if (scaling.kind == RopeScaling::Kind::none) return;
  Json& out = json["rope_scaling"];
  out["rope_type"] = scaling.kind == RopeScaling::Kind::linear ? "linear" : "llama3";
  out["factor"] = scaling.factor;
  if (scaling.kind == RopeScaling::Kind::linear) return;
  out["low_freq_factor"] = scaling.low;
  out["high_freq_factor"] = scaling.high;
  out["original_max_position_embeddings"] = scaling.original_tokens;
}

void read_local_layers(const ConfigReader& in, std::int64_t pattern, DecoderConfig& config) {
  config.window = in.integer("sliding_window", 1, 1 << 24);
  if (!in.has("layer_types")) {
    for (const char* key : {"sliding_window_pattern", "_sliding_window_pattern"})
      if (in.has(key)) pattern = in.integer(key, 1, 4096);
    for (std::int64_t layer = 1; layer <= config.layers; ++layer)
      config.local_layers.push_back(layer % pattern != 0);
    return;
  }
  const Json& types = in.json()["layer_types"];
  check(types.is_array() && std::ssize(types) == config.layers, ErrorKind::io, in.where(),
        "'layer_types' is ", types.dump().substr(0, 40), "; expected a list of ", config.layers);
  for (const Json& type : types) {
    check(type == "sliding_attention" || type == "full_attention", ErrorKind::io, in.where(),
          "'layer_types' holds ", type.dump().substr(0, 40),
          "; expected sliding_attention or full_attention");
    config.local_layers.push_back(type == "sliding_attention");
  }
}

void write_local_layers(const DecoderConfig& config, Json& json) {
  json["sliding_window"] = config.window;
  json["layer_types"] = Json::array();
  for (const bool local : config.local_layers)
    json["layer_types"].push_back(local ? "sliding_attention" : "full_attention");
}

float read_cap(const ConfigReader& in, const char* key) {
  if (!in.has(key)) return 0;
  const double cap = in.number(key);
  check(cap > 0, ErrorKind::io, in.where(), "'", key, "' is ", cap,
        "; expected a positive number or null");
  return static_cast<float>(cap);
}

void require_value(const ConfigReader& in, const char* key, const Json& value) {
  check(!in.has(key) || in.json()[key] == value, ErrorKind::io, in.where(), "'", key, "' is ",
        in.has(key) ? in.json()[key].dump().substr(0, 40) : "", "; this library has ", value.dump(),
        " alone");
}

FeedForwardSpec read_gated(const ConfigReader& in, const char* act_key, const char* hidden_key) {
  const std::string act(in.activation(act_key));
  const std::int64_t hidden = in.integer(hidden_key, 1, kMostConfig);
  return standard_designs().parse("glu(" + act + ", hidden=" + std::to_string(hidden) + ")");
}

std::string_view gated_activation(const FeedForwardSpec& spec) {
  const bool plain = spec.design == "glu" && spec.words.size() == 1 && spec.options.size() == 1;
  return plain ? transformers_activation(spec.words[0]) : std::string_view();
}

std::int64_t option_integer(const FeedForwardSpec& spec, std::string_view key,
                            std::int64_t otherwise) {
  const auto found = spec.options.find(std::string(key));
  return found == spec.options.end() ? otherwise : std::atoll(found->second.c_str());
}

double option_number(const FeedForwardSpec& spec, std::string_view key, double otherwise) {
  const auto found = spec.options.find(std::string(key));
  return found == spec.options.end() ? otherwise : std::strtod(found->second.c_str(), nullptr);
}

bool option_is(const FeedForwardSpec& spec, std::string_view key, std::string_view value) {
  const auto found = spec.options.find(std::string(key));
  return found != spec.options.end() && found->second == value;
}

std::string spec_number_text(double value) {
  char text[40];
  std::snprintf(text, sizeof text, "%.12g", value);
  return text;
}

void write_common_keys(std::string_view act, Json& json) {
  json["hidden_act"] = act;
  json["initializer_range"] = 0.02;
  json["torch_dtype"] = "float32";
  json["bos_token_id"] = 0;  // the separator of documents
  json["eos_token_id"] = 0;
}

}  // namespace ffn::inline v0
