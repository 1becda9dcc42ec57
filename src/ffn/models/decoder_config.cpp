#include "ffn/models/decoder_config.h"

#include "ffn/base/error.h"
#include "ffn/feedforward/dense.h"
#include "ffn/models/config_reader.h"

namespace ffn::inline v0 {
namespace {

using Json = nlohmann::ordered_json;

// transformers' name for the activation of a split glu without options of its own, else empty.
std::string_view hidden_act_of(const FeedForwardSpec& spec) {
  const bool plain = spec.design == "glu" && spec.words.size() == 1 && spec.options.size() == 1;
  return plain ? transformers_activation(spec.words[0]) : std::string_view();
}

enum class Elsewhere { none, llama, gemma };

Elsewhere elsewhere(const DecoderConfig& c) {
  const std::string_view act = hidden_act_of(c.feed_forward);
  if (act.empty() || c.form != BlockForm::sequential) return Elsewhere::none;
  if (c.norm_offset == 0 && !c.scaled_embedding) return Elsewhere::llama;
  const bool gemma = c.norm_offset == 1 && c.scaled_embedding && c.tied_head && !c.attention_bias &&
                     !c.feed_forward_bias && act == "gelu_pytorch_tanh";
  return gemma ? Elsewhere::gemma : Elsewhere::none;
}

void write_transformers_keys(const DecoderConfig& c, bool gemma, Json& json) {
  json["model_type"] = gemma ? "gemma" : "llama";
  json["architectures"] = Json::array({gemma ? "GemmaForCausalLM" : "LlamaForCausalLM"});
  json["hidden_act"] = hidden_act_of(c.feed_forward);
  if (gemma) json["hidden_activation"] = json["hidden_act"];
  if (!gemma) json["mlp_bias"] = c.feed_forward_bias;
  json["intermediate_size"] = hidden_of(c.feed_forward);
  json["initializer_range"] = 0.02;
  json["torch_dtype"] = "float32";
  json["bos_token_id"] = 0;  // the separator of documents
  json["eos_token_id"] = 0;
}

void write_own_keys(const DecoderConfig& c, Json& json) {
  json["model_type"] = "feedforward";
  json["schema"] = 1;
  json["family"] = "decoder";
  json["feed_forward"] = to_string(c.feed_forward);
  json["feed_forward_bias"] = c.feed_forward_bias;
  json["block"] = c.form == BlockForm::parallel ? "parallel" : "sequential";
  json["norm_offset"] = c.norm_offset;
  json["scaled_embedding"] = c.scaled_embedding;
}

void read_own_keys(const ConfigReader& in, DecoderConfig& config) {
  check(in.integer("schema", 1, 1) == 1 && in.text("family") == "decoder", ErrorKind::io,
        in.where(), "is of family '", in.text("family"), "'; expected decoder");
  config.feed_forward = standard_designs().parse(in.text("feed_forward"));
  config.feed_forward_bias = in.flag("feed_forward_bias", false);
  const std::string block = in.text("block");
  check(block == "parallel" || block == "sequential", ErrorKind::io, in.where(), "'block' is '",
        block, "'; expected sequential or parallel");
  config.form = block == "parallel" ? BlockForm::parallel : BlockForm::sequential;
  config.norm_offset = static_cast<float>(in.number("norm_offset"));
  config.scaled_embedding = in.flag("scaled_embedding", false);
}

void read_transformers_keys(const ConfigReader& in, DecoderConfig& config) {
  const std::string type = in.text("model_type");
  check(type == "llama" || type == "gemma", ErrorKind::io, in.where(), "model_type '", type,
        "' is no decoder of this library; known are llama, gemma and feedforward");
  check(!in.has("rope_scaling"), ErrorKind::io, in.where(),
        "'rope_scaling' asks for other positions than this library has");
  const bool gemma = type == "gemma";
  // Gemma's early files say "gelu" and mean the tanh form, which was trained.
  const std::string act(gemma ? "gelu_tanh" : in.activation("hidden_act"));
  config.feed_forward = standard_designs().parse(
      "glu(" + act + ", hidden=" + std::to_string(in.integer("intermediate_size", 1, kMostConfig)) +
      ")");
  config.feed_forward_bias = !gemma && in.flag("mlp_bias", false);
  config.norm_offset = gemma ? 1 : 0;
  config.scaled_embedding = gemma;
}

}  // namespace

std::string decoder_config_json(const DecoderConfig& config) {
  Json json;
  const Elsewhere where = elsewhere(config);
  if (where == Elsewhere::none) {
    write_own_keys(config, json);
  } else {
    write_transformers_keys(config, where == Elsewhere::gemma, json);
  }
  json["vocab_size"] = config.vocabulary;
  json["max_position_embeddings"] = config.tokens;
  json["hidden_size"] = config.width;
  json["num_hidden_layers"] = config.layers;
  json["num_attention_heads"] = config.heads;
  json["num_key_value_heads"] = config.key_value_heads();
  json["head_dim"] = config.width_of_head();
  json["attention_bias"] = config.attention_bias;
  json["rms_norm_eps"] = config.norm_eps;
  json["rope_theta"] = config.rope_theta;
  json["tie_word_embeddings"] = config.tied_head;
  return json.dump(2) + "\n";
}

DecoderConfig parse_decoder_config(std::string_view json, std::string_view where) {
  const ConfigReader in(json, where);
  DecoderConfig config;
  if (in.text("model_type") == "feedforward") {
    read_own_keys(in, config);
  } else {
    read_transformers_keys(in, config);
  }
  config.vocabulary = in.integer("vocab_size", 1, 1 << 24);
  config.tokens = in.integer("max_position_embeddings", 1, 1 << 24);
  config.width = in.integer("hidden_size", 1, kMostConfig);
  config.layers = in.integer("num_hidden_layers", 1, 4096);
  config.heads = in.integer("num_attention_heads", 1, 4096);
  if (in.has("num_key_value_heads"))
    config.kv_heads = in.integer("num_key_value_heads", 1, config.heads);
  if (in.has("head_dim")) config.head_width = in.integer("head_dim", 1, kMostConfig);
  config.attention_bias = in.flag("attention_bias", false);
  config.norm_eps = static_cast<float>(in.number("rms_norm_eps"));
  check(config.norm_eps > 0, ErrorKind::io, where, "'rms_norm_eps' is ", config.norm_eps,
        "; expected a positive number");
  if (in.has("rope_theta")) config.rope_theta = in.number("rope_theta");
  config.tied_head = in.flag("tie_word_embeddings", in.text("model_type") == "gemma");
  return config;
}

}  // namespace ffn::inline v0
