#include "ffn/compare/paired_tests.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "ffn/base/error.h"

namespace ffn {
namespace {

using Values = std::vector<double>;

Values negated(Values values) {
  for (double& value : values) value = -value;
  return values;
}

TEST(PairedTTest, KnownAnswers) {
  // Mean 2, deviation 1, t = 2√3; with two degrees p = 1 − t/√(2 + t²) = 1 − √(12/14).
  const SeedTest three = paired_t_test(Values{1, 2, 3});
  EXPECT_DOUBLE_EQ(three.mean, 2);
  EXPECT_NEAR(three.p, 1 - std::sqrt(12.0 / 14), 1e-14);
  EXPECT_NEAR(three.interval.low, 2 - 4.302652729749 / std::sqrt(3), 1e-11);
  EXPECT_NEAR(three.interval.high, 2 + 4.302652729749 / std::sqrt(3), 1e-11);
  // Mean 1, standard error 1, t = 1; one degree: p = 1/2.
  const SeedTest two = paired_t_test(Values{0, 2}, 0.9);
  EXPECT_NEAR(two.p, 0.5, 1e-14);
  EXPECT_NEAR(two.interval.high, 1 + 6.313751514675, 1e-11);
}

TEST(PairedTTest, EqualDifferences) {
  const SeedTest none = paired_t_test(Values{0, 0, 0});
  EXPECT_EQ(none.p, 1);
  EXPECT_EQ(none.interval.low, 0);
  EXPECT_EQ(none.interval.high, 0);
  // The sum of three 0.1 over 3 is not 0.1.
  const SeedTest same = paired_t_test(Values{0.1, 0.1, 0.1});
  EXPECT_EQ(same.p, 0);
  EXPECT_EQ(same.mean, 0.1);
  EXPECT_EQ(same.interval.low, 0.1);
  EXPECT_EQ(same.interval.high, 0.1);
}

TEST(PairedTTest, SwapAndShift) {
  EXPECT_TRUE(rc::check([] {
    const auto size = *rc::gen::inRange<std::size_t>(2, 12);
    const auto whole = *rc::gen::container<std::vector<int>>(size, rc::gen::inRange(-50, 50));
    const Values values(whole.begin(), whole.end());
    const SeedTest test = paired_t_test(values), swapped = paired_t_test(negated(values));
    RC_ASSERT(swapped.mean == -test.mean);
    RC_ASSERT(swapped.p == test.p);
    RC_ASSERT(swapped.interval.low == -test.interval.high);
    RC_ASSERT(swapped.interval.high == -test.interval.low);
    // The interval excludes 0 exactly when p < 1 − confidence.
    const bool excludes = test.interval.low > 0 || test.interval.high < 0;
    if (std::abs(test.p - 0.05) > 1e-9) RC_ASSERT(excludes == (test.p < 0.05));

    Values shifted = values;
    for (double& value : shifted) value += 7;
    const SeedTest moved = paired_t_test(shifted);
    const double close = 1e-9 * (1 + std::abs(test.interval.high - test.interval.low));
    RC_ASSERT(std::abs(moved.mean - test.mean - 7) < close);
    RC_ASSERT(std::abs(moved.interval.low - test.interval.low - 7) < close);
    RC_ASSERT(std::abs(moved.interval.high - test.interval.high - 7) < close);
  }));
}

TEST(PairedTTest, Errors) {
  EXPECT_THROW(paired_t_test(Values{}), Error);
  EXPECT_THROW(paired_t_test(Values{1}), Error);
  EXPECT_THROW(paired_t_test(Values{1, std::nan("")}), Error);
  EXPECT_THROW(paired_t_test(Values{1, 2}, 1), Error);
  EXPECT_THROW(paired_t_test(Values{1, 2}, 0), Error);
}

TEST(Equivalence, KnownAnswersOverSeeds) {
  // Mean 0, t = −4√3, two degrees: (1 − √(48/50)) / 2.
  const double even = 0.5 * (1 - std::sqrt(48.0 / 50));
  EXPECT_NEAR(equivalence_p(Values{-1, 0, 1}, 4), even, 1e-14);
  // Mean 1: the nearer bound decides, t = −3√3: (1 − √(27/29)) / 2.
  const double nearer = 0.5 * (1 - std::sqrt(27.0 / 29));
  EXPECT_NEAR(equivalence_p(Values{0, 1, 2}, 4), nearer, 1e-14);
  EXPECT_NEAR(equivalence_p(Values{0, -1, -2}, 4), nearer, 1e-14);
  // On the bound and beyond it.
  EXPECT_NEAR(equivalence_p(Values{3, 4, 5}, 4), 0.5, 1e-14);
  EXPECT_GT(equivalence_p(Values{8, 9, 10}, 4), 0.9);
  EXPECT_EQ(equivalence_p(Values{0.5, 0.5}, 1), 0);
  EXPECT_EQ(equivalence_p(Values{-1, -1}, 1), 1);
}

TEST(Equivalence, KnownAnswersOverExamples) {
  ExampleTest test;
  test.standard_error = 0.01;
  // Normal tails: P(Z ≤ −1.6448536269514722) = 0.05.
  EXPECT_NEAR(equivalence_p(test, 0.016448536269514722), 0.05, 1e-12);
  test.mean = -0.01;
  EXPECT_NEAR(equivalence_p(test, 0.026448536269514722), 0.05, 1e-12);
  test.mean = 0.05;
  EXPECT_GT(equivalence_p(test, 0.02), 0.99);
  test.standard_error = 0;
  EXPECT_EQ(equivalence_p(test, 0.06), 0);
  EXPECT_EQ(equivalence_p(test, 0.05), 1);
}

// The declaration promises it, and judge() leans on it.
TEST(Equivalence, IsTheNinetyPercentIntervalInsideTheMargin) {
  EXPECT_TRUE(rc::check([] {
    const auto whole = *rc::gen::container<std::vector<int>>(5, rc::gen::inRange(-30, 30));
    const Values values(whole.begin(), whole.end());
    const double margin = *rc::gen::inRange(1, 60);
    const double p = equivalence_p(values, margin);
    const Interval interval = paired_t_test(values, 0.9).interval;
    RC_PRE(std::abs(p - 0.05) > 1e-9);
    RC_ASSERT((p < 0.05) == (interval.low > -margin && interval.high < margin));
  }));
}

TEST(Equivalence, Errors) {
  for (const double margin : {0.0, -1.0, std::nan(""), std::numeric_limits<double>::infinity()}) {
    EXPECT_THROW(equivalence_p(Values{1, 2}, margin), Error);
    EXPECT_THROW(equivalence_p(ExampleTest{}, margin), Error);
  }
  EXPECT_THROW(equivalence_p(Values{1}, 1), Error);
}

TEST(Holm, KnownAnswer) {
  // Sorted: 4 · 0.005, 3 · 0.01, 2 · 0.03, and 0.04 raised to the 0.06 before it.
  const auto adjusted = holm(Values{0.01, 0.04, 0.03, 0.005});
  const double known[] = {0.03, 0.06, 0.06, 0.02};
  ASSERT_EQ(adjusted.size(), 4u);
  for (std::size_t i = 0; i < 4; ++i) EXPECT_DOUBLE_EQ(adjusted[i], known[i]) << i;
  EXPECT_EQ(holm(Values{}), Values{});
  EXPECT_EQ(holm(Values{0.3}), Values{0.3});
  EXPECT_EQ(holm(Values{0.6, 0.9}), (Values{1, 1}));
}

TEST(Holm, BoundsAndOrder) {
  EXPECT_TRUE(rc::check([](const std::vector<std::uint16_t>& words) {
    Values p;
    for (const std::uint16_t word : words) p.push_back(word / 65535.0);
    const auto adjusted = holm(p);
    RC_ASSERT(adjusted.size() == p.size());
    for (std::size_t i = 0; i < p.size(); ++i) {
      RC_ASSERT(adjusted[i] >= p[i]);
      RC_ASSERT(adjusted[i] <= std::min(1.0, static_cast<double>(p.size()) * p[i]));
      for (std::size_t j = 0; j < p.size(); ++j)
        if (p[i] <= p[j]) RC_ASSERT(adjusted[i] <= adjusted[j]);
    }
    if (!p.empty()) {
      // The smallest is multiplied by the number of tests.
      const double least = *std::min_element(p.begin(), p.end());
      RC_ASSERT(*std::min_element(adjusted.begin(), adjusted.end()) ==
                std::min(1.0, static_cast<double>(p.size()) * least));
    }
  }));
}

TEST(Holm, Errors) {
  for (const double p : {-0.1, 1.1, std::nan("")}) EXPECT_THROW(holm(Values{0.5, p}), Error);
}

}  // namespace
}  // namespace ffn
