// The configuration of any model of this library.
#pragma once

#include <string>
#include <string_view>
#include <variant>

#include "ffn/models/decoder.h"
#include "ffn/models/vit.h"

namespace ffn::inline v0 {

using ModelConfig = std::variant<VitConfig, DecoderConfig>;

// What every family has.
const FeedForwardSpec& feed_forward_of(const ModelConfig& config);
FeedForwardSpec& feed_forward_of(ModelConfig& config);
float& drop_path_of(ModelConfig& config);
float drop_path_of(const ModelConfig& config);
std::int64_t layers_of(const ModelConfig& config);
std::int64_t tokens_of(const ModelConfig& config);  // of one sequence
// Where a design stands in the model.
FeedForwardSite feed_forward_site(const ModelConfig& config);

struct ModelCosts {
  std::int64_t parameters = 0, active_parameters = 0;  // of the whole model; active: for one token
  std::int64_t frozen_parameters = 0;                  // of these, that training leaves as they are
  std::int64_t feed_forward_parameters = 0;            // of all its feed-forward layers
  std::int64_t feed_forward_flops_per_token = 0;       // likewise, forward
};
// Builds the model without weights. Errors: those of its constructor.
ModelCosts model_costs(const ModelConfig& config, const DesignRegistry& designs);

// config.json of the model's Hugging Face folder: vit_config_json(), decoder_config_json().
std::string model_config_json(const ModelConfig& config);
// The reverse: the family is told by model_type. Errors: io.
ModelConfig parse_model_config(std::string_view json, std::string_view where);
ModelConfig read_model_config(const std::string& folder);

// Ends of names that files of such a model may hold beside its weights: buffers, and the head where
// it is the embedding's table.
std::vector<std::string_view> harmless_names(const ModelConfig& config);

// Fills the weights from <folder>/model.safetensors or its shards; see read_weights(). Tensors with
// harmless names of the folder's own configuration are skipped.
void read_model_weights(Executor& ex, const std::string& folder,
                        const std::vector<StoredWeight>& stored, ParameterSet& parameters);
// Writes model.safetensors and config.json, each complete or not at all; config.json last. Errors:
// io.
void write_model_folder(const std::string& folder, const ModelConfig& config,
                        const std::vector<StoredWeight>& stored);

}  // namespace ffn::inline v0
