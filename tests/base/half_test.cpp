#include "ffn/base/half.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>

#include "ffn/base/philox.h"

namespace ffn {
namespace {

// A binary format by its numbers alone; every statement below is arithmetic in double, which holds
// all values and midpoints of both formats exactly.
struct Format {
  int fraction_bits, exponent_bits;
  int bias() const { return (1 << (exponent_bits - 1)) - 1; }
  int least_exponent() const { return 1 - bias(); }
  // The value that a step past the largest finite one would have: from half a step below, round to
  // infinity.
  double overflow() const { return std::ldexp(1.0, bias() + 1); }
};
constexpr Format kBf16{7, 8}, kF16{10, 5};

double decode(Format format, std::uint32_t bits) {
  const std::uint32_t fraction = bits & ((1u << format.fraction_bits) - 1);
  const int exponent =
      static_cast<int>((bits >> format.fraction_bits) & ((1u << format.exponent_bits) - 1));
  const double sign = (bits & 0x8000u) != 0 ? -1 : 1;
  if (exponent == (1 << format.exponent_bits) - 1) {
    return fraction != 0 ? std::numeric_limits<double>::quiet_NaN()
                         : sign * std::numeric_limits<double>::infinity();
  }
  const double significand = std::ldexp(fraction, -format.fraction_bits) + (exponent != 0 ? 1 : 0);
  return sign * std::ldexp(significand, (exponent != 0 ? exponent : 1) - format.bias());
}

// Nearest value of the format, ties to even.
double nearest(Format format, double x) {
  if (x == 0 || !std::isfinite(x)) return x;
  const int exponent = std::max(std::ilogb(x), format.least_exponent());
  const int unit = exponent - format.fraction_bits;
  const double rounded = std::ldexp(std::nearbyint(std::ldexp(x, -unit)), unit);
  if (std::fabs(rounded) < format.overflow()) return rounded;
  return std::copysign(std::numeric_limits<double>::infinity(), x);
}

template <class Half>
struct Conversion;
template <>
struct Conversion<Bf16> {
  static constexpr Format kFormat = kBf16;
  static Bf16 narrow(float x) { return to_bf16(x); }
};
template <>
struct Conversion<F16> {
  static constexpr Format kFormat = kF16;
  static F16 narrow(float x) { return to_f16(x); }
};

template <class Half>
class HalfTest : public testing::Test {
 protected:
  static void expect_nearest(float x) {
    using C = Conversion<Half>;
    const double expected = nearest(C::kFormat, x);
    const Half narrowed = C::narrow(x);
    ASSERT_EQ(decode(C::kFormat, narrowed.bits), expected) << std::hexfloat << x;
    ASSERT_EQ((narrowed.bits & 0x8000u) != 0, std::signbit(x)) << std::hexfloat << x;
  }
};
using Halves = testing::Types<Bf16, F16>;
TYPED_TEST_SUITE(HalfTest, Halves);

TYPED_TEST(HalfTest, EveryPatternWidensExactlyAndReturns) {
  using C = Conversion<TypeParam>;
  for (std::uint32_t bits = 0; bits < 0x10000u; ++bits) {
    const TypeParam half{static_cast<std::uint16_t>(bits)};
    const double expected = decode(C::kFormat, bits);
    const float widened = to_float(half);
    if (std::isnan(expected)) {
      ASSERT_TRUE(std::isnan(widened)) << bits;
      ASSERT_TRUE(std::isnan(to_float(C::narrow(widened)))) << bits;
      ASSERT_EQ(std::signbit(widened), (bits & 0x8000u) != 0) << bits;
    } else {
      ASSERT_EQ(static_cast<double>(widened), expected) << bits;
      ASSERT_EQ(C::narrow(widened).bits, bits);
    }
  }
}

// Rounding can only go wrong between neighbours: their midpoint and the floats on either side of
// it.
TYPED_TEST(HalfTest, EveryMidpointRoundsToEven) {
  using C = Conversion<TypeParam>;
  const std::uint32_t infinity = ((1u << C::kFormat.exponent_bits) - 1) << C::kFormat.fraction_bits;
  for (std::uint32_t bits = 0; bits < infinity; ++bits) {
    const double low = decode(C::kFormat, bits);
    const double high = bits + 1 < infinity ? decode(C::kFormat, bits + 1) : C::kFormat.overflow();
    const float middle = static_cast<float>((low + high) / 2);
    ASSERT_EQ(static_cast<double>(middle), (low + high) / 2) << "the midpoint is exact in f32";
    for (const float x : {middle, std::nextafter(middle, 0.0f), std::nextafter(middle, INFINITY)}) {
      this->expect_nearest(x);
      this->expect_nearest(-x);
    }
    const std::uint32_t even = bits % 2 == 0 ? bits : bits + 1;
    ASSERT_EQ(C::narrow(middle).bits, even);
  }
}

TYPED_TEST(HalfTest, RandomFloatPatterns) {
  const RandomStream stream(1, "half");
  for (std::uint64_t i = 0; i < 200'000; ++i) {
    const float x = std::bit_cast<float>(stream.word(0, i));
    if (!std::isnan(x)) this->expect_nearest(x);
  }
}

TYPED_TEST(HalfTest, NanStaysNan) {
  using C = Conversion<TypeParam>;
  // Payloads in the low bits only would become infinity if truncated.
  for (const std::uint32_t payload : {0x1u, 0x1fffu, 0x7fffu, 0x8000u, 0x3fffffu, 0x7fffffu}) {
    for (const std::uint32_t sign : {0u, 0x80000000u}) {
      const float nan = std::bit_cast<float>(sign | 0x7f800000u | payload);
      const TypeParam half = C::narrow(nan);
      EXPECT_TRUE(std::isnan(decode(C::kFormat, half.bits))) << payload;
      EXPECT_EQ((half.bits & 0x8000u) != 0, sign != 0);
    }
  }
}

}  // namespace
}  // namespace ffn
