#include "support/counted_memory.h"

#include <atomic>
#include <cstdlib>
#include <mutex>
#include <new>
#include <unordered_map>

namespace ffn::testing_support {
namespace {

std::atomic<std::int64_t> live_bytes{0}, aligned_calls{0}, all_calls{0};
std::mutex sizes_mutex;

std::unordered_map<void*, std::size_t>& sizes() {
  static auto* map = new std::unordered_map<void*, std::size_t>;  // outlives every static
  return *map;
}

}  // namespace

std::int64_t live_aligned_bytes() { return live_bytes; }
std::int64_t aligned_allocations() { return aligned_calls; }
std::int64_t all_allocations() { return all_calls; }

void* counted_aligned(std::size_t size, std::size_t alignment) {
  const std::size_t rounded = (size + alignment - 1) / alignment * alignment;
  void* block = std::aligned_alloc(alignment, rounded);
  if (block == nullptr) throw std::bad_alloc();
  const std::lock_guard lock(sizes_mutex);
  sizes()[block] = size;
  live_bytes += static_cast<std::int64_t>(size);
  ++aligned_calls;
  ++all_calls;
  return block;
}

void counted_aligned_delete(void* block) {
  if (block == nullptr) return;
  {
    const std::lock_guard lock(sizes_mutex);
    const auto found = sizes().find(block);
    live_bytes -= static_cast<std::int64_t>(found->second);
    sizes().erase(found);
  }
  std::free(block);
}

void* counted(std::size_t size) {
  ++all_calls;
  void* block = std::malloc(size > 0 ? size : 1);
  if (block == nullptr) throw std::bad_alloc();
  return block;
}

GuardScope::GuardScope() : before_(guard_bytes()) {
  handler_before_ = set_guard_handler([this](const GuardViolation&) { ++violations_; });
  set_guard_bytes(true);
}

GuardScope::~GuardScope() {
  set_guard_bytes(before_);
  set_guard_handler(std::move(handler_before_));
}

}  // namespace ffn::testing_support

// The thread sanitizer's runtime defines these operators itself and refuses a second definition:
// there everything counts as 0, and counting() says so.
#if defined(__SANITIZE_THREAD__)
#define FFN_TEST_NO_OWN_NEW
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define FFN_TEST_NO_OWN_NEW
#endif
#endif

#if defined(FFN_TEST_NO_OWN_NEW)
bool ffn::testing_support::counting() { return false; }
#else
bool ffn::testing_support::counting() { return true; }

namespace support = ffn::testing_support;

void* operator new(std::size_t size) { return support::counted(size); }
void operator delete(void* block) noexcept { std::free(block); }
void operator delete(void* block, std::size_t) noexcept { std::free(block); }
void* operator new(std::size_t size, std::align_val_t alignment) {
  return support::counted_aligned(size, static_cast<std::size_t>(alignment));
}
void operator delete(void* block, std::align_val_t) noexcept {
  support::counted_aligned_delete(block);
}
void operator delete(void* block, std::size_t, std::align_val_t) noexcept {
  support::counted_aligned_delete(block);
}
#endif
