// How byte-level vocabularies of GGUF files cut words, by the file's "pre".
#pragma once

#include <string_view>

#include "ffn/io/tokenizer/normalizer.h"
#include "ffn/io/tokenizer/pre_tokenizer.h"

namespace ffn::inline v0 {

struct GgufWords {
  PreTokenizer pre_tokenizer;
  Normalizer normalizer;  // may be empty
  bool ignore_merges = false;
};

// Errors: Error{io} naming `where` and the names that are known.
GgufWords gguf_words(std::string_view pre, std::string_view where);

}  // namespace ffn::inline v0
