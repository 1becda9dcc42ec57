// The tokenizer and the chat template in the metadata of a GGUF file.
#pragma once

#include <memory>

#include "ffn/io/chat_template.h"
#include "ffn/io/gguf.h"
#include "ffn/io/tokenizer/tokenizer.h"

namespace ffn::inline v0 {

// From tokenizer.ggml.*. Errors: io naming the key, and those of make_gguf_tokenizer().
std::unique_ptr<const Tokenizer> read_gguf_tokenizer(const GgufFile& file);

// From tokenizer.chat_template; raw where there is none.
ChatTemplate read_gguf_chat_template(const GgufFile& file, const Tokenizer& tokenizer);

}  // namespace ffn::inline v0
