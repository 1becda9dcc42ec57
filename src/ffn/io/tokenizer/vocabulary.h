// Tokens and their ids.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ffn::inline v0 {

// Memory: the tokens' bytes, 4 bytes per id and 8 to 16 per token.
class Vocabulary {
 public:
  struct Entry {
    std::string_view token;
    std::int64_t id = 0;
  };
  // Copies the tokens. Errors: Error{io} naming `where` for an id below 0 or so large that most ids
  // below it would be free (2 · tokens + 65536), a repeated id, a repeated token.
  Vocabulary(std::span<const Entry> tokens, std::string_view where);
  // Token i has the id i.
  Vocabulary(std::span<const std::string_view> tokens, std::string_view where);

  std::int32_t end() const { return static_cast<std::int32_t>(taken_.size()); }  // ids are below
  std::size_t count() const { return count_; }
  std::optional<std::int32_t> find(std::string_view token) const {
    const std::int32_t id = slots_[place(token)];
    return id == kFree ? std::nullopt : std::optional(id);
  }
  // Nothing for an id that is free or outside. The view holds while the vocabulary stays in place.
  std::optional<std::string_view> token(std::int32_t id) const {
    if (id < 0 || id >= end() || !taken_[static_cast<std::size_t>(id)]) return std::nullopt;
    return text(id);
  }

 private:
  static constexpr std::int32_t kFree = -1;

  void store(std::span<const std::string_view> by_id, std::string_view where);
  std::string_view text(std::int32_t id) const {
    const auto at = static_cast<std::size_t>(id);
    return std::string_view(texts_).substr(starts_[at], starts_[at + 1] - starts_[at]);
  }
  // The slot where `token` is or would be.
  std::size_t place(std::string_view token) const;

  std::string texts_;                  // one after another, by id
  std::vector<std::uint32_t> starts_;  // of every id's text in texts_, and the end
  std::vector<bool> taken_;
  std::vector<std::int32_t> slots_;  // ids by hash, open addressing, at most half full
  std::size_t count_ = 0;
};

}  // namespace ffn::inline v0
