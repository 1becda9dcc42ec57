#include "ffn/io/tokenizer/vocabulary.h"

#include <algorithm>
#include <bit>
#include <functional>
#include <limits>

#include "ffn/base/error.h"
#include "ffn/io/file_kind.h"

namespace ffn::inline v0 {

Vocabulary::Vocabulary(std::span<const Entry> tokens, std::string_view where) {
  std::int64_t largest = -1;
  const auto most = static_cast<std::int64_t>(2 * tokens.size() + 65536);
  for (const auto& [token, id] : tokens) {
    if (id < 0 || id >= most)
      fail(ErrorKind::io, where, "token ", in_quotes(token), " has the id ", id, ", expected 0 to ",
           most - 1, " for ", tokens.size(), " tokens");
    largest = std::max(largest, id);
  }
  std::vector<std::string_view> by_id(static_cast<std::size_t>(largest + 1));
  taken_.resize(by_id.size());
  for (const auto& [token, id] : tokens) {
    const auto at = static_cast<std::size_t>(id);
    if (taken_[at])
      fail(ErrorKind::io, where, "tokens ", in_quotes(by_id[at]), " and ", in_quotes(token),
           " have the same id ", id);
    taken_[at] = true;
    by_id[at] = token;
  }
  count_ = tokens.size();
  store(by_id, where);
}

Vocabulary::Vocabulary(std::span<const std::string_view> tokens, std::string_view where)
    : taken_(tokens.size(), true), count_(tokens.size()) {
  store(tokens, where);
}

void Vocabulary::store(std::span<const std::string_view> by_id, std::string_view where) {
  std::size_t bytes = 0;
  for (const std::string_view token : by_id) bytes += token.size();
  check(bytes <= std::numeric_limits<std::uint32_t>::max(), ErrorKind::io, where, "has ", bytes,
        " bytes of tokens; at most 2^32 - 1 are possible here");
  texts_.reserve(bytes);
  starts_.reserve(by_id.size() + 1);
  for (const std::string_view token : by_id) {
    starts_.push_back(static_cast<std::uint32_t>(texts_.size()));
    texts_ += token;
  }
  starts_.push_back(static_cast<std::uint32_t>(texts_.size()));
  slots_.assign(std::bit_ceil(2 * count_), kFree);
  for (std::size_t id = 0; id < by_id.size(); ++id) {
    if (!taken_[id]) continue;
    std::int32_t& slot = slots_[place(by_id[id])];
    if (slot != kFree) fail(ErrorKind::io, where, "token ", in_quotes(by_id[id]), " appears twice");
    slot = static_cast<std::int32_t>(id);
  }
}

std::size_t Vocabulary::place(std::string_view token) const {
  const std::size_t mask = slots_.size() - 1;
  std::size_t at = std::hash<std::string_view>()(token) & mask;
  while (slots_[at] != kFree && text(slots_[at]) != token) at = (at + 1) & mask;
  return at;
}

}  // namespace ffn::inline v0
