#include "ffn/io/tokenizer/stream_decoder.h"

#include <span>

#include "ffn/base/faults.h"
#include "ffn/io/tokenizer/utf8.h"

namespace ffn::inline v0 {

std::string StreamDecoder::next(std::int32_t id) {
  ids_.push_back(id);
  const std::string text = tokenizer_.decode(ids_, skip_special_);
  if (!fault(554) && text.ends_with(kReplacementCharacter) && ids_.size() - settled_ < kHeldBackIds)
    return {};
  return take(text);
}

std::string StreamDecoder::finish() {
  if (ids_.size() == settled_) return {};
  std::string rest = take(tokenizer_.decode(ids_, skip_special_));
  ids_.clear();
  settled_ = 0;
  return rest;
}

// What `text`, the text of all ids_, has more than the settled ones.
std::string StreamDecoder::take(const std::string& text) {
  const std::string before = tokenizer_.decode(std::span(ids_).first(settled_), skip_special_);
  if (text.size() <= before.size()) return {};  // nothing to see yet: a special token, a mark
  std::size_t begin = before.size();
  while (begin < text.size() && (text[begin] & 0xC0) == 0x80) ++begin;
  ids_.erase(ids_.begin(), ids_.begin() + static_cast<std::ptrdiff_t>(settled_));
  settled_ = ids_.size();
  return text.substr(begin);
}

}  // namespace ffn::inline v0
