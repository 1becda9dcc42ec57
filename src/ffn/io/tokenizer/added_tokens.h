// Tokens that are found in the text itself, before anything else happens to it.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "ffn/io/tokenizer/trie.h"

namespace ffn::inline v0 {

struct AddedToken {
  std::string content;
  std::int32_t id = 0;
  bool single_word = false;  // not where a letter or digit touches it
  bool lstrip = false;       // takes the white space before it along
  bool rstrip = false;       // and after it
  bool normalized = false;   // looked for in the normalised text, in its normalised form
  bool special = false;  // left out by skip_special; text without parse_special never becomes it
};

// A range of a text: a token with its id, or what lies between (-1).
struct TextSection {
  std::size_t begin = 0, end = 0;
  std::int32_t id = -1;
};

class AddedTokens {
 public:
  AddedTokens() = default;
  // `normalize` makes the form in which normalized tokens are looked for; may be empty.
  AddedTokens(std::vector<AddedToken> tokens,
              const std::function<std::string(std::string)>& normalize);

  const std::vector<AddedToken>& tokens() const { return tokens_; }

  // Cuts `text` at the tokens that are (not) normalized: leftmost first, the longest of several.
  // O(bytes · longest token).
  std::vector<TextSection> sections(std::string_view text, bool normalized,
                                    bool parse_special) const;

 private:
  std::vector<AddedToken> tokens_;
  Trie plain_, normalized_;  // of indices into tokens_
};

}  // namespace ffn::inline v0
