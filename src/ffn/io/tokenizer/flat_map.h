// A hash table from 64-bit keys to small values, for lookups in the innermost loops.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace ffn::inline v0 {

// Open addressing, at most half full: 2 to 4 slots per entry. The key ~0 is not allowed.
template <class Value>
class FlatMap {
 public:
  void reserve(std::size_t entries) {
    if (2 * entries > slots_.size()) rehash(std::bit_ceil(2 * entries + 2));
  }

  // Replaces the value of a key that is there.
  void set(std::uint64_t key, Value value) {
    reserve(size_ + 1);
    Slot& slot = slots_[place(key)];
    if (slot.key == kNone) {
      slot.key = key;
      ++size_;
    }
    slot.value = value;
  }

  const Value* find(std::uint64_t key) const {
    if (slots_.empty()) return nullptr;
    const Slot& slot = slots_[place(key)];
    return slot.key == kNone ? nullptr : &slot.value;
  }

  std::size_t size() const { return size_; }

 private:
  static constexpr std::uint64_t kNone = ~std::uint64_t{0};
  struct Slot {
    std::uint64_t key = kNone;
    Value value{};
  };

  // Where `key` is or would be.
  std::size_t place(std::uint64_t key) const {
    std::uint64_t hash = key;  // the finaliser of splitmix64
    hash = (hash ^ (hash >> 30)) * 0xBF58476D1CE4E5B9u;
    hash = (hash ^ (hash >> 27)) * 0x94D049BB133111EBu;
    std::size_t at = static_cast<std::size_t>(hash ^ (hash >> 31)) & (slots_.size() - 1);
    while (slots_[at].key != kNone && slots_[at].key != key) at = (at + 1) & (slots_.size() - 1);
    return at;
  }

  void rehash(std::size_t slots) {
    std::vector<Slot> old = std::exchange(slots_, std::vector<Slot>(slots));
    for (const Slot& slot : old)
      if (slot.key != kNone) slots_[place(slot.key)] = slot;
  }

  std::vector<Slot> slots_;
  std::size_t size_ = 0;
};

// Two ids as one key.
inline std::uint64_t pair_key(std::int32_t left, std::int32_t right) {
  return std::uint64_t{static_cast<std::uint32_t>(left)} << 32 | static_cast<std::uint32_t>(right);
}

}  // namespace ffn::inline v0
