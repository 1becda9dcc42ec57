#include "ffn/base/scalar.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <numbers>

namespace ffn {
namespace {

constexpr double kEps = std::numeric_limits<double>::epsilon();
constexpr double kStep = 1e-20;  // a complex step: its square vanishes beside 1

// erf(z) = 2/√π Σ (−1)ⁿ z^(2n+1) / (n!(2n+1)), for complex z. The terms grow to at most e^(|z|²)
// before they cancel, so the absolute error is below a few e^(|z|²)·eps.
Complex erf_series(Complex z) {
  Complex power = z, sum = z;
  for (int n = 1; n < 80; ++n) {
    power *= -z * z / static_cast<double>(n);
    sum += power / (2.0 * n + 1.0);
  }
  return sum * 2.0 * std::numbers::inv_sqrtpi;
}

TEST(Scalar, ErfMatchesItsPowerSeriesInValueAndDerivative) {
  for (const double x : {-2.0, -1.25, -0.5, -1e-3, 0.0, 0.1, 0.75, 1.5, 2.0}) {
    // 8: constant factors of the series (2/√π, accumulated products), with room below 2 of them.
    const double tolerance = 8 * kEps * std::exp(x * x);
    const Complex expected = erf_series({x, kStep});
    const Complex found = erf_analytic(Complex{x, kStep});
    EXPECT_NEAR(found.real(), expected.real(), tolerance) << x;
    EXPECT_NEAR(found.imag() / kStep, expected.imag() / kStep, 4 * tolerance) << x;
    EXPECT_EQ(erf_analytic(x), std::erf(x));
    EXPECT_EQ(found.real(), std::erf(x));
    EXPECT_EQ(erf_analytic(Complex{x, -kStep}).imag(), -found.imag()) << "linear in Im x";
  }
}

TEST(Scalar, ErfDerivativeMatchesFiniteDifferences) {
  // Central difference with δ: |f'''|δ²/6 with |erf'''| ≤ 4/√π < 2.3, plus rounding of two values
  // of at most 1, one ulp each, and of x±δ (slope ≤ 1.13, |x| ≤ 4): < (1 + 1.13·4)·eps/δ.
  constexpr double kDelta = 1e-5;
  constexpr double kTolerance = 2.3 * kDelta * kDelta / 6 + 6 * kEps / kDelta;
  for (double x = -4; x <= 4; x += 0.37) {
    const double difference = (std::erf(x + kDelta) - std::erf(x - kDelta)) / (2 * kDelta);
    EXPECT_NEAR(erf_analytic(Complex{x, kStep}).imag() / kStep, difference, kTolerance) << x;
  }
}

TEST(Scalar, SigmoidValueAndDerivative) {
  for (const double x : {-700.0, -40.0, -3.0, -0.25, -0.0, 0.0, 0.25, 3.0, 40.0, 700.0}) {
    // The other form of the same function: (1 + tanh(x/2))/2, good where it does not cancel.
    const double value =
        x > -3.5 ? 0.5 * (1 + std::tanh(x / 2)) : std::exp(x - std::log1p(std::exp(x)));
    // x − log1p rounds once at |x| ulps, so e^ of it carries a relative |x|·eps; 4 for the rest.
    // For −3.5 < x < 0, 1 + tanh cancels to 2σ(x) ≥ 0.05: a relative error of at most 20·eps·2.
    const double relative = (x > -3.5 ? 40.0 : std::fabs(x) + 4) * kEps;
    EXPECT_NEAR(sigmoid(x), value, relative * value) << x;
    const Complex stepped = sigmoid(Complex{x, kStep});
    EXPECT_NEAR(stepped.real(), sigmoid(x), 4 * kEps * value) << x;
    // σ' = σ(x)·σ(−x): every factor is computed without cancellation.
    const double slope = sigmoid(x) * sigmoid(-x);
    EXPECT_NEAR(stepped.imag() / kStep, slope, 16 * kEps * slope + 1e-300) << x;
  }
}

TEST(Scalar, SigmoidDoesNotOverflow) {
  for (const double x : {800.0, 1e4, 1e300}) {
    EXPECT_EQ(sigmoid(x), 1.0);
    EXPECT_EQ(sigmoid(-x), 0.0);
    EXPECT_EQ(sigmoid(Complex{x, kStep}).real(), 1.0);
    EXPECT_EQ(sigmoid(Complex{-x, kStep}).real(), 0.0);
    EXPECT_EQ(sigmoid(Complex{x, kStep}).imag(), 0.0);
    EXPECT_EQ(sigmoid(Complex{-x, kStep}).imag(), 0.0);
  }
}

// Between −745 and −709 the textbook form 1/(1+e^−x) has overflowed although the result has not yet
// underflowed: there σ(x) = eˣ, because 1 + eˣ rounds to 1.
TEST(Scalar, SigmoidKeepsTinyResults) {
  for (const double x : {-720.0, -740.0}) {
    ASSERT_GT(std::exp(x), 0.0);
    EXPECT_EQ(sigmoid(x), std::exp(x));
    EXPECT_EQ(sigmoid(Complex{x, 0}).real(), std::exp(x));
  }
}

TEST(Scalar, ChoicesLookAtTheRealPartOnly) {
  const Complex low{-2, 5}, high{1, -7};
  EXPECT_EQ(abs_by_real(low), (Complex{2, -5}));
  EXPECT_EQ(abs_by_real(high), high);
  EXPECT_EQ(max_by_real(low, high), high);
  EXPECT_EQ(max_by_real(high, low), high);
  EXPECT_EQ(abs_by_real(-3.0), 3.0);
  EXPECT_EQ(max_by_real(-3.0, 2.0), 2.0);
  EXPECT_EQ(max_by_real(Complex{1, 2}, Complex{1, 9}), (Complex{1, 2})) << "ties: the first";
}

}  // namespace
}  // namespace ffn
