// A decoder's config.json.
#pragma once

#include <string>
#include <string_view>

#include "ffn/models/decoder.h"

namespace ffn::inline v0 {

// Where transformers has the architecture model_type is "llama" (glu designs, sequential blocks,
// plain norms) or "gemma" (glu(gelu_tanh), norms of 1 + w, scaled embeddings, a tied head, no
// biases), and what is written loads there; otherwise it is "feedforward", so that loading
// elsewhere fails loudly.
std::string decoder_config_json(const DecoderConfig& config);
// The reverse, of the text of a file named `where`. Errors: io when the JSON is damaged, a value is
// missing or out of range, or the architecture is another one (named).
DecoderConfig parse_decoder_config(std::string_view json, std::string_view where);

}  // namespace ffn::inline v0
