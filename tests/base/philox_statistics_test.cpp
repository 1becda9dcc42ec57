// Moments and distances of fixed streams. With a fixed seed the outcome never changes; a bound of k
// standard errors says how surprising a failure of a correct generator would have been.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numbers>
#include <vector>

#include "ffn/base/philox.h"

namespace ffn {
namespace {

constexpr std::uint64_t kDraws = 1 << 18;
constexpr double kN = static_cast<double>(kDraws);
constexpr double kSigmas = 4.5;  // two-sided probability 7e-6 per statement

// Largest distance between the empirical distribution of `draws` and `cumulative`.
template <class Cumulative>
double kolmogorov_distance(std::vector<double> draws, const Cumulative& cumulative) {
  std::sort(draws.begin(), draws.end());
  double distance = 0;
  for (std::size_t i = 0; i < draws.size(); ++i) {
    const double expected = cumulative(draws[i]);
    const double n = static_cast<double>(draws.size());
    distance = std::max({distance, expected - static_cast<double>(i) / n,
                         static_cast<double>(i + 1) / n - expected});
  }
  return distance;
}
// Kolmogorov: P(√n·D > t) ≈ 2·exp(−2t²); t = 2.4 gives 2e-5.
const double kDistanceBound = 2.4 / std::sqrt(kN);

double correlation_sum(const std::vector<double>& x, const std::vector<double>& y, double mean) {
  double sum = 0;
  for (std::size_t i = 0; i < x.size(); ++i) sum += (x[i] - mean) * (y[i] - mean);
  return sum;
}

std::vector<double> uniforms(const RandomStream& stream, std::uint64_t step, std::uint64_t shift) {
  std::vector<double> draws(kDraws);
  for (std::uint64_t i = 0; i < kDraws; ++i) draws[i] = stream.uniform(step, i + shift);
  return draws;
}

TEST(PhiloxStatistics, Uniform) {
  const std::vector<double> draws = uniforms(RandomStream(1, "uniform"), 0, 0);
  double mean = 0, square = 0;
  for (const double u : draws) {
    ASSERT_GT(u, 0);
    ASSERT_LT(u, 1);
    mean += u / kN;
    square += (u - 0.5) * (u - 0.5) / kN;
  }
  // Var u = 1/12; Var (u−½)² = 1/80 − 1/144 = 1/180.
  EXPECT_NEAR(mean, 0.5, kSigmas * std::sqrt(1 / 12.0 / kN));
  EXPECT_NEAR(square, 1 / 12.0, kSigmas * std::sqrt(1 / 180.0 / kN));
  EXPECT_LT(kolmogorov_distance(draws, [](double u) { return u; }), kDistanceBound);
}

TEST(PhiloxStatistics, NeighboursStepsSeedsAndNamesAreUncorrelated) {
  const std::vector<double> base = uniforms(RandomStream(1, "a"), 0, 0);
  const std::vector<std::vector<double>> others = {
      uniforms(RandomStream(1, "a"), 0, 1), uniforms(RandomStream(1, "a"), 0, 4),
      uniforms(RandomStream(1, "a"), 1, 0), uniforms(RandomStream(2, "a"), 0, 0),
      uniforms(RandomStream(1, "b"), 0, 0), uniforms(RandomStream(1, "aa"), 0, 0)};
  // The sum of N products of independent centred uniforms has variance N/144.
  for (const auto& other : others) {
    EXPECT_NEAR(correlation_sum(base, other, 0.5), 0, kSigmas * std::sqrt(kN / 144));
  }
}

TEST(PhiloxStatistics, Normal) {
  const RandomStream stream(1, "normal");
  std::vector<double> draws(kDraws), next(kDraws);
  double moments[5] = {};
  for (std::uint64_t i = 0; i < kDraws; ++i) {
    draws[i] = stream.normal(5, i);
    next[i] = stream.normal(5, i + 1);
    for (int k = 1; k <= 4; ++k) moments[k] += std::pow(draws[i], k) / kN;
  }
  // Var xᵏ = E x²ᵏ − (E xᵏ)²: 1, 3−1, 15, 105−9.
  EXPECT_NEAR(moments[1], 0, kSigmas * std::sqrt(1 / kN));
  EXPECT_NEAR(moments[2], 1, kSigmas * std::sqrt(2 / kN));
  EXPECT_NEAR(moments[3], 0, kSigmas * std::sqrt(15 / kN));
  EXPECT_NEAR(moments[4], 3, kSigmas * std::sqrt(96 / kN));
  EXPECT_NEAR(correlation_sum(draws, next, 0), 0, kSigmas * std::sqrt(kN));
  const auto phi = [](double x) { return 0.5 * std::erfc(-x / std::numbers::sqrt2); };
  EXPECT_LT(kolmogorov_distance(draws, phi), kDistanceBound);
}

TEST(PhiloxStatistics, BelowIsFlat) {
  const RandomStream stream(1, "below");
  for (const std::uint32_t bound : {2u, 3u, 10u, 257u}) {
    std::vector<double> counts(bound);
    for (std::uint64_t i = 0; i < kDraws; ++i) {
      const std::uint32_t draw = stream.below(bound, bound, i);
      ASSERT_LT(draw, bound);
      counts[draw] += 1;
    }
    double chi_square = 0;
    for (const double count : counts) {
      chi_square += (count - kN / bound) * (count - kN / bound) / (kN / bound);
    }
    // Wilson–Hilferty: (χ²/k)^⅓ is close to normal with mean 1 − 2/9k and variance 2/9k.
    const double k = bound - 1;
    const double limit = k * std::pow(1 - 2 / (9 * k) + kSigmas * std::sqrt(2 / (9 * k)), 3);
    EXPECT_LT(chi_square, limit) << bound;
  }
}

}  // namespace
}  // namespace ffn
