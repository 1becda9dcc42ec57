#include "ffn/models/model_config.h"

#include <sys/stat.h>

#include <cerrno>
#include <cstring>

#include "ffn/base/error.h"
#include "ffn/base/nearest.h"
#include "ffn/io/atomic_file.h"
#include "ffn/io/checkpoint.h"
#include "ffn/io/mapped_file.h"
#include "ffn/models/config_reader.h"
#include "ffn/models/decoder_config.h"
#include "ffn/models/decoder_family.h"
#include "ffn/models/vit_config.h"
#include "ffn/models/weight_file.h"

namespace ffn::inline v0 {
namespace {

template <class Model, class Config>
ModelCosts costs_of(const Config& config, const DesignRegistry& designs) {
  ParameterSet parameters;
  const Model model(config, parameters, 0, designs);
  ModelCosts costs;
  for (const Parameter& parameter : parameters.all()) {
    costs.parameters += parameter.shape.count();
    if (parameter.options.frozen) costs.frozen_parameters += parameter.shape.count();
  }
  costs.active_parameters = costs.parameters;
  for (std::int64_t layer = 0; layer < config.layers; ++layer) {
    const FeedForwardCosts part = model.feed_forward(static_cast<std::size_t>(layer)).costs();
    costs.feed_forward_parameters += part.parameters;
    costs.feed_forward_flops_per_token += part.flops_per_token;
    costs.active_parameters -= part.parameters - part.active_parameters;
  }
  return costs;
}

}  // namespace

const FeedForwardSpec& feed_forward_of(const ModelConfig& config) {
  return std::visit([](const auto& c) -> const FeedForwardSpec& { return c.feed_forward; }, config);
}

FeedForwardSpec& feed_forward_of(ModelConfig& config) {
  return std::visit([](auto& c) -> FeedForwardSpec& { return c.feed_forward; }, config);
}

float& drop_path_of(ModelConfig& config) {
  return std::visit([](auto& c) -> float& { return c.drop_path; }, config);
}

float drop_path_of(const ModelConfig& config) {
  return std::visit([](const auto& c) { return c.drop_path; }, config);
}

std::int64_t layers_of(const ModelConfig& config) {
  return std::visit([](const auto& c) { return c.layers; }, config);
}

std::int64_t tokens_of(const ModelConfig& config) {
  if (const auto* vit = std::get_if<VitConfig>(&config)) return vit->tokens();
  return std::get<DecoderConfig>(config).tokens;
}

FeedForwardSite feed_forward_site(const ModelConfig& config) {
  return std::visit([](const auto& c) { return feed_forward_site(c); }, config);
}

ModelCosts model_costs(const ModelConfig& config, const DesignRegistry& designs) {
  if (const auto* vit = std::get_if<VitConfig>(&config))
    return costs_of<VisionTransformer>(*vit, designs);
  return costs_of<Decoder>(std::get<DecoderConfig>(config), designs);
}

std::string model_config_json(const ModelConfig& config) {
  if (const auto* vit = std::get_if<VitConfig>(&config)) return vit_config_json(*vit);
  return decoder_config_json(std::get<DecoderConfig>(config));
}

ModelConfig parse_model_config(std::string_view json, std::string_view where) {
  const ConfigReader in(json, where);
  const std::string type = in.text("model_type");
  const std::string family = type == "feedforward" ? in.text("family") : type;
  if (family == "vit" || family == "deit") return parse_vit_config(json, where);
  if (family == "decoder" || find_decoder_family(family) != nullptr)
    return parse_decoder_config(json, where);
  check(family != "bert", ErrorKind::io, where,
        "is an encoder of texts (bert), which has no logits; expected a decoder, vit or deit (ffn "
        "embed makes vectors of texts)");
  std::vector<std::string_view> known{"vit", "deit"};
  for (const DecoderFamily& each : decoder_families()) known.push_back(each.model_type);
  fail(ErrorKind::io, where, "is of family '", family, "', which this library has not",
       did_you_mean(family, known));
}

ModelConfig read_model_config(const std::string& folder) {
  const MappedFile file(folder + "/config.json");
  const auto bytes = file.bytes();
  return parse_model_config({reinterpret_cast<const char*>(bytes.data()), bytes.size()},
                            folder + "/config.json");
}

void read_model_weights(Executor& ex, const std::string& folder,
                        const std::vector<StoredWeight>& stored, ParameterSet& parameters) {
  const std::vector<std::string_view> harmless = harmless_names(read_model_config(folder));
  read_weights(ex, WeightFile(*open_checkpoint(folder)), stored, harmless);
  parameters.weights_changed(ex);
}

std::vector<std::string_view> harmless_names(const ModelConfig& config) {
  const auto* decoder = std::get_if<DecoderConfig>(&config);
  if (decoder == nullptr) return {};
  const DecoderNames& names = decoder_names(decoder->names);
  std::vector<std::string_view> harmless(names.buffers.begin(), names.buffers.end());
  if (decoder->tied_head) harmless.push_back("lm_head.weight");  // a copy of the embedding
  return harmless;
}

void write_model_folder(const std::string& folder, const ModelConfig& config,
                        const std::vector<StoredWeight>& stored) {
  if (::mkdir(folder.c_str(), 0777) != 0 && errno != EEXIST)
    fail(ErrorKind::io, folder, "cannot make this folder: ", std::strerror(errno));
  write_weights(folder + "/model.safetensors", stored);
  AtomicFile file(folder + "/config.json");
  file.write(model_config_json(config));
  file.commit();
}

}  // namespace ffn::inline v0
