#include "ffn/compare/judge.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "compare/made_up_results.h"
#include "ffn/base/error.h"
#include "ffn/compare/design_summary.h"

namespace ffn {
namespace {

ComparisonResult judged(std::vector<DesignResult> designs, double margin = 0) {
  ComparisonResult result;
  result.designs = std::move(designs);
  result.margin = margin;
  judge(result);
  return result;
}

// Three seeds of 1000 pictures. Differences in pictures, and p by hand with two degrees of freedom,
// 1 − √(t²/(2 + t²)):
//   A − B  20  25  15   t² = 48      p = 1 − √(48/50)
//   A − C  −2   6  −1   t² = 3/19    p = 1 − √(3/41)
//   B − C −22 −19 −16   t² = 361/3   p = 1 − √(361/367), the smallest
ComparisonResult three_designs() {
  return judged({design_of_counts("A", {900, 910, 905}), design_of_counts("B", {880, 885, 890}),
                 design_of_counts("C", {902, 904, 906})});
}

TEST(Judge, KnownAnswersOverSeeds) {
  const ComparisonResult result = three_designs();
  ASSERT_EQ(result.pairs.size(), 3u);
  const double p[] = {1 - std::sqrt(48.0 / 50), 1 - std::sqrt(3.0 / 41),
                      1 - std::sqrt(361.0 / 367)};
  const double adjusted[] = {2 * p[0], p[1], 3 * p[2]};
  const double differences[] = {0.020, 0.001, -0.019};
  const std::pair<std::size_t, std::size_t> designs[] = {{0, 1}, {0, 2}, {1, 2}};
  const PairOutcome outcomes[] = {PairOutcome::first_better, PairOutcome::undecided,
                                  PairOutcome::second_better};
  for (std::size_t i = 0; i < 3; ++i) {
    const PairResult& pair = result.pairs[i];
    EXPECT_EQ(std::pair(pair.first, pair.second), designs[i]);
    EXPECT_EQ(pair.basis, PairBasis::seeds);
    EXPECT_NEAR(pair.difference, differences[i], 1e-15);
    EXPECT_NEAR(pair.p, p[i], 1e-11);
    EXPECT_NEAR(pair.adjusted_p, adjusted[i], 1e-11);
    EXPECT_EQ(pair.outcome, outcomes[i]);
    EXPECT_EQ(pair.equivalence_p, 1);
  }
  ASSERT_EQ(result.pairs[0].per_seed.size(), 3u);
  EXPECT_NEAR(result.pairs[0].per_seed[1], 0.025, 1e-15);
  EXPECT_NEAR(result.pairs[0].interval.low, 0.02 - 4.302652729749 * 0.005 / std::sqrt(3), 1e-12);
  EXPECT_EQ(result.verdict.leaders, (std::vector<std::size_t>{0, 2}));
}

TEST(Judge, HolmCountsEveryPair) {
  auto designs = three_designs().designs;
  const auto alone = judged({designs[0], designs[1]});
  EXPECT_EQ(alone.pairs.at(0).adjusted_p, alone.pairs[0].p);
  designs.push_back(design_of_counts("D", {500, 502, 498}));
  const ComparisonResult result = judged(designs);
  ASSERT_EQ(result.pairs.size(), 6u);
  // All three pairs with D are surer than B against C, which is the fourth of six.
  EXPECT_NEAR(result.pairs[3].adjusted_p, 3 * result.pairs[3].p, 1e-12);
  double least_p = 1, least_adjusted = 1;
  for (const PairResult& pair : result.pairs) {
    least_p = std::min(least_p, pair.p);
    least_adjusted = std::min(least_adjusted, pair.adjusted_p);
  }
  EXPECT_NEAR(least_adjusted, 6 * least_p, 1e-15);
}

TEST(Judge, FewerThanThreeSeedsGoByExamples) {
  // 40 pictures right in A alone, 10 in B alone, for both seeds: per picture 1, −1 or 0, deviation
  // of the sum √50: z = 4.2.
  Answers a(1000), b(1000);
  for (std::size_t i = 0; i < 40; ++i) a[i] = 1;
  for (std::size_t i = 40; i < 50; ++i) b[i] = 1;
  for (std::size_t i = 50; i < 900; ++i) a[i] = b[i] = 1;
  for (const std::size_t seeds : {1u, 2u}) {
    const ComparisonResult result = judged({design_of_answers("A", std::vector<Answers>(seeds, a)),
                                            design_of_answers("B", std::vector<Answers>(seeds, b))},
                                           0.001);
    const PairResult& pair = result.pairs.at(0);
    EXPECT_EQ(pair.basis, PairBasis::examples);
    EXPECT_NEAR(pair.difference, 0.03, 1e-15);
    EXPECT_EQ(pair.per_seed.size(), seeds);
    EXPECT_LT(pair.p, 0.002);
    EXPECT_NEAR(pair.interval.low, 0.03 - 1.96 * std::sqrt(0.05) / std::sqrt(1000.0), 0.002);
    EXPECT_EQ(pair.outcome, PairOutcome::first_better);
    EXPECT_GT(pair.equivalence_p, 0.99);
  }
}

TEST(Judge, ExamplesTakeTheMeanOverSeeds) {
  // 50 pictures more with the one seed, 30 more with the other.
  const auto result =
      judged({design_of_counts("A", {900, 880}), design_of_counts("B", {850, 850})});
  EXPECT_NEAR(result.pairs.at(0).difference, 0.04, 1e-15);
  ASSERT_EQ(result.pairs[0].per_seed.size(), 2u);
  EXPECT_NEAR(result.pairs[0].per_seed[0], 0.05, 1e-15);
  EXPECT_NEAR(result.pairs[0].per_seed[1], 0.03, 1e-15);
}

// Runs with the same number right that get different pictures right are not the same evidence as
// runs that agree on every picture.
TEST(Judge, ExamplesArePaired) {
  Answers a(1000, 1), b(1000, 1);
  for (std::size_t i = 0; i < 100; ++i) a[i] = 0;
  for (std::size_t i = 900; i < 1000; ++i) b[i] = 0;
  b[500] = 0;
  const auto other = judged({design_of_answers("A", {a}), design_of_answers("B", {b})});
  Answers c = a;
  c[500] = 0;
  const auto alike = judged({design_of_answers("A", {a}), design_of_answers("C", {c})});
  EXPECT_NEAR(other.pairs[0].difference, 0.001, 1e-15);
  EXPECT_NEAR(alike.pairs[0].difference, 0.001, 1e-15);
  EXPECT_NEAR(other.pairs[0].interval.high - other.pairs[0].interval.low, 0.055, 0.01);
  EXPECT_LT(alike.pairs[0].interval.high - alike.pairs[0].interval.low, 0.006);
}

TEST(Judge, DesignGivenTwiceTiesExactly) {
  for (const std::size_t seeds : {2u, 4u}) {
    const std::vector<int> counts = {901, 911, 895, 907}, lower = {700, 705, 698, 703};
    const std::vector<int> a(counts.begin(), counts.begin() + static_cast<std::ptrdiff_t>(seeds));
    const std::vector<int> b(lower.begin(), lower.begin() + static_cast<std::ptrdiff_t>(seeds));
    DesignResult again = design_of_counts("A", a);
    again.label = "A again";
    const auto result = judged({design_of_counts("A", a), design_of_counts("B", b), again}, 0.01);
    const PairResult& tie = result.pairs.at(1);
    EXPECT_EQ(tie.basis, PairBasis::same);
    EXPECT_EQ(tie.outcome, PairOutcome::tie);
    EXPECT_EQ(tie.difference, 0);
    EXPECT_EQ(tie.per_seed, std::vector<double>(seeds, 0.0));
    EXPECT_EQ(tie.interval.low, 0);
    EXPECT_EQ(tie.interval.high, 0);
    EXPECT_EQ(tie.p, 1);
    EXPECT_EQ(tie.adjusted_p, 1);
    EXPECT_EQ(tie.equivalence_p, 0);
    // Holm over the two others only.
    EXPECT_EQ(result.pairs[0].p, result.pairs[2].p);
    EXPECT_DOUBLE_EQ(result.pairs[0].adjusted_p, 2 * result.pairs[0].p);
    EXPECT_EQ(result.verdict.leaders, (std::vector<std::size_t>{0, 2}));
  }
}

TEST(Judge, LearningRateMakesItAnotherDesign) {
  DesignResult other = design_of_counts("A", {901, 911, 895});
  other.learning_rate = 0.01;
  const auto result = judged({design_of_counts("A", {901, 911, 895}), other});
  EXPECT_EQ(result.pairs.at(0).basis, PairBasis::seeds);
  EXPECT_EQ(result.pairs[0].outcome, PairOutcome::undecided);
}

TEST(Judge, EquivalentGoesBeforeBetter) {
  // 3, 4 and 5 pictures of 1000: surely better, and surely by less than a point.
  const std::vector<DesignResult> designs = {design_of_counts("A", {903, 914, 905}),
                                             design_of_counts("B", {900, 910, 900})};
  const auto plain = judged(designs);
  EXPECT_EQ(plain.pairs.at(0).outcome, PairOutcome::first_better);
  EXPECT_EQ(plain.verdict.leaders, std::vector<std::size_t>{0});
  const auto within = judged(designs, 0.01);
  EXPECT_LE(within.pairs.at(0).adjusted_p, 0.05);
  EXPECT_LE(within.pairs[0].equivalence_p, 0.05);
  EXPECT_EQ(within.pairs[0].outcome, PairOutcome::equivalent);
  EXPECT_EQ(within.verdict.leaders, (std::vector<std::size_t>{0, 1}));
  const auto beyond = judged(designs, 0.003);
  EXPECT_EQ(beyond.pairs.at(0).outcome, PairOutcome::first_better);
}

TEST(Judge, OneDesign) {
  const auto result = judged({design_of_counts("A", {901})});
  EXPECT_TRUE(result.pairs.empty());
  EXPECT_EQ(result.verdict.leaders, std::vector<std::size_t>{0});
}

// With 21 designs there are 210 pairs: 4000 resamples could find nothing.
TEST(Judge, ManyDesignsCanStillBeToldApart) {
  std::vector<DesignResult> designs;
  for (int i = 0; i < 21; ++i)
    designs.push_back(design_of_counts("design " + std::to_string(i), {900 - 40 * i}));
  const auto result = judged(designs);
  EXPECT_EQ(result.pairs.size(), 210u);
  EXPECT_EQ(result.verdict.leaders, std::vector<std::size_t>{0});
}

TEST(Judge, JudgingTwiceIsJudgingOnce) {
  ComparisonResult result = three_designs();
  const ComparisonResult once = result;
  judge(result);
  EXPECT_EQ(result.pairs.size(), once.pairs.size());
  EXPECT_EQ(result.verdict.sentence, once.verdict.sentence);
}

TEST(Judge, Errors) {
  const auto fails = [](std::vector<DesignResult> designs, double margin = 0) {
    EXPECT_THROW(judged(std::move(designs), margin), Error);
  };
  const DesignResult good = design_of_counts("A", {9, 8}, 10);
  fails({});
  fails({DesignResult{}});
  fails({good, design_of_counts("B", {9}, 10)});
  fails({good}, -0.1);
  fails({good}, std::nan(""));
  DesignResult bad = design_of_counts("B", {9, 8}, 10);
  bad.runs[1].seed = 7;
  fails({good, bad});
  bad = design_of_counts("B", {9, 8}, 10);
  bad.runs[1].qualities.pop_back();
  fails({good, bad});
  bad = design_of_counts("B", {9, 8}, 10);
  bad.runs[1].test.right = 7;
  fails({good, bad});
  bad = design_of_counts("B", {9, 8}, 10);
  for (RunResult& run : bad.runs) run.qualities.clear();
  fails({good, bad});
  fails({bad, good});
  bad = design_of_counts("B", {9, 8}, 10);
  bad.runs[1].weights[3] = 2;
  fails({good, bad});
}

ComparisonResult judged_bits(std::vector<DesignResult> designs, double margin = 0) {
  ComparisonResult result;
  result.measure = Measure::bits_per_byte;
  result.designs = std::move(designs);
  result.margin = margin;
  judge(result);
  return result;
}

// The numbers of three_designs() as bits: A − B is 0.020, 0.025, 0.015, so B is the better one.
TEST(JudgeBits, LowerWins) {
  const ComparisonResult result = judged_bits({design_of_bits("A", {1.900, 1.910, 1.905}),
                                               design_of_bits("B", {1.880, 1.885, 1.890}),
                                               design_of_bits("C", {1.902, 1.904, 1.906})});
  ASSERT_EQ(result.pairs.size(), 3u);
  EXPECT_NEAR(result.pairs[0].difference, 0.020, 1e-12);
  EXPECT_NEAR(result.pairs[0].p, 1 - std::sqrt(48.0 / 50), 1e-9);
  EXPECT_EQ(result.pairs[0].outcome, PairOutcome::second_better);
  EXPECT_EQ(result.pairs[1].outcome, PairOutcome::undecided);
  EXPECT_EQ(result.pairs[2].outcome, PairOutcome::first_better);
  EXPECT_EQ(result.verdict.leaders, std::vector<std::size_t>{1});
  EXPECT_EQ(in_favour_of_first(pair_of(result, 1, 0), Measure::bits_per_byte).difference,
            result.pairs[0].difference);
}

// A needs 0.1 bits fewer on 300 short documents and 0.05 more on 100 that are ten times as long:
// counted by documents A wins, by bytes it loses, by (1000 · 0.05 − 300 · 0.1) / 1300.
TEST(JudgeBits, DocumentsWeighAsTheirBytes) {
  std::vector<std::int32_t> bytes(400, 100);
  std::vector<double> a(400, 1.9), b(400, 2.0);
  for (std::size_t i = 0; i < 400; ++i) {
    const double own = 0.01 * static_cast<double>(i % 7);
    if (i % 4 == 3) {
      bytes[i] = 1000;
      b[i] = 1.85;
    }
    a[i] += own;
    b[i] += own;
  }
  for (const std::size_t seeds : {1u, 2u}) {
    const ComparisonResult result =
        judged_bits({design_of_documents("A", std::vector(seeds, a), bytes),
                     design_of_documents("B", std::vector(seeds, b), bytes)},
                    0.001);
    const PairResult& pair = result.pairs.at(0);
    EXPECT_EQ(pair.basis, PairBasis::examples);
    EXPECT_NEAR(pair.difference, 20.0 / 1300, 1e-12);
    EXPECT_NEAR(pair.per_seed.at(0), 20.0 / 1300, 1e-12);
    EXPECT_EQ(pair.outcome, PairOutcome::second_better);
    EXPECT_EQ(result.verdict.leaders, std::vector<std::size_t>{1});
  }
}

TEST(JudgeBits, Errors) {
  const DesignResult good = design_of_bits("A", {1.9});
  const auto fails = [&](const DesignResult& bad) {
    EXPECT_THROW(judged_bits({good, bad}), Error);
    EXPECT_THROW(judged_bits({bad, good}), Error);
  };
  EXPECT_NO_THROW(judged_bits({good, design_of_bits("B", {1.8})}));
  DesignResult bad = design_of_bits("B", {1.8});
  bad.runs[0].weights[2] += 1;
  fails(bad);
  bad = design_of_bits("B", {1.8});
  bad.runs[0].qualities[2] += 0.001;
  fails(bad);
  bad = design_of_bits("B", {1.8});
  ++bad.runs[0].test.count;
  fails(bad);
}

}  // namespace
}  // namespace ffn
