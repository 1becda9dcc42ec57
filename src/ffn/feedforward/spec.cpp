#include "ffn/feedforward/spec.h"

#include <array>
#include <charconv>
#include <cmath>
#include <span>

#include "ffn/base/error.h"

namespace ffn::inline v0 {
namespace {

constexpr std::size_t kMaxText = 4096;
constexpr int kMaxDepth = 8;

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_word(char c) { return is_letter(c) || is_digit(c) || c == '-' || c == '.'; }

// "x4" or "x2.67", above 0; 0 when the word is none.
double ratio_of(std::string_view word) {
  if (word.size() < 2 || word[0] != 'x' || !(is_digit(word[1]) || word[1] == '.')) return 0;
  double value = 0;
  const char* end = word.data() + word.size();
  const auto [stop, error] = std::from_chars(word.data() + 1, end, value, std::chars_format::fixed);
  return error == std::errc{} && stop == end && std::isfinite(value) ? value : 0;
}

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  FeedForwardSpec whole() {
    FeedForwardSpec spec = design(0);
    skip_blanks();
    if (at_ != text_.size()) refuse("the end");
    return spec;
  }

 private:
  FeedForwardSpec design(int depth) {
    if (depth >= kMaxDepth) refuse("no deeper nesting");
    FeedForwardSpec spec;
    spec.design = word("a design's name");
    if (!is_letter(spec.design[0])) refuse("a design's name");
    if (take('(')) arguments(spec, depth);
    return spec;
  }

  void arguments(FeedForwardSpec& spec, int depth) {
    if (take(')')) return;
    do {
      argument(spec, depth);
    } while (take(','));
    if (!take(')')) refuse("',' or ')'");
  }

  void argument(FeedForwardSpec& spec, int depth) {
    skip_blanks();
    const std::size_t begin = at_;
    const std::string name = word("an activation, a number, xRATIO, key=value or a design");
    if (take('=')) {
      if (!spec.options.emplace(name, word("a value")).second) refuse("each option once", begin);
    } else if (next_is('(')) {
      at_ = begin;
      spec.nested.push_back(design(depth + 1));
    } else if (const double ratio = ratio_of(name); ratio > 0) {
      if (spec.ratio > 0) refuse("one ratio", begin);
      spec.ratio = ratio;
    } else {
      spec.words.push_back(name);
    }
  }

  std::string word(std::string_view expected) {
    skip_blanks();
    const std::size_t begin = at_;
    while (at_ < text_.size() && is_word(text_[at_])) ++at_;
    if (at_ == begin) refuse(expected);
    return std::string(text_.substr(begin, at_ - begin));
  }

  void skip_blanks() {
    while (at_ < text_.size() && text_[at_] == ' ') ++at_;
  }
  bool next_is(char c) {
    skip_blanks();
    return at_ < text_.size() && text_[at_] == c;
  }
  bool take(char c) {
    if (!next_is(c)) return false;
    ++at_;
    return true;
  }
  [[noreturn]] void refuse(std::string_view expected) { refuse(expected, at_); }
  [[noreturn]] void refuse(std::string_view expected, std::size_t place) {
    fail(ErrorKind::config, "design", "'", text_, "': expected ", expected, " at character ",
         place + 1);
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

void append_argument(std::string& text, std::string_view argument) {
  if (text.back() != '(') text.append(", ");
  text.append(argument);
}

// The shortest digits that read back as the same number, without an exponent.
std::string ratio_text(double ratio) {
  std::array<char, 512> digits{};
  const auto [end, error] =
      std::to_chars(digits.data(), digits.data() + digits.size(), ratio, std::chars_format::fixed);
  return "x" + std::string(digits.data(), end);
}

}  // namespace

FeedForwardSpec parse_spec(std::string_view text) {
  check(text.size() <= kMaxText, ErrorKind::config, "design", "a text of ", text.size(),
        " characters; at most ", kMaxText);
  return Parser(text).whole();
}

std::string to_string(const FeedForwardSpec& spec) {
  std::string text = spec.design;
  text.push_back('(');
  for (const std::string& word : spec.words) append_argument(text, word);
  for (const FeedForwardSpec& inner : spec.nested) {
    append_argument(text, to_string(inner));
    if (text.back() != ')') text.append("()");  // without brackets it would read as a word
  }
  if (spec.ratio > 0) append_argument(text, ratio_text(spec.ratio));
  for (const auto& [key, value] : spec.options) append_argument(text, key + "=" + value);
  if (text.back() == '(') {
    text.pop_back();
  } else {
    text.push_back(')');
  }
  return text;
}

}  // namespace ffn::inline v0
