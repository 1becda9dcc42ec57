#include "ffn/io/tokenizer/added_tokens.h"

#include <algorithm>
#include <utility>

#include "ffn/base/faults.h"
#include "ffn/io/tokenizer/characters.h"
#include "ffn/io/tokenizer/utf8.h"

namespace ffn::inline v0 {
namespace {

char32_t code_point_before(std::string_view text, std::size_t end, std::size_t* begin) {
  *begin = end - 1;
  while (*begin > 0 && (text[*begin] & 0xC0) == 0x80) --*begin;
  std::size_t at = *begin;
  return next_code_point(text, at);
}

bool stands_alone(std::string_view text, std::size_t begin, std::size_t end) {
  std::size_t at = 0;
  if (begin > 0 && is_word(code_point_before(text, begin, &at))) return false;
  at = end;
  return end == text.size() || !is_word(next_code_point(text, at));
}

std::size_t white_space_before(std::string_view text, std::size_t end) {
  for (std::size_t begin = 0; end > 0; end = begin)
    if (!is_white_space(code_point_before(text, end, &begin))) break;
  return end;
}

std::size_t white_space_after(std::string_view text, std::size_t begin) {
  for (std::size_t at = begin; at < text.size(); begin = at)
    if (!is_white_space(next_code_point(text, at))) break;
  return begin;
}

}  // namespace

AddedTokens::AddedTokens(std::vector<AddedToken> tokens,
                         const std::function<std::string(std::string)>& normalize)
    : tokens_(std::move(tokens)) {
  const auto add = [&](const AddedToken& token) {
    const auto index = static_cast<std::int32_t>(&token - tokens_.data());
    if (!token.normalized) return plain_.add(token.content, index);
    const std::string form = normalize ? normalize(token.content) : token.content;
    if (!form.empty()) normalized_.add(form, index);
  };
  // Where two tokens have one normalised form, special ones come first.
  for (const bool special : {true, false})
    for (const AddedToken& token : tokens_)
      if (token.special == special) add(token);
}

std::vector<TextSection> AddedTokens::sections(std::string_view text, bool normalized,
                                               bool parse_special) const {
  const Trie& trie = normalized ? normalized_ : plain_;
  std::vector<TextSection> found;
  std::size_t start = 0;  // of what belongs to no token yet
  for (std::size_t at = 0; !trie.empty() && at < text.size();) {
    const auto match = trie.longest(text.substr(at));
    if (!match) {
      ++at;
      continue;
    }
    const AddedToken& token = tokens_[static_cast<std::size_t>(match->value)];
    std::size_t begin = at, end = at + match->bytes;
    at = end;
    if (token.special && !parse_special) continue;
    if (token.single_word && !stands_alone(text, begin, end) && !fault(552)) continue;
    if (token.lstrip) begin = std::max(white_space_before(text, begin), start);
    if (token.rstrip) end = white_space_after(text, end);
    if (start < begin) found.push_back({start, begin, -1});
    found.push_back({begin, end, token.id});
    start = end;
  }
  if (start < text.size()) found.push_back({start, text.size(), -1});
  return found;
}

}  // namespace ffn::inline v0
