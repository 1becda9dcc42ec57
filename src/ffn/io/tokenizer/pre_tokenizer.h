// How a text is cut into the words that the model sees: one small function per component of
// tokenizer.json.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "ffn/io/tokenizer/pattern.h"

namespace ffn::inline v0 {

// A part of Pieces::text, or a token that was found in the text.
struct Piece {
  std::size_t begin = 0, end = 0;
  std::int32_t id = -1;  // ≥ 0: already this token
  bool first = false;    // where the whole text begins
};

struct Pieces {
  std::string text;
  std::vector<Piece> list;

  std::string_view at(const Piece& piece) const {
    return std::string_view(text).substr(piece.begin, piece.end - piece.begin);
  }
};

// Cuts pieces without an id further; empty pieces vanish.
using PreTokenizer = std::function<void(Pieces& pieces)>;

// What becomes of the matches of a pattern.
enum class SplitBehavior { removed, isolated, merged_with_previous, merged_with_next, contiguous };
enum class PrependScheme { first, never, always };

struct ByteLevelOptions {
  bool add_prefix_space = true;  // to a piece that does not start with one
  bool use_regex = true;         // GPT-2's pattern
};
PreTokenizer byte_level(const ByteLevelOptions& options);
// invert: what lies between matches counts as the matches.
PreTokenizer split(Pattern pattern, SplitBehavior behavior, bool invert);
PreTokenizer digits(bool individual);
PreTokenizer punctuation(SplitBehavior behavior);
PreTokenizer whitespace();  // \w+|[^\w\s]+
PreTokenizer whitespace_split();
PreTokenizer bert_pre_tokenizer();
PreTokenizer metaspace(std::string replacement, PrependScheme scheme, bool split);
PreTokenizer in_sequence(std::vector<PreTokenizer> pre_tokenizers);

}  // namespace ffn::inline v0
