// Block types that are only read: blocks made by hand, one element or one scale at a time, so that
// each test states where a value stands. Values of whole random blocks: tests/io/block_values_test.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

#include "ffn/base/blocks.h"
#include "ffn/base/half.h"

namespace ffn {
namespace {

// A block of zero bytes that is written to in places.
class Block {
 public:
  explicit Block(DType dtype)
      : dtype_(dtype),
        bytes_(static_cast<std::size_t>(dtype_bytes(dtype, block_elements(dtype))) + 1) {}

  Block& half(std::size_t at, float value) {
    const F16 stored = to_f16(value);
    std::memcpy(bytes_.data() + 1 + at, &stored, 2);
    return *this;
  }
  Block& byte(std::size_t at, unsigned value) {
    bytes_[1 + at] = static_cast<std::byte>(value);
    return *this;
  }
  std::vector<float> values() const {
    std::vector<float> x(static_cast<std::size_t>(block_elements(dtype_)));
    // One byte off any alignment, as in a mapped file.
    dequantize_row(dtype_, bytes_.data() + 1, block_elements(dtype_), x.data());
    return x;
  }

 private:
  DType dtype_;
  std::vector<std::byte> bytes_;
};

// `all`, and `other` at the element `at`.
std::vector<float> all_but(std::size_t count, float all, std::size_t at, float other) {
  std::vector<float> x(count, all);
  x[at] = other;
  return x;
}

TEST(BlockLayouts, Q4_1) {
  const Block zero = Block(DType::q4_1).half(0, 0.5f).half(2, -3);
  EXPECT_EQ(zero.values(), std::vector<float>(32, -3));
  for (std::size_t j = 0; j < 16; ++j) {
    EXPECT_EQ(Block(zero).byte(4 + j, 0x0f).values(), all_but(32, -3, j, 4.5f)) << j;
    EXPECT_EQ(Block(zero).byte(4 + j, 0x90).values(), all_but(32, -3, j + 16, 1.5f)) << j;
  }
}

TEST(BlockLayouts, Q5_0) {
  const Block zero = Block(DType::q5_0).half(0, 0.5f);
  EXPECT_EQ(zero.values(), std::vector<float>(32, -8));
  for (std::size_t j = 0; j < 32; ++j) {
    const unsigned nibble = j < 16 ? 0x0f : 0xf0;
    EXPECT_EQ(Block(zero).byte(6 + j % 16, nibble).values(), all_but(32, -8, j, -0.5f)) << j;
    EXPECT_EQ(Block(zero).byte(2 + j / 8, 1u << j % 8).values(), all_but(32, -8, j, 0)) << j;
  }
}

// Groups 0…3: byte g; groups 4…7: the low half of byte 4 + g and the upper bits of byte g − 4.
TEST(BlockLayouts, Q4_KScales) {
  for (std::size_t group = 0; group < 8; ++group) {
    Block block = Block(DType::q4_k).half(0, 2);
    for (std::size_t i = 16; i < 144; ++i) block.byte(i, 0x33);  // every q is 3
    const auto expect = [&](float value) {
      std::vector<float> x(256, 0);
      std::fill_n(x.begin() + static_cast<std::ptrdiff_t>(32 * group), 32, value);
      EXPECT_EQ(block.values(), x) << group;
    };
    if (group < 4) {
      block.byte(4 + group, 63);
      expect(2 * 63 * 3);
    } else {
      block.byte(4 + 4 + group, 15);
      expect(2 * 15 * 3);
      // The upper bits of byte g − 4 leave the scale of group g − 4 alone.
      block.byte(4 + 4 + group, 0).byte(4 + group - 4, 3u << 6);
      expect(2 * 48 * 3);
    }
  }
}

// Groups 0…3: byte 4 + g; groups 4…7: the high half of byte 4 + g and the upper bits of byte g.
TEST(BlockLayouts, Q4_KMinima) {
  for (std::size_t group = 0; group < 8; ++group) {
    Block block = Block(DType::q4_k).half(2, 2);
    const auto expect = [&](float value) {
      std::vector<float> x(256, 0);
      std::fill_n(x.begin() + static_cast<std::ptrdiff_t>(32 * group), 32, value);
      EXPECT_EQ(block.values(), x) << group;
    };
    if (group < 4) {
      block.byte(4 + 4 + group, 63);
      expect(-2 * 63);
    } else {
      block.byte(4 + 4 + group, 15u << 4);
      expect(-2 * 15);
      block.byte(4 + 4 + group, 0).byte(4 + group, 3u << 6);
      expect(-2 * 48);
    }
  }
}

TEST(BlockLayouts, Q4_KElements) {
  Block ones = Block(DType::q4_k).half(0, 1);
  for (std::size_t i = 0; i < 4; ++i) ones.byte(4 + i, 1).byte(12 + i, 1);  // every scale is 1
  for (std::size_t j = 0; j < 256; ++j) {
    const std::size_t at = 16 + j / 64 * 32 + j % 32;
    const unsigned nibble = j % 64 < 32 ? 0x0f : 0xf0;
    EXPECT_EQ(Block(ones).byte(at, nibble).values(), all_but(256, 0, j, 15)) << j;
  }
}

TEST(BlockLayouts, Q6_K) {
  Block ones = Block(DType::q6_k).half(208, 0.5f);
  for (std::size_t i = 0; i < 16; ++i) ones.byte(192 + i, 1);
  EXPECT_EQ(ones.values(), std::vector<float>(256, -16));
  for (std::size_t j = 0; j < 256; ++j) {
    const std::size_t half = j / 128, run = j % 128 / 32, l = j % 32;
    const std::size_t lower = 64 * half + 32 * (run % 2) + l, upper = 128 + 32 * half + l;
    const unsigned nibble = run < 2 ? 0x0f : 0xf0;
    EXPECT_EQ(Block(ones).byte(lower, nibble).values(), all_but(256, -16, j, -8.5f)) << j;
    EXPECT_EQ(Block(ones).byte(upper, 3u << 2 * run).values(), all_but(256, -16, j, 8)) << j;
  }
  for (std::size_t i = 0; i < 16; ++i) {
    std::vector<float> x(256, -16);
    std::fill_n(x.begin() + static_cast<std::ptrdiff_t>(16 * i), 16, 0.5f * -128 * -32);
    EXPECT_EQ(Block(ones).byte(192 + i, 0x80).values(), x) << i;
  }
}

}  // namespace
}  // namespace ffn
