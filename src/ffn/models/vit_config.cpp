#include <nlohmann/json.hpp>

#include <algorithm>
#include <utility>

#include "ffn/base/error.h"
#include "ffn/feedforward/dense.h"
#include "ffn/io/mapped_file.h"
#include "ffn/models/vit_folder.h"

namespace ffn::inline v0 {
namespace {

using Json = nlohmann::ordered_json;

// transformers' hidden_act beside the design's argument.
constexpr std::pair<std::string_view, std::string_view> kActivations[] = {
    {"gelu", "gelu"},          {"gelu_pytorch_tanh", "gelu_tanh"},
    {"gelu_new", "gelu_tanh"}, {"quick_gelu", "quick_gelu"},
    {"relu", "relu"},          {"relu2", "relu2"},
    {"silu", "silu"},          {"sigmoid", "sigmoid"},
    {"tanh", "tanh"},
};

// transformers' name for mlp(act), empty when it has none.
std::string_view hidden_act_of(const FeedForwardSpec& spec) {
  if (spec.design != "mlp" || spec.words.size() != 1) return {};
  for (const auto& [theirs, ours] : kActivations)
    if (spec.words[0] == ours) return theirs;
  return {};
}

class Reader {
 public:
  Reader(std::string_view text, std::string_view where) : where_(where) {
    json_ = Json::parse(text, nullptr, false);
    check(json_.is_object(), ErrorKind::io, where_,
          "is no JSON object; expected the config.json "
          "of a Hugging Face folder");
  }

  bool has(const char* key) const { return json_.contains(key) && !json_[key].is_null(); }
  std::int64_t integer(const char* key, std::int64_t least, std::int64_t most) const {
    const std::int64_t value = get<std::int64_t>(key, "an integer");
    check(value >= least && value <= most, ErrorKind::io, where_, "'", key, "' is ", value,
          "; expected ", least, " to ", most);
    return value;
  }
  double number(const char* key) const { return get<double>(key, "a number"); }
  std::string text(const char* key) const { return get<std::string>(key, "a string"); }
  bool flag(const char* key, bool otherwise) const {
    return has(key) ? get<bool>(key, "true or false") : otherwise;
  }
  const Json& json() const { return json_; }
  std::string_view where() const { return where_; }

 private:
  template <class T>
  T get(const char* key, std::string_view expected) const {
    check(has(key), ErrorKind::io, where_, "has no '", key, "'");
    const Json& value = json_[key];
    bool fits = false;
    if constexpr (std::is_same_v<T, bool>) fits = value.is_boolean();
    if constexpr (std::is_same_v<T, std::int64_t>) fits = value.is_number_integer();
    if constexpr (std::is_same_v<T, double>) fits = value.is_number();
    if constexpr (std::is_same_v<T, std::string>) fits = value.is_string();
    check(fits, ErrorKind::io, where_, "'", key, "' is ", value.dump().substr(0, 40), "; expected ",
          expected);
    return value.get<T>();
  }

  std::string where_;
  Json json_;
};

constexpr std::int64_t kMost = 1 << 20;

std::int64_t classes_of(const Reader& in) {
  if (in.has("num_labels")) return in.integer("num_labels", 1, kMost);
  if (!in.has("id2label")) return 2;  // transformers' own default
  const Json& labels = in.json()["id2label"];
  check(labels.is_object() && !labels.empty(), ErrorKind::io, in.where(),
        "'id2label' is no table of labels");
  return static_cast<std::int64_t>(labels.size());
}

FeedForwardSpec transformers_design(const Reader& in) {
  const std::string act = in.text("hidden_act");
  const auto* found = std::find_if(std::begin(kActivations), std::end(kActivations),
                                   [&](const auto& entry) { return entry.first == act; });
  check(found != std::end(kActivations), ErrorKind::io, in.where(), "hidden_act '", act,
        "' is not known here");
  const std::int64_t hidden = in.integer("intermediate_size", 1, kMost);
  return standard_designs().parse("mlp(" + std::string(found->second) +
                                  ", hidden=" + std::to_string(hidden) + ")");
}

void read_own_keys(const Reader& in, VitConfig& config) {
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

void read_transformers_keys(const Reader& in, VitConfig& config) {
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
  const Reader in(json, where);
  VitConfig config;
  if (in.text("model_type") == "feedforward") {
    read_own_keys(in, config);
  } else {
    read_transformers_keys(in, config);
  }
  config.classes = classes_of(in);
  config.width = in.integer("hidden_size", 1, kMost);
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

VitConfig read_vit_config(const std::string& folder) {
  const MappedFile file(folder + "/config.json");
  const auto bytes = file.bytes();
  return parse_vit_config({reinterpret_cast<const char*>(bytes.data()), bytes.size()},
                          folder + "/config.json");
}

}  // namespace ffn::inline v0
