#include "ffn/compare/design_summary.h"

#include <gtest/gtest.h>

#include "compare/made_up_results.h"
#include "ffn/base/error.h"

namespace ffn {
namespace {

TEST(DesignSummary, Median) {
  EXPECT_EQ(median({}), 0);
  EXPECT_EQ(median({3}), 3);
  EXPECT_EQ(median({5, 1, 2}), 2);
  EXPECT_EQ(median({8, 1, 2, 4}), 3);
}

TEST(DesignSummary, OverTheRuns) {
  DesignResult design = design_of_counts("mlp(gelu)", {900, 930, 870, 940});
  EXPECT_DOUBLE_EQ(mean_test_quality(design, Measure::accuracy), 0.91);
  EXPECT_EQ(test_quality_range(design, Measure::accuracy).low, 0.87);
  EXPECT_EQ(test_quality_range(design, Measure::accuracy).high, 0.94);
  const double ms[] = {5, 0, 9, 6};  // the second run was not measured
  for (std::size_t i = 0; i < 4; ++i) {
    MeasuredCosts& training = design.runs[i].training;
    MeasuredCosts& inference = design.runs[i].inference;
    training.median_ms = ms[i];
    training.items_per_s = 10 * ms[i];
    training.ledger_peak_bytes = static_cast<std::int64_t>(100 * ms[i]);
    training.process_peak_bytes = static_cast<std::int64_t>(1000 * ms[i]);
    inference.items_per_s = 20 * ms[i];
    inference.ledger_peak_bytes = static_cast<std::int64_t>(7 * ms[i]);
    inference.process_peak_bytes = static_cast<std::int64_t>(8 * ms[i]);
  }
  EXPECT_EQ(median_step_ms(design), 6);
  EXPECT_EQ(median_training_items_per_s(design), 60);
  EXPECT_EQ(median_inference_items_per_s(design), 120);
  EXPECT_EQ(training_peak_bytes(design), 900);
  EXPECT_EQ(training_process_peak_bytes(design), 9000);
  EXPECT_EQ(inference_peak_bytes(design), 63);
  EXPECT_EQ(inference_process_peak_bytes(design), 72);
}

TEST(DesignSummary, WithoutRuns) {
  const DesignResult design;
  EXPECT_EQ(mean_test_quality(design, Measure::accuracy), 0);
  EXPECT_EQ(test_quality_range(design, Measure::accuracy).high, 0);
  EXPECT_EQ(median_step_ms(design), 0);
  EXPECT_EQ(training_peak_bytes(design), 0);
}

TEST(DesignSummary, OfText) {
  const DesignResult design = design_of_bits("mlp(gelu)", {1.90, 1.84, 1.87});
  EXPECT_NEAR(mean_test_quality(design, Measure::bits_per_byte), 1.87, 1e-12);
  EXPECT_NEAR(test_quality_range(design, Measure::bits_per_byte).low, 1.84, 1e-12);
  EXPECT_NEAR(test_quality_range(design, Measure::bits_per_byte).high, 1.90, 1e-12);
  DesignResult errors = design;
  for (std::size_t i = 0; i < 3; ++i)
    errors.runs[i].test.standard_error = 0.01 * static_cast<double>(i + 1);
  EXPECT_NEAR(mean_example_error(errors), 0.02, 1e-12);
  EXPECT_EQ(mean_example_error({}), 0);
}

TEST(DesignSummary, InFavourOfTheFirst) {
  PairResult pair;
  pair.difference = 0.2;
  pair.interval = {0.1, 0.4};
  pair.per_seed = {0.1, 0.3};
  EXPECT_EQ(in_favour_of_first(pair, Measure::accuracy).difference, 0.2);
  const PairResult turned = in_favour_of_first(pair, Measure::bits_per_byte);
  EXPECT_EQ(turned.difference, -0.2);
  EXPECT_EQ(turned.interval.low, -0.4);
  EXPECT_EQ(turned.interval.high, -0.1);
  EXPECT_EQ(turned.per_seed, (std::vector<double>{-0.1, -0.3}));
}

TEST(DesignSummary, SameRunsNeedTheSameTextAndLearningRate) {
  const DesignResult design = design_of_counts("mlp(gelu)", {9}, 10);
  DesignResult other = design;
  other.label = "again";
  EXPECT_TRUE(same_runs(design, other));
  other.learning_rate *= 2;
  EXPECT_FALSE(same_runs(design, other));
  other = design;
  other.design = "mlp(relu)";
  EXPECT_FALSE(same_runs(design, other));
}

TEST(DesignSummary, PairSeenFromEitherSide) {
  ComparisonResult result;
  PairResult pair;
  pair.first = 1;
  pair.second = 4;
  pair.per_seed = {0.1, -0.3};
  pair.difference = -0.1;
  pair.interval = {-0.5, 0.2};
  pair.p = 0.25;
  pair.outcome = PairOutcome::second_better;
  result.pairs = {pair};
  EXPECT_EQ(pair_of(result, 1, 4).difference, -0.1);
  EXPECT_EQ(pair_of(result, 1, 4).outcome, PairOutcome::second_better);
  const PairResult turned = pair_of(result, 4, 1);
  EXPECT_EQ(turned.first, 4u);
  EXPECT_EQ(turned.second, 1u);
  EXPECT_EQ(turned.difference, 0.1);
  EXPECT_EQ(turned.interval.low, -0.2);
  EXPECT_EQ(turned.interval.high, 0.5);
  EXPECT_EQ(turned.per_seed, (std::vector<double>{-0.1, 0.3}));
  EXPECT_EQ(turned.p, 0.25);
  EXPECT_EQ(turned.outcome, PairOutcome::first_better);
  EXPECT_THROW(pair_of(result, 0, 1), Error);
}

}  // namespace
}  // namespace ffn
