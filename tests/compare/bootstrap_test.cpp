#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <random>
#include <vector>

#include "ffn/base/error.h"
#include "ffn/compare/paired_tests.h"

namespace ffn {
namespace {

using Values = std::vector<double>;

// `counts[i]` times `values[i]`, in a shuffled order.
Values mixed(const Values& values, const std::vector<std::size_t>& counts) {
  Values all;
  for (std::size_t i = 0; i < values.size(); ++i) all.insert(all.end(), counts[i], values[i]);
  std::mt19937_64 random(7);
  for (std::size_t i = all.size(); i > 1; --i) std::swap(all[i - 1], all[random() % i]);
  return all;
}

TEST(Bootstrap, KnownDistributionOfTwoExamples) {
  // Of {0, 1} the resampled mean is 0, ½, 1 with chances ¼, ½, ¼; half of them are as far from the
  // mean ½ as ½ is from 0. 40,000 resamples: five deviations of a share of ½ are 0.0125.
  for (const double scale : {1.0, 0.1, 1.0 / 3, -0.7}) {
    const ExampleTest test = paired_bootstrap(Values{0, scale}, {.resamples = 40000});
    EXPECT_DOUBLE_EQ(test.mean, scale / 2);
    EXPECT_NEAR(test.p, 0.5, 0.0125) << scale;
    EXPECT_NEAR(test.standard_error / std::abs(scale), std::sqrt(0.125), 0.009);
    EXPECT_EQ(test.interval.low, std::min(0.0, scale));
    EXPECT_EQ(test.interval.high, std::max(0.0, scale));
  }
}

TEST(Bootstrap, NearsTheNormalDistribution) {
  // Two seeds, five values. By the central limit theorem the resampled mean is normal with the
  // standard error below; five deviations of each estimate from 4000 resamples are 5.6 % of the
  // standard error, 0.21 of it for a percentile at 2.5 %, and 5 · √(p(1 − p)/4000) for p. Ties and
  // the steps of 1/2n move p by less than 0.01 more.
  const Values per_example = mixed({-1, -0.5, 0, 0.5, 1}, {100, 900, 7850, 1000, 150});
  const double n = 10000, mean = 100 / n;
  const double error = std::sqrt(((100 + 150 + 0.25 * 1900) / n - mean * mean) / n);
  const ExampleTest test = paired_bootstrap(per_example);
  EXPECT_NEAR(test.mean, mean, 1e-15);
  EXPECT_NEAR(test.standard_error / error, 1, 0.056);
  EXPECT_NEAR(test.interval.low, mean - 1.96 * error, 0.21 * error);
  EXPECT_NEAR(test.interval.high, mean + 1.96 * error, 0.21 * error);

  const Values small = mixed({-1, 0, 1}, {550, 8850, 600});
  const double z = 50 / std::sqrt(1150 - 0.25);
  const double p = std::erfc(z / std::sqrt(2.0));  // 0.14
  EXPECT_NEAR(paired_bootstrap(small).p, p, 5 * std::sqrt(p * (1 - p) / 4000) + 0.01);
}

TEST(Bootstrap, AllEqual) {
  const ExampleTest none = paired_bootstrap(Values(1000, 0.0));
  EXPECT_EQ(none.p, 1);
  EXPECT_EQ(none.mean, 0);
  EXPECT_EQ(none.interval.low, 0);
  EXPECT_EQ(none.interval.high, 0);
  EXPECT_EQ(none.standard_error, 0);
  const ExampleTest all = paired_bootstrap(Values(1000, 0.5), {.resamples = 99});
  EXPECT_EQ(all.p, 0.01);
  EXPECT_EQ(all.interval.low, 0.5);
  EXPECT_EQ(all.interval.high, 0.5);
  EXPECT_EQ(all.standard_error, 0);
}

TEST(Bootstrap, SameSeedSameResultOtherSeedOther) {
  const Values per_example = mixed({-1, 0, 1}, {50, 850, 100});
  const ExampleTest a = paired_bootstrap(per_example, {.seed = 3});
  const ExampleTest b = paired_bootstrap(per_example, {.seed = 3});
  const ExampleTest c = paired_bootstrap(per_example, {.seed = 4});
  EXPECT_EQ(a.standard_error, b.standard_error);
  EXPECT_EQ(a.p, b.p);
  EXPECT_NE(a.standard_error, c.standard_error);
  // The order of the examples is of no importance.
  Values sorted = per_example;
  std::sort(sorted.begin(), sorted.end());
  EXPECT_EQ(paired_bootstrap(sorted, {.seed = 3}).standard_error, a.standard_error);
}

TEST(Bootstrap, SwapAndShift) {
  EXPECT_TRUE(rc::check([](std::uint64_t seed) {
    const auto counts =
        *rc::gen::container<std::vector<std::size_t>>(5, rc::gen::inRange<std::size_t>(1, 60));
    const Values values{-1, -0.5, 0, 0.5, 1};
    const BootstrapOptions options{.resamples = 200, .seed = seed};
    const Values per_example = mixed(values, counts);
    const ExampleTest test = paired_bootstrap(per_example, options);
    RC_PRE(test.mean != 0);
    Values turned = per_example;
    for (double& value : turned) value = -value;
    const ExampleTest swapped = paired_bootstrap(turned, options);
    RC_ASSERT(swapped.mean == -test.mean);
    RC_ASSERT(swapped.p == test.p);
    RC_ASSERT(swapped.interval.low == -test.interval.high);
    RC_ASSERT(swapped.interval.high == -test.interval.low);
    RC_ASSERT(swapped.standard_error == test.standard_error);

    // A constant moves the interval, as long as the sign and with it the draw stay.
    Values shifted = test.mean > 0 ? per_example : turned;
    for (double& value : shifted) value += 2;
    const ExampleTest moved = paired_bootstrap(shifted, options);
    const ExampleTest& base = test.mean > 0 ? test : swapped;
    RC_ASSERT(std::abs(moved.mean - base.mean - 2) < 1e-12);
    RC_ASSERT(std::abs(moved.interval.low - base.interval.low - 2) < 1e-12);
    RC_ASSERT(std::abs(moved.interval.high - base.interval.high - 2) < 1e-12);
    RC_ASSERT(moved.p <= base.p);
  }));
}

// Two examples of weights 1 and 3 with differences 0 and 1: the resampled ratio is 0, ¾ or 1 with
// chances ¼, ½, ¼. ¾ is the mean, and no resample but the two zeros lies ¾ away from it. Mean of
// the ratios 5/8, square ½ · 9/16 + ¼ = 17/32, deviation √(17/32 − 25/64) = 3/8.
TEST(WeightedBootstrap, KnownDistributionOfTwoExamples) {
  for (const double scale : {1.0, -0.7}) {
    const ExampleTest test = paired_bootstrap(Values{0, scale}, Values{1, 3}, {.resamples = 40000});
    EXPECT_DOUBLE_EQ(test.mean, 0.75 * scale);
    EXPECT_NEAR(test.p, 0.25, 0.011);  // five deviations of a share of ¼
    EXPECT_NEAR(test.standard_error / std::abs(scale), 0.375, 0.007);
    EXPECT_DOUBLE_EQ(test.interval.low, std::min(0.0, scale));
    EXPECT_DOUBLE_EQ(test.interval.high, std::max(0.0, scale));
  }
}

// The ratio estimator's linear approximation, from the population itself: √(Σ (w·(d − m))²) / Σ w.
// With 2,000 examples the deviation of the resampled ratios is within 1 % of it, and 4,000
// resamples know it to 5.6 % at five deviations.
TEST(WeightedBootstrap, NearsTheRatioEstimator) {
  std::mt19937_64 random(5);
  const auto uniform = [&] { return static_cast<double>(random() >> 11) * 0x1p-53; };
  Values differences(2000), weights(2000);
  double sum = 0, weight = 0;
  for (std::size_t i = 0; i < 2000; ++i) {
    weights[i] = std::floor(50 + 900 * uniform() * uniform());
    differences[i] = 0.01 + 0.4 * (uniform() - 0.5);
    sum += weights[i] * differences[i];
    weight += weights[i];
  }
  double squares = 0;
  for (std::size_t i = 0; i < 2000; ++i)
    squares += std::pow(weights[i] * (differences[i] - sum / weight), 2);
  const double error = std::sqrt(squares) / weight;
  const ExampleTest test = paired_bootstrap(differences, weights);
  EXPECT_NEAR(test.mean, sum / weight, 1e-15);
  EXPECT_NEAR(test.standard_error / error, 1, 0.066);
  EXPECT_NEAR(test.interval.low, test.mean - 1.96 * error, 0.25 * error);
  EXPECT_NEAR(test.interval.high, test.mean + 1.96 * error, 0.25 * error);
}

TEST(WeightedBootstrap, EqualWeightsAreThePlainTestBitForBit) {
  const Values per_example = mixed({-1, 0, 1}, {550, 850, 600});
  const ExampleTest plain = paired_bootstrap(per_example);
  for (const double weight : {1.0, 256.0}) {
    const ExampleTest test = paired_bootstrap(per_example, Values(2000, weight));
    EXPECT_EQ(test.mean, plain.mean);
    EXPECT_EQ(test.p, plain.p);
    EXPECT_EQ(test.interval.low, plain.interval.low);
    EXPECT_EQ(test.interval.high, plain.interval.high);
    EXPECT_EQ(test.standard_error, plain.standard_error);
  }
}

TEST(WeightedBootstrap, SwapIsExact) {
  const Values per_example = mixed({-0.9, -0.3, 0.4, 1.1}, {30, 40, 50, 30});
  Values turned = per_example, weights(per_example.size());
  for (double& value : turned) value = -value;
  for (std::size_t i = 0; i < weights.size(); ++i) weights[i] = static_cast<double>(1 + i % 13);
  const ExampleTest test = paired_bootstrap(per_example, weights);
  const ExampleTest swapped = paired_bootstrap(turned, weights);
  EXPECT_NE(test.mean, 0);
  EXPECT_EQ(swapped.mean, -test.mean);
  EXPECT_EQ(swapped.p, test.p);
  EXPECT_EQ(swapped.interval.low, -test.interval.high);
  EXPECT_EQ(swapped.interval.high, -test.interval.low);
  EXPECT_EQ(swapped.standard_error, test.standard_error);
}

TEST(WeightedBootstrap, Errors) {
  EXPECT_THROW(paired_bootstrap(Values{1, 2}, Values{1}), Error);
  EXPECT_THROW(paired_bootstrap(Values{1, 2}, Values{1, 0}), Error);
  EXPECT_THROW(paired_bootstrap(Values{1, 2}, Values{1, -3}), Error);
  EXPECT_THROW(paired_bootstrap(Values{1, 2}, Values{1, std::nan("")}), Error);
  EXPECT_THROW(paired_bootstrap(Values{1, std::nan("")}, Values{1, 2}), Error);
}

TEST(Bootstrap, Errors) {
  EXPECT_THROW(paired_bootstrap(Values{}), Error);
  EXPECT_THROW(paired_bootstrap(Values{1}), Error);
  EXPECT_THROW(paired_bootstrap(Values{1, std::nan("")}), Error);
  EXPECT_THROW(paired_bootstrap(Values{1, 2}, {.resamples = 0}), Error);
  EXPECT_THROW(paired_bootstrap(Values{1, 2}, {.confidence = 1}), Error);
  EXPECT_THROW(paired_bootstrap(Values{1, 2}, {.confidence = 0}), Error);
  // One resample is enough to be called.
  EXPECT_EQ(paired_bootstrap(Values{0, 0}, {.resamples = 1}).p, 1);
}

}  // namespace
}  // namespace ffn
