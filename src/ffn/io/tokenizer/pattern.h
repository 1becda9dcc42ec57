// Where a text matches: a regular expression of a tokenizer's file, or a literal. Expressions are
// untrusted: they are compiled and run under limits.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace ffn::inline v0 {

struct Match {
  std::size_t begin = 0, end = 0;  // bytes
};

inline constexpr std::size_t kPatternByteLimit = 8192;

class Pattern {
 public:
  // In Oniguruma's own syntax (Ruby's) over UTF-8, as the tokenizers library reads it. Errors:
  // Error{io} naming `where` for an expression that does not compile or is longer than the limit.
  Pattern(std::string_view expression, std::string_view where);
  static Pattern literal(std::string text);

  // All matches in `text` (valid UTF-8), left to right without overlap; an empty match never stands
  // where the last one ended. One search takes back at most 32 steps per byte of text, and 10,000
  // more, so a text costs O(n²) at worst. Errors: Error{io} where that is exceeded.
  void find(std::string_view text, std::vector<Match>& matches) const;

 private:
  Pattern() = default;
  void find_literal(std::string_view text, std::vector<Match>& matches) const;

  struct Program;
  std::shared_ptr<const Program> program_;  // empty for a literal
  std::string text_;                        // of the literal, or the expression
  std::string where_;
};

}  // namespace ffn::inline v0
