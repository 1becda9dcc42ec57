// vec_math.h against double libm, over every 997th of all 2^32 floats (997 is prime: every exponent
// and both signs get mantissas of all kinds), on every ISA. The bounds are those stated in
// vec_math.h.
#include <bit>
#include <cmath>
#include <limits>
#include <vector>

#include <gtest/gtest.h>

#include "ffn/base/cpu_features.h"
#include "ffn/base/half.h"
#include "kernels_cpu/vec_math_probe.h"

namespace ffn::test {
namespace {

constexpr double kLeastNormal = 0x1p-126;
constexpr float kInfinity = std::numeric_limits<float>::infinity();

Probe probe_of(Isa isa) {
  switch (isa) {
    case Isa::scalar: return scalar::probe;
#if defined(__x86_64__)
    case Isa::avx2: return avx2::probe;
    case Isa::avx512: return avx512::probe;
    case Isa::avx512_bf16: return avx512_bf16::probe;
#else
    default: break;
#endif
  }
  return nullptr;
}

// Every 997th bit pattern that is not a NaN, and the values around which functions change their
// way.
std::vector<float> all_floats() {
  std::vector<float> values = {0.0f,      -0.0f,      kInfinity,  -kInfinity,  88.72284f,
                               88.72283f, -87.33655f, -87.7f,     -103.97208f, -103.97209f,
                               -104.0f,   10.0f,      0.34657359f};
  for (std::uint64_t bits = 0; bits < (std::uint64_t{1} << 32); bits += 997) {
    const float value = std::bit_cast<float>(static_cast<std::uint32_t>(bits));
    if (!std::isnan(value)) values.push_back(value);
  }
  return values;
}

const std::vector<float>& floats() {
  static const std::vector<float> values = all_floats();
  return values;
}

std::vector<float> evaluate(Isa isa, Elementary f, const std::vector<float>& x) {
  std::vector<float> y(x.size());
  probe_of(isa)(f, x.data(), y.data(), static_cast<std::int64_t>(x.size()));
  return y;
}

// The distance between neighbouring floats at x.
double ulp(double x) {
  const int exponent = std::max(std::ilogb(std::max(std::abs(x), kLeastNormal)), -126);
  return std::ldexp(1.0, exponent - 23);
}

struct Worst {
  double error = 0;
  float at = 0, got = 0;
  void take(double e, float x, float y) {
    if (e > error || std::isnan(e)) *this = {std::isnan(e) ? HUGE_VAL : e, x, y};
  }
};

class VecMath : public testing::TestWithParam<Isa> {
 protected:
  // The largest error in ulp of f against `exact`. Where flushed, results below 2^-126 may be
  // anything between 0 and 2^-126.
  template <class Exact>
  Worst worst_ulp(Elementary f, const Exact& exact, bool flushed = false) {
    const std::vector<float>& x = floats();
    const std::vector<float> y = evaluate(GetParam(), f, x);
    Worst worst;
    for (std::size_t i = 0; i < x.size(); ++i) {
      const double expected = exact(static_cast<double>(x[i]));
      const auto rounded = static_cast<float>(expected);
      if (rounded == y[i]) continue;  // also equal infinities
      if (flushed && expected < kLeastNormal) {
        EXPECT_TRUE(y[i] >= 0 && static_cast<double>(y[i]) <= kLeastNormal) << x[i];
        continue;
      }
      // One step below infinity is one ulp away from it.
      const double got =
          std::isinf(y[i]) ? std::copysign(0x1p128, y[i]) : static_cast<double>(y[i]);
      worst.take(std::abs(got - expected) / ulp(expected), x[i], y[i]);
    }
    RecordProperty("largest_error_ulp", std::to_string(worst.error));
    return worst;
  }
};

TEST_P(VecMath, Exp) {
  const Worst worst = worst_ulp(Elementary::exp, [](double x) { return std::exp(x); });
  EXPECT_LE(worst.error, 1.2) << "exp(" << worst.at << ") = " << worst.got;
}

TEST_P(VecMath, ExpFlushed) {
  const auto exact = [](double x) { return std::exp(std::min(x, 88.0)); };
  std::vector<float> x;
  for (const float value : floats()) x.push_back(std::min(value, 88.0f));
  const std::vector<float> y = evaluate(GetParam(), Elementary::exp_flushed, x);
  Worst worst;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double expected = exact(static_cast<double>(x[i]));
    if (expected < kLeastNormal) {
      EXPECT_TRUE(y[i] >= 0 && static_cast<double>(y[i]) <= kLeastNormal) << x[i];
      EXPECT_TRUE(x[i] >= -87.7f || y[i] == 0.0f) << x[i];
    } else {
      worst.take(std::abs(static_cast<double>(y[i]) - expected) / ulp(expected), x[i], y[i]);
    }
  }
  EXPECT_LE(worst.error, 1.2) << "exp(" << worst.at << ") = " << worst.got;
}

TEST_P(VecMath, Sigmoid) {
  const auto exact = [](double x) {
    return x < 0 ? std::exp(x) / (1 + std::exp(x)) : 1 / (1 + std::exp(-x));
  };
  const Worst worst = worst_ulp(Elementary::sigmoid, exact, true);
  EXPECT_LE(worst.error, 3.0) << "sigmoid(" << worst.at << ") = " << worst.got;
  const Worst other =
      worst_ulp(Elementary::sigmoid_complement, [&](double x) { return exact(-x); }, true);
  EXPECT_LE(other.error, 3.0) << "1 - sigmoid(" << other.at << ") = " << other.got;
}

TEST_P(VecMath, Tanh) {
  const Worst worst = worst_ulp(Elementary::tanh, [](double x) { return std::tanh(x); });
  EXPECT_LE(worst.error, 3.0) << "tanh(" << worst.at << ") = " << worst.got;
}

// Q(|x|) within both errors, the relative one up to |x| = 6; beyond, no more than Q and
// most_beyond.
void check_tail(Isa isa, Elementary tail, double most_absolute, double most_relative,
                double most_beyond) {
  const std::vector<float>& x = floats();
  const std::vector<float> y = evaluate(isa, tail, x);
  Worst absolute, relative;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double expected = 0.5 * std::erfc(std::abs(static_cast<double>(x[i])) / std::sqrt(2.0));
    const double error = std::abs(static_cast<double>(y[i]) - expected);
    absolute.take(error, x[i], y[i]);
    if (std::abs(x[i]) <= 6) {
      relative.take(error / expected, x[i], y[i]);
    } else {
      EXPECT_LE(static_cast<double>(y[i]), 1.01 * expected + most_beyond) << x[i];
    }
  }
  testing::Test::RecordProperty("largest_absolute_error",
                                std::to_string(absolute.error * 1e9) + "e-9");
  testing::Test::RecordProperty("largest_relative_error",
                                std::to_string(relative.error * 1e6) + "e-6");
  EXPECT_LE(absolute.error, most_absolute) << "Q(" << absolute.at << ") = " << absolute.got;
  EXPECT_LE(relative.error, most_relative) << "Q(" << relative.at << ") = " << relative.got;
}
TEST_P(VecMath, NormalTail) {
  check_tail(GetParam(), Elementary::normal_tail, 8e-8, 1e-5, 2 * kLeastNormal);
}
TEST_P(VecMath, NormalTailForBf16) {
  check_tail(GetParam(), Elementary::normal_tail_bf16, 5e-5, 1.7e-4, 1e-12);
}

