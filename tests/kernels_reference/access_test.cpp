// Reading and writing storage types: one rounding, and blocks as base/blocks.h describes them.
#include "ffn/kernels/reference/access.h"

#include <gtest/gtest.h>

#include <limits>

#include "ffn/base/blocks.h"
#include "kernels_reference/operand.h"

namespace ffn::test {
namespace {

using namespace ffn::kernels::reference;

// The finite values of a 16-bit type next to x, found by trying every one of them: nearest, and on
// a tie the one with an even last bit.
template <class Half>
double nearest_by_search(double x) {
  double best = 0, best_distance = std::numeric_limits<double>::infinity();
  bool best_even = true;
  for (std::uint32_t bits = 0; bits < 0x10000; ++bits) {
    const double candidate = static_cast<double>(to_float(Half{static_cast<std::uint16_t>(bits)}));
    if (!std::isfinite(candidate)) continue;
    const double distance = std::abs(candidate - x);
    const bool even = (bits & 1) == 0;
    if (distance < best_distance || (distance == best_distance && even && !best_even)) {
      best = candidate;
      best_distance = distance;
      best_even = even;
    }
  }
  return best;
}

template <class Half>
double stored(DType dtype, double x) {
  Half half;
  write_real(&half, dtype, 0, x);
  return static_cast<double>(to_float(half));
}

TEST(Access, HalfTypesAreRoundedOnce) {
  // Just above the middle of two neighbours, by less than f32 can see: rounding twice goes down.
  EXPECT_EQ(stored<Bf16>(DType::bf16, 1 + 0x1p-8 + 0x1p-40), 1 + 0x1p-7);
  EXPECT_EQ(stored<Bf16>(DType::bf16, 1 + 0x1p-8), 1.0);
  EXPECT_EQ(stored<F16>(DType::f16, 1 + 0x1p-11 + 0x1p-40), 1 + 0x1p-10);
  EXPECT_EQ(stored<F16>(DType::f16, 1 + 0x1p-11), 1.0);
  EXPECT_EQ(stored<F16>(DType::f16, 0x1p-25 + 0x1p-60), 0x1p-24);
  std::mt19937_64 random(61);
  for (int i = 0; i < 40; ++i) {
    const double x = random_values(random, 2, 100)[1] * std::ldexp(1.0, i % 8 - 20);
    EXPECT_EQ(stored<Bf16>(DType::bf16, x), nearest_by_search<Bf16>(x)) << x;
    EXPECT_EQ(stored<F16>(DType::f16, x), nearest_by_search<F16>(x)) << x;
  }
}

TEST(Access, ExtremesKeepTheirMeaning) {
  const double infinity = std::numeric_limits<double>::infinity();
  for (const double sign : {1.0, -1.0}) {
    EXPECT_EQ(stored<Bf16>(DType::bf16, sign * 1e300), sign * infinity);
    EXPECT_EQ(stored<F16>(DType::f16, sign * 1e300), sign * infinity);
    EXPECT_EQ(stored<F16>(DType::f16, sign * infinity), sign * infinity);
    EXPECT_EQ(stored<F16>(DType::f16, sign * 1e-300), 0);
  }
  EXPECT_TRUE(std::isnan(stored<Bf16>(DType::bf16, std::nan(""))));
  EXPECT_TRUE(std::isnan(stored<F16>(DType::f16, std::nan(""))));
}

TEST(Access, BlocksAgreeWithDequantizeRow) {
  std::mt19937_64 random(62);
  for (const DType dtype : {DType::q4_0, DType::q8_0}) {
    Operand blocks(dtype, 3, 96, random_values(random, 3 * 96));
    const std::vector<double> expected = blocks.values();
    const Input<double> input(blocks.view());
    for (std::int64_t row = 0; row < 3; ++row) {
      for (std::int64_t col = 0; col < 96; ++col) {
        EXPECT_EQ(input(row, col), expected[static_cast<std::size_t>(row * 96 + col)]);
      }
    }
  }
}

// Of any bits with finite scales; f32 rounds the sum of exact terms once.
TEST(Access, BlocksOfAnyBitsAgreeWithDequantizeRow) {
  std::mt19937_64 random(63);
  for (const DType dtype :
       {DType::q4_0, DType::q4_1, DType::q5_0, DType::q8_0, DType::q4_k, DType::q6_k}) {
    const std::int64_t elements = block_elements(dtype), bytes = dtype_bytes(dtype, elements);
    std::vector<std::byte> blocks(static_cast<std::size_t>(3 * bytes));
    for (std::byte& byte : blocks) byte = static_cast<std::byte>(random() & 0xFF);
    for (std::int64_t block = 0; block < 3; ++block)
      for (const std::int64_t half : dtype == DType::q6_k ? std::vector{208} : std::vector{0, 2})
        blocks[static_cast<std::size_t>(block * bytes + half + 1)] &= std::byte{0xBF};
    std::vector<float> expected(static_cast<std::size_t>(3 * elements));
    dequantize_row(dtype, blocks.data(), 3 * elements, expected.data());
    for (std::size_t i = 0; i < expected.size(); ++i) {
      const double got = read_real(blocks.data(), dtype, static_cast<std::int64_t>(i));
      EXPECT_EQ(static_cast<float>(got), expected[i]) << to_string(dtype) << " at " << i;
    }
  }
}

TEST(Access, IntegersAndComplexNumbers) {
  const std::int32_t ints[] = {-7, 2'000'000'000};
  EXPECT_EQ(read_real(ints, DType::i32, 0), -7.0);
  EXPECT_EQ(read_real(ints, DType::i32, 1), 2e9);
  const std::uint8_t bytes[] = {200};
  EXPECT_EQ(read_real(bytes, DType::u8, 0), 200.0);
  EXPECT_EQ(read_real(bytes, DType::i8, 0), -56.0);
  std::int32_t written = 0;
  write_real(&written, DType::i32, 0, -3.0);
  EXPECT_EQ(written, -3);
  Complex number;
  write_element(&number, DType::c128, 0, Complex(1, 2));
  EXPECT_EQ(read_element<Complex>(&number, DType::c128, 0), Complex(1, 2));
  float real;
  write_element(&real, DType::f32, 0, Complex(1.5, 2));
  EXPECT_EQ(read_element<Complex>(&real, DType::f32, 0), Complex(1.5, 0));
}

}  // namespace
}  // namespace ffn::test
