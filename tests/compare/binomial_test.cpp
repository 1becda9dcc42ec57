#include "ffn/compare/binomial.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace ffn {
namespace {

// How many of `grid` evenly spaced uniforms give each count. Inversion gives every count one
// stretch of (0, 1) as long as its probability, so this is grid · P(count) to within 1.
std::vector<double> counts_on_grid(int trials, double probability, int grid) {
  const BinomialSampler sampler(trials);
  std::vector<double> counts(static_cast<std::size_t>(trials) + 1);
  for (int i = 0; i < grid; ++i)
    ++counts[static_cast<std::size_t>(sampler.draw(trials, probability, (i + 0.5) / grid))];
  return counts;
}

TEST(Binomial, KnownProbabilities) {
  // (1 + x)^4 by hand, p = 0.3.
  const double known[] = {0.2401, 0.4116, 0.2646, 0.0756, 0.0081};
  const auto counts = counts_on_grid(4, 0.3, 100000);
  for (std::size_t k = 0; k <= 4; ++k) EXPECT_NEAR(counts[k], 100000 * known[k], 1.01) << k;
}

TEST(Binomial, EveryProbabilityByPascal) {
  for (const double p : {0.001, 0.05, 0.5, 0.93}) {
    constexpr int kTrials = 60, kGrid = 200000;
    // P after n + 1 trials from P after n: a second way to the same numbers.
    std::vector<double> pascal{1};
    for (int n = 0; n < kTrials; ++n) {
      std::vector<double> next(pascal.size() + 1);
      for (std::size_t k = 0; k < pascal.size(); ++k) {
        next[k] += (1 - p) * pascal[k];
        next[k + 1] += p * pascal[k];
      }
      pascal = next;
    }
    const auto counts = counts_on_grid(kTrials, p, kGrid);
    for (std::size_t k = 0; k <= kTrials; ++k)
      EXPECT_NEAR(counts[k], kGrid * pascal[k], 1.01) << p << " " << k;
  }
}

TEST(Binomial, MeanAndVarianceOfManyTrials) {
  constexpr int kTrials = 100000, kGrid = 20000;
  for (const double p : {1e-5, 0.02, 0.6, 0.999}) {
    const BinomialSampler sampler(kTrials);
    double sum = 0, squares = 0;
    for (int i = 0; i < kGrid; ++i) {
      const auto x = static_cast<double>(sampler.draw(kTrials, p, (i + 0.5) / kGrid));
      sum += x - kTrials * p;
      squares += (x - kTrials * p) * (x - kTrials * p);
    }
    // A grid misplaces at most one of its points per count; only counts within about 7 deviations
    // occur, so both moments are off by far less than a hundredth.
    const double variance = kTrials * p * (1 - p);
    EXPECT_NEAR(sum / kGrid, 0, 0.01 * std::sqrt(variance)) << p;
    EXPECT_NEAR(squares / kGrid / variance, 1, 0.02) << p;
  }
}

TEST(Binomial, Edges) {
  const BinomialSampler sampler(10);
  for (const double uniform : {1e-300, 0.3, 1 - 0x1p-53}) {
    EXPECT_EQ(sampler.draw(0, 0.5, uniform), 0);
    EXPECT_EQ(sampler.draw(10, 0, uniform), 0);
    EXPECT_EQ(sampler.draw(10, 1, uniform), 10);
    const auto count = sampler.draw(10, 0.7, uniform);
    EXPECT_GE(count, 0);
    EXPECT_LE(count, 10);
  }
}

}  // namespace
}  // namespace ffn
