#include "ffn/models/decoder_config.h"

#include <vector>

#include "ffn/base/error.h"
#include "ffn/base/nearest.h"
#include "ffn/models/decoder_family.h"
#include "ffn/models/decoder_keys.h"

namespace ffn::inline v0 {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view kForms[] = {"sequential", "parallel"};
constexpr std::string_view kQkNorms[] = {"none", "head", "whole"};

// The model alone, each of its numbers in one form.
DecoderConfig canonical(DecoderConfig config) {
  config.kv_heads = config.key_value_heads();
  config.head_width = config.width_of_head();
  config.drop_path = 0;
  return config;
}

template <std::size_t count>
std::size_t one_of(const ConfigReader& in, const char* key,
                   const std::string_view (&choices)[count]) {
  if (!in.has(key)) return 0;
  const std::string text = in.text(key);
  std::string known;
  for (std::size_t i = 0; i < count; ++i) {
    if (choices[i] == text) return i;
    known.append(i == 0 ? "" : ", ").append(choices[i]);
  }
  fail(ErrorKind::io, in.where(), "'", key, "' is '", text, "'; expected one of ", known);
}

float number_or(const ConfigReader& in, const char* key, float otherwise) {
  return in.has(key) ? static_cast<float>(in.number(key)) : otherwise;
}

// ---- this library's own form --------------------------------------------------------------------

void write_own_layers(const DecoderConfig& c, Json& json) {
  for (const auto& [layer, spec] : c.other_feed_forward)
    json["other_feed_forward"][std::to_string(layer)] = to_string(spec);
  if (c.window > 0) json["window"] = c.window;
  for (const bool local : c.local_layers) json["local_layers"].push_back(local ? 1 : 0);
  if (c.rope_style == RopeStyle::interleaved) json["rope_style"] = "interleaved";
  if (c.local_rope_theta > 0) json["local_rope_theta"] = c.local_rope_theta;
}

void write_own_attention(const DecoderConfig& c, Json& json) {
  json["attention_bias"] = c.attention_bias;
  if (c.qkv_bias) json["qkv_bias"] = true;
  if (c.qk_norm != QkNorm::none) json["qk_norm"] = kQkNorms[static_cast<std::size_t>(c.qk_norm)];
  if (c.query_scale_width > 0) json["query_scale_width"] = c.query_scale_width;
  if (c.attention_cap > 0) json["attention_cap"] = c.attention_cap;
  if (c.learned_positions) json["learned_positions"] = true;
}

void write_own_keys(const DecoderConfig& c, Json& json) {
  json["model_type"] = "feedforward";
  json["schema"] = 1;
  json["family"] = "decoder";
  if (c.names != "llama") json["names"] = c.names;
  json["feed_forward"] = to_string(c.feed_forward);
  json["feed_forward_bias"] = c.feed_forward_bias;
  json["block"] = kForms[static_cast<std::size_t>(c.form)];
  if (c.norm == NormKind::layer) json["norm"] = "layer";
  json["norm_offset"] = c.norm_offset;
  if (c.branch_norms) json["branch_norms"] = true;
  json["scaled_embedding"] = c.scaled_embedding;
  if (c.logit_cap > 0) json["logit_cap"] = c.logit_cap;
  write_own_layers(c, json);
  write_own_attention(c, json);
  write_decoder_keys(c, json);
}

void read_own_layers(const ConfigReader& in, DecoderConfig& config) {
  if (in.has("other_feed_forward")) {
    const ConfigReader others = in.section("other_feed_forward");
    for (std::int64_t layer = 0; layer < config.layers; ++layer) {
      const std::string key = std::to_string(layer);
      if (others.has(key.c_str()))
        config.other_feed_forward[layer] = standard_designs().parse(others.text(key.c_str()));
    }
    check(config.other_feed_forward.size() == others.json().size(), ErrorKind::io, in.where(),
          "'other_feed_forward' names a layer that is not there; expected 0 to ",
          config.layers - 1);
  }
  if (in.has("window")) config.window = in.integer("window", 1, 1 << 24);
  if (in.has("local_layers"))
    for (const std::int64_t local : in.integers("local_layers", 0, 1))
      config.local_layers.push_back(local == 1);
  constexpr std::string_view kStyles[] = {"half", "interleaved"};
  config.rope_style =
      one_of(in, "rope_style", kStyles) == 1 ? RopeStyle::interleaved : RopeStyle::half;
  if (in.has("local_rope_theta")) config.local_rope_theta = in.number("local_rope_theta");
}

void read_own_keys(const ConfigReader& in, DecoderConfig& config) {
  check(in.integer("schema", 1, 1) == 1 && in.text("family") == "decoder", ErrorKind::io,
        in.where(), "is of family '", in.text("family"), "'; expected decoder");
  read_decoder_keys(in, false, config);
  if (in.has("names")) config.names = decoder_names(in.text("names")).name;
  config.feed_forward = standard_designs().parse(in.text("feed_forward"));
  config.feed_forward_bias = in.flag("feed_forward_bias", false);
  in.text("block");
  config.form = static_cast<BlockForm>(one_of(in, "block", kForms));
  constexpr std::string_view kNorms[] = {"rms", "layer"};
  config.norm = one_of(in, "norm", kNorms) == 1 ? NormKind::layer : NormKind::rms;
  config.norm_offset = static_cast<float>(in.number("norm_offset"));
  config.branch_norms = in.flag("branch_norms", false);
  config.scaled_embedding = in.flag("scaled_embedding", false);
  config.logit_cap = number_or(in, "logit_cap", 0);
  config.attention_bias = in.flag("attention_bias", false);
  config.qkv_bias = in.flag("qkv_bias", false);
  config.qk_norm = static_cast<QkNorm>(one_of(in, "qk_norm", kQkNorms));
  if (in.has("query_scale_width")) config.query_scale_width = in.number("query_scale_width");
  config.attention_cap = number_or(in, "attention_cap", 0);
  config.learned_positions = in.flag("learned_positions", false);
  read_own_layers(in, config);
}

// ---- a family's ---------------------------------------------------------------------------------

// The configuration in the family's keys; null where reading them does not give it back.
Json in_words_of(const DecoderFamily& family, const DecoderConfig& config) {
  Json json;
  json["model_type"] = family.model_type;
  json["architectures"] = Json::array({family.architecture});
  if (family.names().name != config.names || !family.write(config, json)) return nullptr;
  const DecoderConfig again = parse_decoder_config(json.dump(), "config.json");
  return canonical(again) == canonical(config) ? json : Json(nullptr);
}

}  // namespace

std::string decoder_config_json(const DecoderConfig& config) {
  for (const DecoderFamily& family : decoder_families()) {
    const Json json = in_words_of(family, config);
    if (!json.is_null()) return json.dump(2) + "\n";
  }
  Json json;
  write_own_keys(config, json);
  return json.dump(2) + "\n";
}

DecoderConfig parse_decoder_config(std::string_view json, std::string_view where) {
  const ConfigReader in(json, where);
  DecoderConfig config;
  const std::string type = in.text("model_type");
  if (type == "feedforward") {
    read_own_keys(in, config);
    return config;
  }
  const DecoderFamily* family = find_decoder_family(type);
  if (family == nullptr) {
    std::vector<std::string_view> known;
    for (const DecoderFamily& each : decoder_families()) known.push_back(each.model_type);
    fail(ErrorKind::io, where, "model_type '", type, "' is no decoder of this library",
         did_you_mean(type, known));
  }
  config.names = family->names().name;
  family->read(in, config);
  return config;
}

}  // namespace ffn::inline v0
