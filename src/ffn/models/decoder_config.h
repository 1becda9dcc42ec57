// A decoder's config.json.
#pragma once

#include <string>
#include <string_view>

#include "ffn/models/decoder.h"

namespace ffn::inline v0 {

// In the keys of the first family (decoder_family.h) with the configuration's names that can say
// all of it: reading them gives the same configuration, and what is written loads in transformers.
// Otherwise model_type is "feedforward", so that loading elsewhere fails loudly.
std::string decoder_config_json(const DecoderConfig& config);
// The reverse, of the text of a file named `where`. Errors: io when the JSON is damaged, a value is
// missing or out of range, or the architecture is another one (the nearest that is here is named).
DecoderConfig parse_decoder_config(std::string_view json, std::string_view where);

}  // namespace ffn::inline v0