TEST_P(VecMath, Log) {
  std::vector<float> x;
  for (const float value : floats()) {
    if (static_cast<double>(value) >= kLeastNormal) x.push_back(value);
  }
  const std::vector<float> y = evaluate(GetParam(), Elementary::log, x);
  Worst worst;
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double expected = std::log(static_cast<double>(x[i]));
    if (static_cast<float>(expected) == y[i]) continue;
    worst.take(std::abs(static_cast<double>(y[i]) - expected) / ulp(expected), x[i], y[i]);
  }
  // Half an ulp, and the 1e-10 by which a tie may be missed (in units of an ulp: 1e-10·2^24).
  EXPECT_LE(worst.error, 0.5 + 2e-3) << "log(" << worst.at << ") = " << worst.got;
}

TEST_P(VecMath, HalfConversionEqualsBase) {
  const std::vector<float>& x = floats();
  const std::vector<float> y = evaluate(GetParam(), Elementary::half, x);
  for (std::size_t i = 0; i < x.size(); ++i) {
    ASSERT_EQ(y[i], static_cast<float>(to_f16(x[i]).bits)) << x[i];
  }
}

TEST_P(VecMath, SpecialValues) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const auto at = [&](Elementary f, float x) { return evaluate(GetParam(), f, {x})[0]; };
  for (const Elementary f :
       {Elementary::exp, Elementary::exp_flushed, Elementary::sigmoid,
        Elementary::sigmoid_complement, Elementary::tanh, Elementary::normal_tail,
        Elementary::normal_tail_bf16, Elementary::log}) {
    EXPECT_TRUE(std::isnan(at(f, nan))) << static_cast<int>(f);
  }
  EXPECT_EQ(at(Elementary::exp, kInfinity), kInfinity);
  EXPECT_EQ(at(Elementary::exp, -kInfinity), 0.0f);
  EXPECT_EQ(at(Elementary::exp_flushed, -kInfinity), 0.0f);
  EXPECT_EQ(at(Elementary::exp, 0), 1.0f);
  EXPECT_EQ(at(Elementary::exp, -103.9f), 0x1p-149f);
  EXPECT_EQ(at(Elementary::sigmoid, kInfinity), 1.0f);
  EXPECT_EQ(at(Elementary::sigmoid, -kInfinity), 0.0f);
  EXPECT_EQ(at(Elementary::tanh, kInfinity), 1.0f);
  EXPECT_EQ(at(Elementary::tanh, -kInfinity), -1.0f);
  EXPECT_TRUE(std::signbit(at(Elementary::tanh, -0.0f)));
  EXPECT_EQ(at(Elementary::tanh, 0x1p-149f), 0x1p-149f);
  EXPECT_LE(at(Elementary::normal_tail, kInfinity), 0x1p-125f);
  EXPECT_LE(at(Elementary::normal_tail_bf16, kInfinity), 0x1p-124f);
  EXPECT_EQ(at(Elementary::normal_tail, 0), 0.5f);
  EXPECT_EQ(at(Elementary::log, kInfinity), kInfinity);
  EXPECT_EQ(at(Elementary::log, 1), 0.0f);
}

INSTANTIATE_TEST_SUITE_P(Isa, VecMath, testing::ValuesIn(supported_isas()),
                         [](const auto& isa) { return std::string(to_string(isa.param)); });

}  // namespace
}  // namespace ffn::test
