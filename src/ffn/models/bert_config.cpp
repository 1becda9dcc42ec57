#include <nlohmann/json.hpp>

#include "ffn/base/error.h"
#include "ffn/feedforward/dense.h"
#include "ffn/io/mapped_file.h"
#include "ffn/models/bert.h"
#include "ffn/models/decoder_family.h"
#include "ffn/models/decoder_keys.h"

namespace ffn::inline v0 {

BertConfig parse_bert_config(std::string_view json, std::string_view where) {
  const ConfigReader in(json, where);
  const std::string type = in.text("model_type");
  check(type == "bert", ErrorKind::io, where, "model_type '", type,
        "' is no encoder of this library; known is bert",
        find_decoder_family(type) != nullptr ? " (a language model answers with ffn run)" : "");
  require_value(in, "position_embedding_type", "absolute");
  require_value(in, "is_decoder", false);
  BertConfig config;
  config.vocabulary = in.integer("vocab_size", 1, 1 << 24);
  config.tokens = in.integer("max_position_embeddings", 1, 1 << 24);
  config.types = in.has("type_vocab_size") ? in.integer("type_vocab_size", 1, 1 << 16) : 2;
  config.width = in.integer("hidden_size", 1, kMostConfig);
  config.layers = in.integer("num_hidden_layers", 1, 4096);
  config.heads = in.integer("num_attention_heads", 1, 4096);
  check(config.width % config.heads == 0, ErrorKind::io, where, "'num_attention_heads' is ",
        config.heads, ", which does not divide 'hidden_size', ", config.width);
  config.norm_eps = static_cast<float>(in.number("layer_norm_eps"));
  check(config.norm_eps > 0, ErrorKind::io, where, "'layer_norm_eps' is ", config.norm_eps,
        "; expected a positive number");
  const std::int64_t hidden = in.integer("intermediate_size", 1, kMostConfig);
  config.feed_forward = standard_designs().parse("mlp(" + std::string(in.activation("hidden_act")) +
                                                 ", hidden=" + std::to_string(hidden) + ")");
  return config;
}

BertConfig read_bert_config(const std::string& folder) {
  const MappedFile file(folder + "/config.json");
  const auto bytes = file.bytes();
  return parse_bert_config({reinterpret_cast<const char*>(bytes.data()), bytes.size()},
                           folder + "/config.json");
}

std::string bert_config_json(const BertConfig& config) {
  const FeedForwardSpec& spec = config.feed_forward;
  const bool plain = spec.design == "mlp" && spec.words.size() == 1 && spec.options.size() == 1;
  check(plain && !transformers_activation(spec.words[0]).empty(), ErrorKind::config, "bert", "'",
        to_string(spec), "' cannot be written: BERT of transformers has mlp(act) alone");
  nlohmann::ordered_json json;
  json["model_type"] = "bert";
  json["architectures"] = {"BertModel"};
  json["vocab_size"] = config.vocabulary;
  json["max_position_embeddings"] = config.tokens;
  json["type_vocab_size"] = config.types;
  json["hidden_size"] = config.width;
  json["num_hidden_layers"] = config.layers;
  json["num_attention_heads"] = config.heads;
  json["intermediate_size"] = hidden_of(spec);
  json["hidden_act"] = transformers_activation(spec.words[0]);
  json["layer_norm_eps"] = config.norm_eps;
  json["hidden_dropout_prob"] = json["attention_probs_dropout_prob"] = 0.0;
  json["position_embedding_type"] = "absolute";
  json["torch_dtype"] = "float32";
  return json.dump(2) + "\n";
}

std::vector<std::string_view> bert_harmless_names() {
  return {"embeddings.position_ids",
          "pooler.dense.weight",
          "pooler.dense.bias",
          "cls.predictions.bias",
          "cls.predictions.decoder.weight",
          "cls.predictions.decoder.bias",
          "cls.predictions.transform.dense.weight",
          "cls.predictions.transform.dense.bias",
          "cls.predictions.transform.LayerNorm.weight",
          "cls.predictions.transform.LayerNorm.bias",
          "cls.seq_relationship.weight",
          "cls.seq_relationship.bias"};
}

}  // namespace ffn::inline v0
