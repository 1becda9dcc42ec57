#include "ffn/base/allocator.h"

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>
#include <new>
#include <optional>
#include <utility>

#include "ffn/base/check.h"
#include "ffn/base/error.h"
#include "ffn/base/ledger.h"

namespace ffn::inline v0 {
namespace {

constexpr std::align_val_t kAlign{kAlignment};
// The user half of a 48-bit address space: more cannot exist, and adding guards to less cannot
// overflow.
constexpr std::int64_t kMostBytes = std::int64_t{1} << 47;

// 0x81 … 0xC0: all different, none of them 0 or 0xFF, the bytes an overrun most often writes.
constexpr auto kPattern = [] {
  std::array<unsigned char, kGuardBytes> pattern{};
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    pattern[i] = static_cast<unsigned char>(0x81 + i);
  }
  return pattern;
}();

struct Guards {
  std::mutex mutex;
  std::map<void*, std::int64_t> live;  // block → requested bytes
  GuardHandler handler;
};

// Never destroyed: blocks of static objects may be released after main.
Guards& guards() {
  static Guards& instance = *new Guards;
  return instance;
}

std::atomic<bool> guard_mode{false};
// How many blocks in guards().live: lets the usual release skip the lock.
std::atomic<std::int64_t> guarded_blocks{0};

std::byte* take(std::int64_t bytes) {
  return static_cast<std::byte*>(::operator new(static_cast<std::size_t>(bytes), kAlign));
}
void give(void* memory, std::int64_t bytes) noexcept {
  ::operator delete(memory, static_cast<std::size_t>(bytes), kAlign);
}

constexpr std::int64_t guarded_size(std::int64_t bytes) {
  return charged_bytes(bytes + 2 * kGuardBytes);
}

void* allocate_guarded(std::int64_t bytes) {
  std::byte* const memory = take(guarded_size(bytes));
  std::byte* const block = memory + kGuardBytes;
  std::memcpy(memory, kPattern.data(), kPattern.size());
  std::memset(block, 0xff, static_cast<std::size_t>(bytes));
  std::memcpy(block + bytes, kPattern.data(), kPattern.size());
  const std::scoped_lock lock(guards().mutex);
  guards().live.emplace(block, bytes);
  ++guarded_blocks;
  return block;
}

// Offset of the first damaged pattern byte, from the block.
std::optional<std::int64_t> find_damage(const void* block, std::int64_t bytes) {
  const auto* const first = static_cast<const unsigned char*>(block);
  for (std::int64_t i = 0; i < kGuardBytes; ++i) {
    if (first[i - kGuardBytes] != kPattern[static_cast<std::size_t>(i)]) return i - kGuardBytes;
  }
  for (std::int64_t i = 0; i < kGuardBytes; ++i) {
    if (first[bytes + i] != kPattern[static_cast<std::size_t>(i)]) return bytes + i;
  }
  return std::nullopt;
}

void report(const GuardViolation& violation) {
  if (guards().handler) {
    guards().handler(violation);
    return;
  }
  std::fprintf(stderr, "guard bytes: block of %lld bytes overwritten at offset %lld\n",
               static_cast<long long>(violation.bytes), static_cast<long long>(violation.offset));
  std::abort();
}

// Takes the block out of the table; its requested bytes, or nothing when it has no guards.
std::optional<std::int64_t> forget(void* block) {
  const std::scoped_lock lock(guards().mutex);
  const auto entry = guards().live.find(block);
  if (entry == guards().live.end()) return std::nullopt;
  const std::int64_t bytes = entry->second;
  guards().live.erase(entry);
  --guarded_blocks;
  return bytes;
}

}  // namespace

void* allocate_bytes(std::int64_t bytes) {
  FFN_ASSERT(bytes >= 0);
  if (bytes == 0) return nullptr;
  try {
    if (bytes > kMostBytes) throw std::bad_alloc();
    return guard_bytes() ? allocate_guarded(bytes) : take(charged_bytes(bytes));
  } catch (const std::bad_alloc&) {
    fail(ErrorKind::device, "allocator", "out of memory: cannot allocate ", bytes, " bytes");
  }
}

void release_bytes(void* block, std::int64_t bytes) noexcept {
  if (block == nullptr) return;
  if (guarded_blocks.load(std::memory_order_relaxed) > 0) {
    if (const auto requested = forget(block)) {
      FFN_ASSERT(*requested == bytes);
      if (const auto offset = find_damage(block, *requested)) report({block, *requested, *offset});
      give(static_cast<std::byte*>(block) - kGuardBytes, guarded_size(*requested));
      return;
    }
  }
  give(block, charged_bytes(bytes));
}

void set_guard_bytes(bool on) { guard_mode.store(on, std::memory_order_relaxed); }
bool guard_bytes() { return guard_mode.load(std::memory_order_relaxed); }

GuardHandler set_guard_handler(GuardHandler handler) {
  return std::exchange(guards().handler, std::move(handler));
}

std::int64_t check_guards() {
  const std::scoped_lock lock(guards().mutex);
  std::int64_t damaged = 0;
  for (const auto& [block, bytes] : guards().live) {
    if (const auto offset = find_damage(block, bytes)) {
      ++damaged;
      report({block, bytes, *offset});
    }
  }
  return damaged;
}

}  // namespace ffn::inline v0
