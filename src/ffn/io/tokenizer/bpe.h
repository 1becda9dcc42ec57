// Byte pair encoding: the pair with the lowest rank is merged first, the leftmost of equal ones.
// Sennrich et al. 2016 (arxiv.org/abs/1508.07909).
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "ffn/io/tokenizer/token_model.h"

namespace ffn::inline v0 {

struct BpeOptions {
  std::string unknown;            // the token for what has none; empty: such characters vanish
  std::string continuing_prefix;  // before every symbol but a word's first
  std::string end_suffix;         // behind a word's last symbol
  bool fuse_unknown = false;      // a run of unknown characters is one token
  bool byte_fallback = false;     // unknown characters become <0x..> tokens where all are there
  bool ignore_merges = false;     // a word that is a token is that token
};

using TokenPair = std::pair<std::string_view, std::string_view>;

// `merges` by rank: pairs of tokens whose concatenation is a token, read here and not kept. A word
// of n symbols costs O(n log n). Errors: Error{io} naming `where` for a merge of or to an unknown
// token, and an unknown token that is not in the vocabulary.
std::unique_ptr<TokenModel> make_bpe(Vocabulary vocabulary, std::span<const TokenPair> merges,
                                     BpeOptions options, std::string_view where);

}  // namespace ffn::inline v0
