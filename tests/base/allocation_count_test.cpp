// Replaces the aligned operator new to see exactly what allocate_bytes asks the system for. The
// thread sanitizer's runtime defines the operators itself and refuses a second definition: built
// empty there.
#if defined(__SANITIZE_THREAD__)
#define FFN_TEST_NO_OWN_NEW
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define FFN_TEST_NO_OWN_NEW
#endif
#endif
#if !defined(FFN_TEST_NO_OWN_NEW)
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <new>

#include "ffn/base/allocator.h"
#include "ffn/base/ledger.h"

namespace {
std::atomic<std::int64_t> live_aligned_bytes{0};
std::atomic<std::int64_t> aligned_calls{0};
std::atomic<std::size_t> last_alignment{0};
}  // namespace

void* operator new(std::size_t bytes, std::align_val_t alignment) {
  const auto align = static_cast<std::size_t>(alignment);
  live_aligned_bytes += static_cast<std::int64_t>(bytes);
  ++aligned_calls;
  last_alignment = align;
  // aligned_alloc wants a multiple of the alignment.
  void* memory = std::aligned_alloc(align, (bytes + align - 1) / align * align);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}
void operator delete(void* memory, std::size_t bytes, std::align_val_t) noexcept {
  live_aligned_bytes -= static_cast<std::int64_t>(bytes);
  std::free(memory);
}
void operator delete(void* memory, std::align_val_t) noexcept { std::free(memory); }

namespace ffn {
namespace {

TEST(Allocation, AsksForExactlyWhatTheLedgerCharges) {
  for (const std::int64_t bytes : {1, 63, 64, 65, 127, 1'000'000}) {
    const std::int64_t before = live_aligned_bytes, calls = aligned_calls;
    void* block = allocate_bytes(bytes);
    EXPECT_EQ(aligned_calls, calls + 1);
    EXPECT_EQ(last_alignment, 64u);
    EXPECT_EQ(live_aligned_bytes - before, charged_bytes(bytes));
    release_bytes(block, bytes);
    EXPECT_EQ(live_aligned_bytes, before);
  }
  const std::int64_t calls = aligned_calls;
  release_bytes(allocate_bytes(0), 0);
  EXPECT_EQ(aligned_calls, calls) << "an empty request is free";
}

TEST(Allocation, GuardedBlocksGiveBackAllTheyTook) {
  set_guard_bytes(true);
  const std::int64_t before = live_aligned_bytes;
  void* block = allocate_bytes(100);
  EXPECT_EQ(live_aligned_bytes - before, charged_bytes(100 + 2 * kGuardBytes));
  set_guard_bytes(false);
  release_bytes(block, 100);
  EXPECT_EQ(live_aligned_bytes, before);
}

}  // namespace
}  // namespace ffn
#endif
