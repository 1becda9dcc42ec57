#include "ffn/models/vit_config.h"

#include "ffn/base/error.h"
#include "ffn/feedforward/dense.h"
#include "ffn/models/config_reader.h"

namespace ffn::inline v0 {
namespace {

using Json = nlohmann::ordered_json;

// transformers' name for the activation of an mlp that it can represent, empty for other designs.
std::string_view hidden_act_of(const FeedForwardSpec& spec) {
  const bool plain = spec.design == "mlp" && spec.words.size() == 1 && spec.options.size() == 1;
  return plain ? transformers_activation(spec.words[0]) : std::string_view();
}

std::int64_t classes_of(const ConfigReader& in) {
  if (in.has("num_labels")) return in.integer("num_labels", 1, kMostConfig);
  if (!in.has("id2label")) return 2;  // transformers' own default
  const Json& labels = in.json()["id2label"];
  check(labels.is_object() && !labels.empty(), ErrorKind::io, in.where(),
        "'id2label' is no table of labels");
  return static_cast<std::int64_t>(labels.size());
}

FeedForwardSpec transformers_design(const ConfigReader& in) {
  const std::string act(in.activation("hidden_act"));
  const std::int64_t hidden = in.integer("intermediate_size", 1, kMostConfig);
  return standard_designs().parse("mlp(" + act + ", hidden=" + std::to_string(hidden) + ")");
}

void read_own_keys(const ConfigReader& in, VitConfig& config) {
  check(in.integer("schema", 1, 1) == 1 && in.text("family") == "vit", ErrorKind::io, in.where(),
        "is of family '", in.text("family"), "'; expected vit");
  config.feed_forward = standard_designs().parse(in.text("feed_forward"));
  const std::string pool = in.text("pool");
  check(pool == "class_token" || pool == "mean", ErrorKind::io, in.where(), "'pool' is '", pool,
        "'; expected class_token or mean");
  config.pool = pool == "mean" ? Pool::mean : Pool::class_token;
  config.distillation_token = in.flag("distillation_token", false);
  config.teacher_head = in.flag("teacher_head", false);
}

void read_transformers_keys(const ConfigReader& in, VitConfig& config) {
  const std::string type = in.text("model_type");
  check(type == "vit" || type == "deit", ErrorKind::io, in.where(), "model_type '", type,
        "' is not a Vision Transformer; known are vit, deit and feedforward");
  config.feed_forward = transformers_design(in);
  config.distillation_token = type == "deit";
  config.teacher_head = in.has("architectures") && in.json()["architectures"].is_array() &&
                        !in.json()["architectures"].empty() &&
                        in.json()["architectures"][0] == "DeiTForImageClassificationWithTeacher";
}

Json labels(std::int64_t classes) {
  Json table = Json::object();
  for (std::int64_t i = 0; i < classes; ++i)
    table[std::to_string(i)] = "LABEL_" + std::to_string(i);
  return table;
}

Json label_ids(std::int64_t classes) {
  Json table = Json::object();
  for (std::int64_t i = 0; i < classes; ++i) table["LABEL_" + std::to_string(i)] = i;
  return table;
}

void write_transformers_keys(const VitConfig& config, Json& json) {
  json["model_type"] = config.distillation_token ? "deit" : "vit";
  json["architectures"] =
      Json::array({!config.distillation_token ? "ViTForImageClassification"
                   : config.teacher_head      ? "DeiTForImageClassificationWithTeacher"
                                              : "DeiTForImageClassification"});
  json["hidden_act"] = hidden_act_of(config.feed_forward);
  json["intermediate_size"] = hidden_of(config.feed_forward);
  json["hidden_dropout_prob"] = 0.0;
  json["attention_probs_dropout_prob"] = 0.0;
  json["initializer_range"] = 0.02;
  json["encoder_stride"] = config.patch;
  json["id2label"] = labels(config.classes);
  json["label2id"] = label_ids(config.classes);
  json["torch_dtype"] = "float32";
}

void write_own_keys(const VitConfig& config, Json& json) {
  json["model_type"] = "feedforward";
  json["schema"] = 1;
  json["family"] = "vit";
  json["feed_forward"] = to_string(config.feed_forward);
  json["pool"] = config.pool == Pool::mean ? "mean" : "class_token";
  json["distillation_token"] = config.distillation_token;
  json["teacher_head"] = config.teacher_head;
  json["num_labels"] = config.classes;
}

}  // namespace

std::string vit_config_json(const VitConfig& config) {
  Json json;
  const bool elsewhere =
      config.pool == Pool::class_token && !hidden_act_of(config.feed_forward).empty();
  if (elsewhere) {
    write_transformers_keys(config, json);
  } else {
    write_own_keys(config, json);
  }
  json["hidden_size"] = config.width;
  json["num_hidden_layers"] = config.layers;
  json["num_attention_heads"] = config.heads;
  json["image_size"] = config.image_size;
  json["patch_size"] = config.patch;
  json["num_channels"] = config.channels;
  json["qkv_bias"] = config.qkv_bias;
  json["layer_norm_eps"] = config.norm_eps;
  return json.dump(2) + "\n";
}

VitConfig parse_vit_config(std::string_view json, std::string_view where) {
  const ConfigReader in(json, where);
  VitConfig config;
  if (in.text("model_type") == "feedforward") {
    read_own_keys(in, config);
  } else {
    read_transformers_keys(in, config);
  }
  config.classes = classes_of(in);
  config.width = in.integer("hidden_size", 1, kMostConfig);
  config.layers = in.integer("num_hidden_layers", 1, 4096);
  config.heads = in.integer("num_attention_heads", 1, 4096);
  config.image_size = in.integer("image_size", 1, 1 << 15);
  config.patch = in.integer("patch_size", 1, 1 << 15);
  config.channels = in.integer("num_channels", 1, 1 << 10);
  config.qkv_bias = in.flag("qkv_bias", true);
  config.norm_eps = static_cast<float>(in.number("layer_norm_eps"));
  check(config.norm_eps > 0, ErrorKind::io, where, "'layer_norm_eps' is ", config.norm_eps,
        "; expected a positive number");
  return config;
}

}  // namespace ffn::inline v0
