// A Vision Transformer as a Hugging Face folder: config.json and model.safetensors.
#pragma once

#include <string>

#include "ffn/models/vit.h"

namespace ffn::inline v0 {

// The config.json of `config`. Where transformers has the architecture (mlp designs with one of its
// activations, a class token) model_type is "vit" or "deit", and what is written loads there;
// otherwise it is "feedforward", so that loading elsewhere fails loudly.
std::string vit_config_json(const VitConfig& config);
// The reverse, of the text of a file named `where`. Errors: io when the JSON is damaged, a value is
// missing or out of range, or the architecture is another one (named).
VitConfig parse_vit_config(std::string_view json, std::string_view where);

// Reads <folder>/config.json. Errors: io (also when the folder or file is missing).
VitConfig read_vit_config(const std::string& folder);
// Fills the model's weights from <folder>/model.safetensors (f32, bf16 or f16), to the last one:
// a missing, unused or misshapen tensor is an Error{io} that names it.
void read_vit_weights(Executor& ex, const std::string& folder, const VisionTransformer& model,
                      ParameterSet& parameters);
// Writes both files (f32 masters), each complete or not at all; config.json last.
void write_vit_folder(const std::string& folder, const VisionTransformer& model);

}  // namespace ffn::inline v0
