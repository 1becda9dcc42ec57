// WordPiece: the longest token that begins a word, then the longest that continues it.
// Schuster and Nakajima 2012; as BERT uses it (arxiv.org/abs/1810.04805).
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "ffn/io/tokenizer/token_model.h"

namespace ffn::inline v0 {

struct WordPieceOptions {
  std::string unknown = "[UNK]";         // for a word that no tokens make up
  std::string continuing_prefix = "##";  // of tokens that do not begin a word
  std::size_t longest_word = 100;        // in characters; a longer one is unknown
};

// A word of n bytes costs O(n · longest token). Errors: Error{io} naming `where` where the unknown
// token is not in the vocabulary.
std::unique_ptr<TokenModel> make_word_piece(Vocabulary vocabulary, WordPieceOptions options,
                                            std::string_view where);

}  // namespace ffn::inline v0
