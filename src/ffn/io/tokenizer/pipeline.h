// A tokenizer put together from its parts, whatever file they came from.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "ffn/io/tokenizer/added_tokens.h"
#include "ffn/io/tokenizer/normalizer.h"
#include "ffn/io/tokenizer/pre_tokenizer.h"
#include "ffn/io/tokenizer/token_decoder.h"
#include "ffn/io/tokenizer/token_model.h"
#include "ffn/io/tokenizer/tokenizer.h"

namespace ffn::inline v0 {

// What add_special puts around a text.
struct Surroundings {
  std::vector<std::int32_t> before, after;
};

struct TokenizerParts {
  std::string name;
  std::unique_ptr<TokenModel> model;
  Normalizer normalizer;       // may be empty
  PreTokenizer pre_tokenizer;  // may be empty: a text is one word
  TokenDecoder decoder;
  std::vector<AddedToken> added;
  bool added_is_normal =
      false;  // contents of normalized tokens are in their normalised form already
  Surroundings around;
  SpecialTokens special;
};

// Errors: Error{io} naming `where` for an id of added, around or special that is below 0 or, for
// the last two, no token. Added tokens may follow the vocabulary's own.
std::unique_ptr<const Tokenizer> assemble(TokenizerParts parts, std::string_view where);

}  // namespace ffn::inline v0
