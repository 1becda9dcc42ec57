#include "ffn/compare/verdict_sentence.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "compare/made_up_results.h"
#include "ffn/compare/judge.h"

namespace ffn {
namespace {

std::string sentence(std::vector<DesignResult> designs, double margin = 0,
                     Measure measure = Measure::accuracy) {
  ComparisonResult result;
  result.measure = measure;
  result.designs = std::move(designs);
  result.margin = margin;
  judge(result);
  return result.verdict.sentence;
}

const std::vector<int> kHigh = {900, 910, 905}, kLow = {880, 885, 890}, kMiddle = {902, 904, 906};

TEST(VerdictSentence, OneLeader) {
  EXPECT_EQ(sentence({with_costs(design_of_counts("mlp(gelu)", kLow), 1000, 10, 1 << 20),
                      with_costs(design_of_counts("glu(silu)", kHigh), 1030, 12, 1 << 19)}),
            "Take glu(silu): 90.5 % of the test pictures right, 2.0 points more than the next, "
            "mlp(gelu) (95 % interval 0.8 to 3.2 over 3 seeds), at 1.03 × its parameters, 1.20 × "
            "its time per training step and 0.50 × its peak memory in training.");
}

TEST(VerdictSentence, OneLeaderOfMany) {
  const DesignResult worst = design_of_counts("relu", {500, 502, 498});
  const std::string text = sentence({design_of_counts("mlp(gelu)", {780, 784, 788}), worst,
                                     design_of_counts("glu(silu)", kHigh)});
  EXPECT_EQ(text.rfind("Take glu(silu): 90.5 % of the test pictures right, 12.1 points more than "
                       "the next, mlp(gelu) (95 % interval ",
                       0),
            0u)
      << text;
  EXPECT_NE(text.find(". It is shown to be better than the other design too."), std::string::npos);
  EXPECT_EQ(text.find("×"), std::string::npos) << "no cost was measured: " << text;
}

TEST(VerdictSentence, Undecided) {
  EXPECT_EQ(sentence({with_costs(design_of_counts("A", kHigh), 1000, 10, 0),
                      with_costs(design_of_counts("B", kLow), 1000, 5, 0),
                      with_costs(design_of_counts("C", kMiddle), 1010, 8, 0)}),
            "Undecided: by the test pictures they get right, A (90.50 %) and C (90.40 %) could not "
            "be told apart; take the cheapest of them by time per training step, C. It scored 0.10 "
            "points less than A (95 % interval of the difference −1.18 to 0.98 over 3 seeds), at "
            "1.01 × its parameters and 0.80 × its time per training step. Shown to be worse than "
            "A: B (88.5 %).");
}

TEST(VerdictSentence, CheapestMayBeTheBest) {
  const std::string text = sentence({with_costs(design_of_counts("A", kHigh), 1000, 8, 0),
                                     with_costs(design_of_counts("C", kMiddle), 1000, 10, 0)});
  EXPECT_NE(text.find("take the cheapest of them by time per training step, A. It scored 0.10 "
                      "points more than C"),
            std::string::npos)
      << text;
}

TEST(VerdictSentence, WhatIsCheapWithoutTimes) {
  DesignResult a = design_of_counts("A", kHigh), c = design_of_counts("C", kMiddle);
  EXPECT_NE(sentence({a, c}).find("no cost is known, so take the higher score, A."),
            std::string::npos);
  a.parameters = 110;
  c.parameters = 100;
  EXPECT_NE(sentence({a, c}).find("the cheapest of them by parameters, C."), std::string::npos);
  a.step_flops = 100;
  c.step_flops = 110;
  EXPECT_NE(sentence({a, c}).find("by arithmetic per training step, A."), std::string::npos);
  // A time of one design alone compares nothing.
  for (RunResult& run : c.runs) run.training.median_ms = 1;
  EXPECT_NE(sentence({a, c}).find("by arithmetic per training step, A."), std::string::npos);
}

TEST(VerdictSentence, ThreeUndecided) {
  const std::string text = sentence({design_of_counts("A", kHigh), design_of_counts("C", kMiddle),
                                     design_of_counts("D", {903, 899, 907})});
  EXPECT_EQ(text.rfind("Undecided: by the test pictures they get right, C (90.40 %) and D (90.30 "
                       "%) could not be told apart from the highest score, A (90.50 %); ",
                       0),
            0u)
      << text;
}

// A is steady against neither, but C against B: C is below B by 3 pictures in every seed. However
// cheap, C is not the one to take.
TEST(VerdictSentence, CheapestIsNotWorseThanAnotherLeader) {
  const std::string text =
      sentence({with_costs(design_of_counts("A", {990, 850, 920}), 1000, 10, 0),
                with_costs(design_of_counts("B", {910, 911, 912}), 1000, 9, 0),
                with_costs(design_of_counts("C", {907, 908, 909}), 1000, 8, 0)});
  EXPECT_NE(text.find("C (90.80 %)"), std::string::npos) << text;
  EXPECT_NE(text.find("the cheapest of them by time per training step, B."), std::string::npos)
      << text;
}

TEST(VerdictSentence, EqualWithinTheMargin) {
  const std::string text = sentence({with_costs(design_of_counts("A", {903, 914, 905}), 100, 9, 0),
                                     with_costs(design_of_counts("B", {900, 910, 900}), 100, 8, 0)},
                                    0.0125);
  EXPECT_EQ(text.rfind("Equal within the stated margin of 1.2 points of test accuracy: A (90.73 %) "
                       "and B (90.33 %); take the cheapest of them by time per training step, B.",
                       0),
            0u)
      << text;
}

TEST(VerdictSentence, UnequalBudgets) {
  DesignResult a = with_costs(design_of_counts("A", kHigh), 1300, 10, 0);
  DesignResult b = with_costs(design_of_counts("B", kLow), 1000, 10, 0);
  EXPECT_NE(sentence({a, b}).find(" Their budgets are not equal: A has 1.30 × the parameters and "
                                  "1.30 × the arithmetic per training step of B."),
            std::string::npos);
  a.parameters = 1040;
  a.step_flops = 5000;
  EXPECT_NE(
      sentence({a, b}).find(
          " Their budgets are not equal: A has 0.83 × the arithmetic per training step of B."),
      std::string::npos)
      << sentence({a, b});
  a.step_flops = 5800;
  EXPECT_EQ(sentence({a, b}).find("budgets"), std::string::npos);
}

TEST(VerdictSentence, FewSeedsEndWithWhatTheySpeakOf) {
  const std::string two =
      sentence({design_of_counts("A", {900, 910}), design_of_counts("B", {700, 710})});
  const std::string ending =
      " With 2 seeds this speaks of these trained models only, not of the designs in general.";
  ASSERT_GT(two.size(), ending.size());
  EXPECT_EQ(two.substr(two.size() - ending.size()), ending);
  EXPECT_EQ(two.find("over"), std::string::npos) << two;
  EXPECT_NE(sentence({design_of_counts("A", {900}), design_of_counts("B", {899})})
                .find(" With 1 seed this speaks of"),
            std::string::npos);
  EXPECT_EQ(sentence({design_of_counts("A", kHigh), design_of_counts("B", kLow)}).find("only"),
            std::string::npos);
}

TEST(VerdictSentence, NothingToCompare) {
  EXPECT_EQ(sentence({design_of_counts("A", kHigh)}),
            "A: 90.5 % of the test pictures right, mean of 3 seeds; it was the only design, so "
            "nothing was compared.");
  DesignResult again = design_of_counts("A", kHigh);
  again.label = "A again";
  EXPECT_EQ(sentence({design_of_counts("A", kHigh), again}),
            "A: 90.5 % of the test pictures right, mean of 3 seeds; it was given 2 times, the same "
            "runs and an exact tie, so nothing was compared.");
}

TEST(VerdictSentence, DesignGivenTwiceCountsOnce) {
  DesignResult again = design_of_counts("A", kHigh);
  again.label = "A again";
  // B is worse by 20, 15 and 20 pictures: t = 11, as good with Holm over two pairs as over one.
  const std::string text =
      sentence({design_of_counts("A", kHigh), design_of_counts("B", {880, 895, 885}), again});
  EXPECT_EQ(text.rfind("Take A: 90.5 % of the test pictures right, 1.8 points more than the next, "
                       "B (",
                       0),
            0u)
      << text;
  EXPECT_EQ(text.find("again"), std::string::npos);
  EXPECT_EQ(text.find("other design"), std::string::npos);
}

std::string of_text(std::vector<DesignResult> designs, double margin = 0) {
  return sentence(std::move(designs), margin, Measure::bits_per_byte);
}

// The numbers of the pictures above, as bits: what led there is last here.
TEST(VerdictOfText, OneLeader) {
  const DesignResult low =
      with_costs(design_of_bits("glu(silu)", {1.880, 1.885, 1.890}), 1030, 12, 1 << 19);
  const DesignResult high =
      with_costs(design_of_bits("mlp(gelu)", {1.900, 1.910, 1.905}), 1000, 10, 1 << 20);
  EXPECT_EQ(of_text({high, low}),
            "Take glu(silu): 1.885 bits per byte on the test documents, 0.020 bits per byte less "
            "than the next, mlp(gelu) (95 % interval 0.008 to 0.032 over 3 seeds), at 1.03 × its "
            "parameters, 1.20 × its time per training step and 0.50 × its peak memory in "
            "training.");
  EXPECT_EQ(of_text({low, high}), of_text({high, low}));
}

// C − A is 0.002, −0.006, 0.007: mean 0.001 ± 4.302653 · √(43e-6 / 3).
TEST(VerdictOfText, Undecided) {
  const std::string two =
      of_text({with_costs(design_of_bits("A", {1.900, 1.910, 1.905}), 1000, 10, 0),
               with_costs(design_of_bits("B", {1.920, 1.935, 1.930}), 1000, 5, 0),
               with_costs(design_of_bits("C", {1.902, 1.904, 1.912}), 1010, 8, 0)});
  EXPECT_EQ(
      two.rfind(
          "Undecided: by their bits per byte on the test documents, A (1.9050) and C (1.9060) "
          "could "
          "not be told apart; take the cheapest of them by time per training step, C. It needed "
          "0.0010 bits per byte more than A (95 % interval of the difference −0.0153 to 0.0173 "
          "over "
          "3 seeds), at 1.01 × its parameters and 0.80 × its time per training step. Shown to be "
          "worse than A: B (1.928).",
          0),
      0u)
      << two;
  const std::string three = of_text({design_of_bits("A", {1.900, 1.910, 1.905}),
                                     design_of_bits("C", {1.902, 1.904, 1.912}),
                                     design_of_bits("D", {1.903, 1.899, 1.916})});
  EXPECT_NE(three.find("could not be told apart from the lowest bits per byte, A (1.9050); no cost "
                       "is known, so take the lower bits per byte, A."),
            std::string::npos)
      << three;
}

TEST(VerdictOfText, EqualWithinTheMarginAndAlone) {
  const std::string text =
      of_text({with_costs(design_of_bits("A", {1.903, 1.914, 1.905}), 100, 9, 0),
               with_costs(design_of_bits("B", {1.900, 1.910, 1.900}), 100, 8, 0)},
              0.0125);
  EXPECT_EQ(text.rfind("Equal within the stated margin of 0.013 bits per byte on the test "
                       "documents: B (1.9033) and A (1.9073); take the cheapest of them",
                       0),
            0u)
      << text;
  EXPECT_EQ(
      of_text({design_of_bits("A", {1.9, 1.91, 1.92})}),
      "A: 1.910 bits per byte on the test documents, mean of 3 seeds; it was the only design, "
      "so nothing was compared.");
}

}  // namespace
}  // namespace ffn
