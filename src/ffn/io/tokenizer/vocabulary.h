// Tokens and their ids.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace ffn::inline v0 {

class Vocabulary {
 public:
  // Errors: Error{io} naming `where` for an id below 0 or so large that most ids below it would be
  // free (2 · tokens + 65536), a repeated id, a repeated token.
  Vocabulary(std::vector<std::pair<std::string, std::int64_t>> tokens, std::string_view where);
  // Views into tokens_ stay valid when moved, not when copied.
  Vocabulary(Vocabulary&&) = default;
  Vocabulary& operator=(Vocabulary&&) = default;

  std::int32_t end() const { return static_cast<std::int32_t>(tokens_.size()); }  // ids are below
  std::size_t count() const { return ids_.size(); }
  std::optional<std::int32_t> find(std::string_view token) const {
    const auto found = ids_.find(token);
    if (found == ids_.end()) return std::nullopt;
    return found->second;
  }
  // nullptr for an id that is free or outside.
  const std::string* token(std::int32_t id) const {
    if (id < 0 || id >= end() || !taken_[static_cast<std::size_t>(id)]) return nullptr;
    return &tokens_[static_cast<std::size_t>(id)];
  }

 private:
  std::vector<std::string> tokens_;  // by id
  std::vector<bool> taken_;
  std::unordered_map<std::string_view, std::int32_t> ids_;
};

}  // namespace ffn::inline v0
