// The chat template of a Hugging Face folder.
#pragma once

#include <string>

#include "ffn/io/chat_template.h"
#include "ffn/io/tokenizer/tokenizer.h"

namespace ffn::inline v0 {

// From chat_template.jinja, or chat_template of tokenizer_config.json; raw where there is neither.
// Errors: io.
ChatTemplate read_chat_template_folder(const std::string& folder, const Tokenizer& tokenizer);

// The first token of a text as text; empty where the tokenizer has none.
std::string bos_text(const Tokenizer& tokenizer);

}  // namespace ffn::inline v0
