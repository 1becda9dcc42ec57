// A Vision Transformer's config.json.
#pragma once

#include <string>
#include <string_view>

#include "ffn/models/vit.h"

namespace ffn::inline v0 {

// Where transformers has the architecture (mlp designs with one of its activations, a class token)
// model_type is "vit" or "deit", and what is written loads there; otherwise it is "feedforward", so
// that loading elsewhere fails loudly.
std::string vit_config_json(const VitConfig& config);
// The reverse, of the text of a file named `where`. Errors: io when the JSON is damaged, a value is
// missing or out of range, or the architecture is another one (named).
VitConfig parse_vit_config(std::string_view json, std::string_view where);

}  // namespace ffn::inline v0
