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
