#include "ffn/report/axis_ticks.h"

#include <gtest/gtest.h>

#include <array>

namespace ffn {
namespace {

std::vector<std::string> labels(const AxisTicks& ticks) {
  std::vector<std::string> texts;
  for (const Tick& tick : ticks.ticks) texts.push_back(tick.label);
  return texts;
}

using Texts = std::vector<std::string>;

TEST(AxisTicks, StepsAreOneTwoFive) {
  EXPECT_EQ(labels(axis_ticks({.title = ""}, 0, 10)), (Texts{"0", "2", "4", "6", "8", "10"}));
  EXPECT_EQ(labels(axis_ticks({.title = ""}, 0.31, 0.99)),
            (Texts{"0.2", "0.4", "0.6", "0.8", "1.0"}));
  EXPECT_EQ(labels(axis_ticks({.title = ""}, -1, 1, 4)),
            (Texts{"-1.0", "-0.5", "0.0", "0.5", "1.0"}));
}

TEST(AxisTicks, LabelsCarryTheirUnit) {
  EXPECT_EQ(labels(axis_ticks({"", NumberStyle::percent}, 0.861, 0.882, 4)),
            (Texts{"86 %", "87 %", "88 %", "89 %"}));
  EXPECT_EQ(labels(axis_ticks({"", NumberStyle::bytes}, 100 * 1048576.0, 190 * 1048576.0, 4)),
            (Texts{"100 MiB", "150 MiB", "200 MiB"}));
  EXPECT_EQ(labels(axis_ticks({"", NumberStyle::count}, 0, 2000, 4)),
            (Texts{"0", "500", "1,000", "1,500", "2,000"}));
  EXPECT_EQ(labels(axis_ticks({"", NumberStyle::count}, 5200000, 5390000, 2)),
            (Texts{"5.2 M", "5.3 M", "5.4 M"}));
}

TEST(AxisTicks, LogarithmicDecadesAndPowersOfTwo) {
  const AxisTicks decades = axis_ticks({"", NumberStyle::plain, true}, 0.002, 30);
  EXPECT_TRUE(decades.logarithmic);
  EXPECT_EQ(labels(decades), (Texts{"0.001", "0.01", "0.1", "1", "10", "100"}));
  EXPECT_NEAR(decades.share(0.1), 0.4, 1e-12);
  EXPECT_EQ(labels(axis_ticks({"", NumberStyle::bytes, true}, 3 * 1048576.0, 30 * 1048576.0)),
            (Texts{"2 MiB", "4 MiB", "8 MiB", "16 MiB", "32 MiB"}));
}

TEST(AxisTicks, SharesStayWithinZeroAndOneHundredPercent) {
  const AxisTicks best = axis_ticks({"", NumberStyle::percent, false, 0.01}, 0.999, 1.0);
  EXPECT_EQ(best.high, 1.0);
  EXPECT_LE(best.low, 0.99);
  const AxisTicks worst = axis_ticks({"", NumberStyle::percent, false, 0.01}, 0.0, 0.0);
  EXPECT_EQ(worst.low, 0.0);
  EXPECT_GE(worst.high, 0.01);
}

TEST(AxisTicks, ATinyDifferenceDoesNotFillTheAxis) {
  const AxisTicks ticks = axis_ticks({"", NumberStyle::percent, false, 0.01}, 0.8700, 0.8701);
  EXPECT_GE(ticks.high - ticks.low, 0.01);
}

// Every range, of every kind, is covered by an axis that has width, with ascending ticks inside.
TEST(AxisTicks, CoverTheRange) {
  constexpr std::array kNumbers{1e-300, 1e-9, 0.03, 0.1,    0.3,      0.7, 0.9999999, 1.0,
                                1.1,    7.0,  96.0, 1024.0, 262144.0, 3e7, 1.5e12,    1e300};
  using enum NumberStyle;
  for (const NumberStyle style : {plain, count, bytes, flops, percent}) {
    for (const bool logarithmic : {false, true}) {
      for (std::size_t i = 0; i < kNumbers.size(); ++i) {
        for (std::size_t j = i; j < kNumbers.size(); ++j) {
          for (const int wanted : {1, 5}) {
            const double low = kNumbers[i], high = kNumbers[j];
            SCOPED_TRACE(std::to_string(low) + " to " + std::to_string(high));
            const AxisTicks ticks = axis_ticks({"", style, logarithmic}, low, high, wanted);
            ASSERT_LE(ticks.low, low);
            ASSERT_GE(ticks.high, high);
            ASSERT_LT(ticks.low, ticks.high);
            ASSERT_FALSE(ticks.ticks.empty());
            ASSERT_LE(ticks.ticks.size(), 24U);
            double before = -1;
            for (const Tick& tick : ticks.ticks) {
              const double share = ticks.share(tick.value);
              ASSERT_GE(share, 0);
              ASSERT_LE(share, 1);
              ASSERT_GT(share, before);
              before = share;
            }
          }
        }
      }
    }
  }
}

TEST(FixedText, HasNoNegativeZero) {
  EXPECT_EQ(fixed_text(-0.001, 2), "0.00");
  EXPECT_EQ(fixed_text(-0.25, 2), "-0.25");
  EXPECT_EQ(fixed_text(1234.5, 1), "1234.5");
}

}  // namespace
}  // namespace ffn
