#include "ffn/io/tokenizer/pattern.h"

#include <oniguruma.h>

#include <algorithm>
#include <mutex>
#include <utility>

#include "ffn/base/error.h"
#include "ffn/io/file_kind.h"

namespace ffn::inline v0 {
namespace {

constexpr std::size_t kStepsPerByte = 32, kStepsAtLeast = 10'000;

const OnigUChar* bytes_of(std::string_view text) {
  return reinterpret_cast<const OnigUChar*>(text.data());
}

void initialise() {
  static std::once_flag once;
  std::call_once(once, [] {
    OnigEncoding encodings[] = {ONIG_ENCODING_UTF8};
    onig_initialize(encodings, 1);
    onig_set_parse_depth_limit(256);
  });
}

std::string message_of(int code, OnigErrorInfo* info) {
  OnigUChar text[ONIG_MAX_ERROR_MESSAGE_LEN] = {};
  onig_error_code_to_str(text, code, info);
  return reinterpret_cast<const char*>(text);
}

// What one call of find() owns.
struct Search {
  OnigRegion* region = onig_region_new();
  OnigMatchParam* limits = onig_new_match_param();
  explicit Search(std::size_t bytes) {
    check(region != nullptr && limits != nullptr, ErrorKind::device, "tokenizer",
          "no memory to match a pattern");
    onig_initialize_match_param(limits);
    const auto steps = static_cast<unsigned long>(kStepsPerByte * bytes + kStepsAtLeast);
    onig_set_retry_limit_in_match_of_match_param(limits, steps);
    onig_set_retry_limit_in_search_of_match_param(limits, steps);
    onig_set_match_stack_limit_size_of_match_param(
        limits, static_cast<unsigned int>(std::min<unsigned long>(steps, 1ul << 26)));
  }
  ~Search() {
    onig_region_free(region, 1);
    onig_free_match_param(limits);
  }
  Search(const Search&) = delete;
  Search& operator=(const Search&) = delete;
};

}  // namespace

struct Pattern::Program {
  regex_t* code = nullptr;
  Program() = default;
  ~Program() { onig_free(code); }
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;
};

Pattern::Pattern(std::string_view expression, std::string_view where)
    : text_(expression), where_(where) {
  check(expression.size() <= kPatternByteLimit, ErrorKind::io, where, "has a pattern of ",
        expression.size(), " bytes, at most ", kPatternByteLimit);
  initialise();
  auto program = std::make_shared<Program>();
  OnigErrorInfo info = {};
  const OnigUChar* begin = bytes_of(text_);
  const int code = onig_new(&program->code, begin, begin + text_.size(), ONIG_OPTION_NONE,
                            ONIG_ENCODING_UTF8, ONIG_SYNTAX_DEFAULT, &info);
  check(code == ONIG_NORMAL, ErrorKind::io, where, "has the pattern ", in_quotes(text_),
        ", which is no regular expression (", in_quotes(message_of(code, &info)), ")");
  program_ = std::move(program);
}

Pattern Pattern::literal(std::string text) {
  if (text.empty()) return Pattern("", "tokenizer");  // matches between all characters
  Pattern pattern;
  pattern.text_ = std::move(text);
  return pattern;
}

void Pattern::find_literal(std::string_view text, std::vector<Match>& matches) const {
  for (std::size_t at = text.find(text_); at != std::string_view::npos;
       at = text.find(text_, at + text_.size()))
    matches.push_back({at, at + text_.size()});
}

void Pattern::find(std::string_view text, std::vector<Match>& matches) const {
  matches.clear();
  if (!program_) return find_literal(text, matches);
  const Search search(text.size());
  const OnigUChar* begin = bytes_of(text);
  const OnigUChar* end = begin + text.size();
  std::size_t at = 0;
  bool matched = false;
  while (at <= text.size()) {
    const int found = onig_search_with_param(program_->code, begin, end, begin + at, end,
                                             search.region, ONIG_OPTION_NONE, search.limits);
    if (found == ONIG_MISMATCH) return;
    check(found >= 0, ErrorKind::io, where_, "the pattern ", in_quotes(text_), " gives up on ",
          text.size(), " bytes of text (", in_quotes(message_of(found, nullptr)),
          "): it takes back too many steps");
    const Match match{static_cast<std::size_t>(search.region->beg[0]),
                      static_cast<std::size_t>(search.region->end[0])};
    if (match.begin == match.end && matched && match.end == matches.back().end) {
      // An empty match right behind the last: go on behind the next character.
      for (++at; at < text.size() && (text[at] & 0xC0) == 0x80;) ++at;
      continue;
    }
    at = match.end;
    matched = true;
    matches.push_back(match);
  }
}

}  // namespace ffn::inline v0
