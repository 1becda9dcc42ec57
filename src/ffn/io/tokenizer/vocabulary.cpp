#include "ffn/io/tokenizer/vocabulary.h"

#include <algorithm>
#include <utility>

#include "ffn/base/error.h"
#include "ffn/io/file_kind.h"

namespace ffn::inline v0 {

Vocabulary::Vocabulary(std::vector<std::pair<std::string, std::int64_t>> tokens,
                       std::string_view where) {
  std::int64_t largest = -1;
  const auto most = static_cast<std::int64_t>(2 * tokens.size() + 65536);
  for (const auto& [token, id] : tokens) {
    check(id >= 0 && id < most, ErrorKind::io, where, "token ", in_quotes(token), " has the id ",
          id, ", expected 0 to ", most - 1, " for ", tokens.size(), " tokens");
    largest = std::max(largest, id);
  }
  tokens_.resize(static_cast<std::size_t>(largest + 1));
  taken_.resize(tokens_.size());
  ids_.reserve(tokens.size());
  for (auto& [token, id] : tokens) {
    const auto at = static_cast<std::size_t>(id);
    check(!taken_[at], ErrorKind::io, where, "tokens ", in_quotes(tokens_[at]), " and ",
          in_quotes(token), " have the same id ", id);
    taken_[at] = true;
    tokens_[at] = std::move(token);
    check(ids_.emplace(tokens_[at], static_cast<std::int32_t>(id)).second, ErrorKind::io, where,
          "token ", in_quotes(tokens_[at]), " appears twice");
  }
}

}  // namespace ffn::inline v0
