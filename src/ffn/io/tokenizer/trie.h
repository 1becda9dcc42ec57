// Texts with a number each, to find the longest that begins at a place.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "ffn/io/tokenizer/flat_map.h"

namespace ffn::inline v0 {

// Memory: 32 to 64 bytes per byte of the texts that none shares.
class Trie {
 public:
  struct Found {
    std::int32_t value = 0;
    std::size_t bytes = 0;
  };

  // The first value of a text stays.
  void add(std::string_view text, std::int32_t value) {
    std::int32_t node = 0;
    for (const char c : text) {
      const std::uint64_t edge = pair_key(node, static_cast<unsigned char>(c));
      const std::int32_t* next = edges_.find(edge);
      if (next == nullptr) {
        edges_.set(edge, static_cast<std::int32_t>(values_.size()));
        node = static_cast<std::int32_t>(values_.size());
        values_.push_back(kNone);
      } else {
        node = *next;
      }
    }
    std::int32_t& stored = values_[static_cast<std::size_t>(node)];
    if (stored == kNone) stored = value;
  }

  bool empty() const { return edges_.size() == 0; }

  // The node behind `text`, from which longest() may start.
  std::optional<std::int32_t> walk(std::string_view text) const {
    std::int32_t node = 0;
    for (const char c : text) {
      const std::int32_t* next = edges_.find(pair_key(node, static_cast<unsigned char>(c)));
      if (next == nullptr) return std::nullopt;
      node = *next;
    }
    return node;
  }

  // The longest text of at least one byte at the start of `rest`. O(its length).
  std::optional<Found> longest(std::string_view rest, std::int32_t node = 0) const {
    std::optional<Found> best;
    for (std::size_t i = 0; i < rest.size(); ++i) {
      const std::int32_t* next = edges_.find(pair_key(node, static_cast<unsigned char>(rest[i])));
      if (next == nullptr) break;
      node = *next;
      const std::int32_t value = values_[static_cast<std::size_t>(node)];
      if (value != kNone) best = Found{value, i + 1};
    }
    return best;
  }

 private:
  static constexpr std::int32_t kNone = -1;
  FlatMap<std::int32_t> edges_;
  std::vector<std::int32_t> values_ = {kNone};  // by node
};

}  // namespace ffn::inline v0
