#include "ffn/base/allocator.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <thread>
#include <vector>

#include "ffn/base/error.h"

namespace ffn {
namespace {

// Guard mode on, violations collected, everything restored afterwards.
class AllocatorGuard : public testing::Test {
 protected:
  void SetUp() override {
    set_guard_bytes(true);
    set_guard_handler([this](const GuardViolation& violation) { seen_.push_back(violation); });
  }
  void TearDown() override {
    set_guard_bytes(false);
    set_guard_handler({});
  }
  static unsigned char* take(std::int64_t bytes) {
    return static_cast<unsigned char*>(allocate_bytes(bytes));
  }

  std::vector<GuardViolation> seen_;
};

TEST(Allocator, BlocksAreAlignedAndWritable) {
  for (const std::int64_t bytes : {1, 63, 64, 65, 4096, 1'000'003}) {
    void* block = allocate_bytes(bytes);
    ASSERT_NE(block, nullptr);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(block) % 64, 0u);
    std::memset(block, 1, static_cast<std::size_t>(bytes));
    release_bytes(block, bytes);
  }
  EXPECT_EQ(allocate_bytes(0), nullptr);
  release_bytes(nullptr, 0);
}

TEST(Allocator, ImpossibleRequestsAreDeviceErrors) {
  for (const std::int64_t bytes :
       {std::int64_t{1} << 48, std::numeric_limits<std::int64_t>::max()}) {
    for (const bool guarded : {false, true}) {
      set_guard_bytes(guarded);
      try {
        allocate_bytes(bytes);
        ADD_FAILURE() << "allocated " << bytes;
      } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::device);
        EXPECT_NE(error.detail().find(std::to_string(bytes)), std::string::npos);
      }
    }
  }
  set_guard_bytes(false);
}

TEST_F(AllocatorGuard, CleanUseReportsNothing) {
  for (const std::int64_t bytes : {1, 63, 64, 65, 1000}) {
    unsigned char* block = take(bytes);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(block) % 64, 0u);
    std::memset(block, 0, static_cast<std::size_t>(bytes));
    EXPECT_EQ(check_guards(), 0);
    release_bytes(block, bytes);
  }
  EXPECT_EQ(allocate_bytes(0), nullptr);
  EXPECT_TRUE(seen_.empty());
}

TEST_F(AllocatorGuard, EveryByteOfBothGuardsIsWatched) {
  for (const std::int64_t bytes : {1, 64, 100}) {
    for (std::int64_t distance = 0; distance < kGuardBytes; ++distance) {
      for (const std::int64_t offset : {-1 - distance, bytes + distance}) {
        for (const auto written : {std::uint8_t{0}, std::uint8_t{0xff}}) {
          unsigned char* block = take(bytes);
          block[offset] = written;
          seen_.clear();
          release_bytes(block, bytes);
          ASSERT_EQ(seen_.size(), 1u) << "offset " << offset;
          EXPECT_EQ(seen_[0].block, block);
          EXPECT_EQ(seen_[0].bytes, bytes);
          EXPECT_EQ(seen_[0].offset, offset);
        }
      }
    }
  }
}

TEST_F(AllocatorGuard, LiveBlocksCanBeCheckedWithoutRelease) {
  unsigned char* clean = take(10);
  unsigned char* damaged = take(10);
  damaged[10] = 0;
  EXPECT_EQ(check_guards(), 1);
  ASSERT_EQ(seen_.size(), 1u);
  EXPECT_EQ(seen_[0].block, damaged);
  release_bytes(damaged, 10);
  EXPECT_EQ(seen_.size(), 2u);
  EXPECT_EQ(check_guards(), 0);
  release_bytes(clean, 10);
  EXPECT_EQ(seen_.size(), 2u);
}

TEST_F(AllocatorGuard, FreshMemoryReadsAsNan) {
  const std::int64_t bytes = 5 * 8;
  unsigned char* block = take(bytes);
  for (std::size_t i = 0; i < 5; ++i) {
    double wide;
    float narrow;
    std::int32_t integer;
    std::memcpy(&wide, block + 8 * i, 8);
    std::memcpy(&narrow, block + 8 * i, 4);
    std::memcpy(&integer, block + 8 * i, 4);
    EXPECT_TRUE(std::isnan(wide));
    EXPECT_TRUE(std::isnan(narrow));
    EXPECT_EQ(integer, -1);
  }
  release_bytes(block, bytes);
}

TEST_F(AllocatorGuard, BlocksAreReleasedAsTheyWereMade) {
  void* guarded = allocate_bytes(100);
  set_guard_bytes(false);
  void* plain = allocate_bytes(100);
  release_bytes(guarded, 100);  // a sanitizer or the heap's own checks object if this is confused
  set_guard_bytes(true);
  void* other = allocate_bytes(100);
  release_bytes(plain, 100);
  release_bytes(other, 100);
  EXPECT_TRUE(seen_.empty());
}

TEST_F(AllocatorGuard, ThreadsMayAllocateAtOnce) {
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([] {
      for (std::int64_t i = 1; i < 500; ++i) {
        unsigned char* block = take(i);
        std::memset(block, 7, static_cast<std::size_t>(i));
        release_bytes(block, i);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_TRUE(seen_.empty());
}

TEST(AllocatorDeathTest, TheDefaultHandlerNamesTheOffsetAndAborts) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  const auto overrun = [] {
    set_guard_bytes(true);
    auto* block = static_cast<unsigned char*>(allocate_bytes(24));
    block[24] = 0;
    release_bytes(block, 24);
  };
  EXPECT_DEATH(overrun(), "block of 24 bytes overwritten at offset 24");
}

}  // namespace
}  // namespace ffn
