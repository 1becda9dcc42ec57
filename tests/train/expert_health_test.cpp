#include "ffn/train/expert_health.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numbers>
#include <numeric>

#include "ffn/base/philox.h"
#include "ffn/train/expert_agreement.h"
#include "io/files.h"

namespace ffn {
namespace {

using std::numbers::ln2;

ExpertLoad load_of(std::vector<double> slots) {
  ExpertLoad load;
  load.slots = std::move(slots);
  return load;
}

TEST(ExpertHealth, EvenLoadHasAllExpertsInEffect) {
  for (const std::size_t experts : {1U, 2U, 7U, 64U}) {
    const ExpertHealth health = health_of(load_of(std::vector<double>(experts, 3)));
    const auto E = static_cast<double>(experts);
    EXPECT_NEAR(health.effective_experts, E, 1e-12 * E);
    EXPECT_NEAR(health.largest_share, 1 / E, 1e-15);
    EXPECT_EQ(health.dead_experts, 0);
  }
}

TEST(ExpertHealth, OneExpertForEverythingIsOne) {
  const ExpertHealth health = health_of(load_of({0, 9, 0, 0}));
  EXPECT_EQ(health.effective_experts, 1);
  EXPECT_EQ(health.largest_share, 1);
  EXPECT_EQ(health.dead_experts, 3);
  EXPECT_EQ(health.load, (std::vector<double>{0, 1, 0, 0}));
}

// Shares ½, ¼, ¼: an entropy of 1½ bits, so 2^1.5 experts.
TEST(ExpertHealth, UnevenLoadByHand) {
  ExpertLoad load = load_of({2, 1, 1, 0});
  load.tokens = 4;
  load.entropy_sum = 3;
  load.offered = 8;
  load.dropped = 2;
  const ExpertHealth health = health_of(load);
  EXPECT_NEAR(health.effective_experts, std::pow(2, 1.5), 1e-14);
  EXPECT_EQ(health.largest_share, 0.5);
  EXPECT_EQ(health.dead_experts, 1);
  EXPECT_EQ(health.router_entropy, 0.75);
  EXPECT_EQ(health.dropped_share, 0.25);
}

TEST(ExpertHealth, NothingCountedIsNoNumberOutOfRange) {
  const ExpertHealth health = health_of(load_of({0, 0}));
  EXPECT_EQ(health.effective_experts, 0);
  EXPECT_EQ(health.router_entropy, 0);
  EXPECT_EQ(health.dropped_share, 0);
  EXPECT_EQ(health.load, (std::vector<double>{0, 0}));
  EXPECT_EQ(summary_of({}).effective_experts, 0);
}

// p = ¼ and ¾: H = ln 4 − ¾·ln 3 nats of ln 2.
TEST(ExpertHealth, EntropyOfASoftmaxByHand) {
  const double quarters = (std::log(4.0) - 0.75 * std::log(3.0)) / ln2;
  const auto three = static_cast<float>(std::log(3.0));
  EXPECT_NEAR(softmax_entropy(std::array{5.0F, 5 + three}), quarters, 1e-6);
  EXPECT_NEAR(weights_entropy(std::array{0.25F, 0.75F}), quarters, 1e-7);
  EXPECT_NEAR(softmax_entropy(std::array{-3.0F, -3.0F, -3.0F}), 1, 1e-7);
  EXPECT_NEAR(weights_entropy(std::array{0.25F, 0.25F, 0.25F, 0.25F}), 1, 1e-7);
  EXPECT_EQ(softmax_entropy(std::array{900.0F, 0.0F}), 0);
  EXPECT_EQ(weights_entropy(std::array{0.0F, 1.0F}), 0);
  constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  EXPECT_EQ(softmax_entropy(std::array{kNan, 1.0F}), 0);
  EXPECT_EQ(softmax_entropy(std::array{1.0F, kInfinity}), 0);
  EXPECT_EQ(weights_entropy(std::array{kNan, 1.0F}), 0);
  EXPECT_EQ(softmax_entropy(std::array{1.0F}), 0);
  EXPECT_EQ(softmax_entropy({}), 0);
}

RouterHealth router_of(std::vector<double> load, std::int64_t top) {
  RouterHealth router;
  router.place.layer = 2;
  router.top = top;
  router.health = health_of_shares(std::move(load));
  return router;
}

TEST(ExpertHealth, ACollapseIsATenthBeyondWhatATokenNeeds) {
  RouterHealth router = router_of(std::vector<double>(8, 1), 2);
  EXPECT_FALSE(is_collapsed(router));
  router.health.effective_experts = 2.6;
  EXPECT_TRUE(is_collapsed(router));
  router.health.effective_experts = 2.601;
  EXPECT_FALSE(is_collapsed(router));
  // Where a token chooses all there is no choice.
  router.top = 8;
  router.health.effective_experts = 1;
  EXPECT_FALSE(is_collapsed(router));
}

TEST(ExpertHealth, ACollapseIsNamedWithItsExperts) {
  EXPECT_EQ(load_text(router_of({0, 50, 3, 47, 0, 0, 0, 0}, 2)),
            "layer 2: its router sends 97 % of the slots to 2 of 8 experts");
  EXPECT_EQ(load_text(router_of({0, 0, 9}, 1)),
            "layer 2: its router sends all slots to 1 of 3 experts");
  EXPECT_EQ(load_text(router_of({1, 0, 9999}, 1)),
            "layer 2: its router sends 99 % of the slots to 1 of 3 experts");
  // As many as a token needs, even where the effect is that of fewer.
  EXPECT_EQ(load_text(router_of({96, 2, 1, 1}, 2)),
            "layer 2: its router sends 98 % of the slots to 2 of 4 experts");
  RouterHealth beside_a_map = router_of({9, 1}, 1);
  beside_a_map.place.part = "down";
  EXPECT_EQ(load_text(beside_a_map),
            "layer 2, down: its router gives 90 % of the weight to 1 of 2 experts");
}

TEST(ExpertHealth, SummariesAreMeansAndAllTheDead) {
  const RouterHealth routers[] = {router_of({1, 1, 1, 1}, 1), router_of({0, 0, 0, 5}, 1)};
  const ExpertSummary summary = summary_of(routers);
  EXPECT_NEAR(summary.effective_experts, 2.5, 1e-12);
  EXPECT_EQ(summary.dead_experts, 3);
}

TEST(ExpertAgreement, NamesOfExpertsDoNotMatter) {
  std::vector<std::int32_t> a, b;
  const std::int32_t renamed[] = {3, 0, 2, 1};
  for (std::int32_t i = 0; i < 100; ++i) {
    a.push_back(i * i % 7 % 4);
    b.push_back(renamed[a.back()]);
  }
  EXPECT_NEAR(expert_agreement(a, b).agreement, 1, 1e-12);
  EXPECT_NEAR(expert_agreement(a, a).agreement, 1, 1e-12);
}

TEST(ExpertAgreement, OneThatSaysNothingOfTheOtherIsZero) {
  std::vector<std::int32_t> a, b, none(64, 5);
  for (std::int32_t i = 0; i < 64; ++i) {
    a.push_back(i % 4);
    b.push_back(i / 4 % 4);
  }
  EXPECT_NEAR(expert_agreement(a, b).agreement, 0, 1e-12);
  EXPECT_NEAR(expert_agreement(a, none).agreement, 0, 1e-12);
  EXPECT_EQ(expert_agreement(none, none).agreement, 1);
}

// H(a) = ln 2, H(b) = 2·ln 2 − ¾·ln 3, H(a, b) = 1½·ln 2. Shuffled, the single token of b's part
// lies in one half of a or in the other: always as here.
TEST(ExpertAgreement, ByHand) {
  const std::int32_t a[] = {0, 0, 1, 1}, b[] = {0, 1, 1, 1};
  const double sum = 3 * ln2 - 0.75 * std::log(3.0);
  const ExpertAgreement found = expert_agreement(a, b);
  EXPECT_NEAR(found.agreement, 2 * (sum - 1.5 * ln2) / sum, 1e-14);
  EXPECT_NEAR(found.by_chance, found.agreement, 1e-14);
}

// Two halves of four tokens, shuffled: the same halves in 2 of 6 orders, else nothing in common.
TEST(ExpertAgreement, ChanceByHand) {
  const std::int32_t halves[] = {0, 0, 1, 1};
  EXPECT_NEAR(expert_agreement(halves, halves).by_chance, 1.0 / 3, 1e-14);
}

// Many experts and few tokens for each, and uneven parts.
TEST(ExpertAgreement, ChanceIsWhatShufflingReaches) {
  constexpr std::size_t kTokens = 512, kShuffles = 60;
  for (const std::uint32_t experts : {2U, 8U, 32U}) {
    const RandomStream stream(1, "agreement");
    std::vector<std::int32_t> a, b;
    for (std::size_t i = 0; i < kTokens; ++i) {
      a.push_back(static_cast<std::int32_t>(stream.below(experts, 0, i)));
      b.push_back(static_cast<std::int32_t>(stream.below(1 + a.back(), 1, i)));
    }
    const double expected = expert_agreement(a, b).by_chance;
    std::vector<double> found;
    for (std::size_t shuffle = 0; shuffle < kShuffles; ++shuffle) {
      for (std::size_t i = kTokens - 1; i > 0; --i)
        std::swap(b[i], b[stream.below(static_cast<std::uint32_t>(i + 1), 2 + shuffle, i)]);
      found.push_back(expert_agreement(a, b).agreement);
    }
    const double mean = std::accumulate(found.begin(), found.end(), 0.0) / kShuffles;
    double variance = 0;
    for (const double one : found) variance += (one - mean) * (one - mean) / (kShuffles - 1);
    // Four standard errors of the mean.
    EXPECT_NEAR(mean, expected, 4 * std::sqrt(variance / kShuffles)) << experts;
    EXPECT_GT(expected, 0);
  }
}

TEST(ExpertAgreement, OtherTokensAreRefused) {
  const std::int32_t a[] = {0, 1}, b[] = {0, 1, 1};
  testing_io::expect_error(ErrorKind::config, {"2 choices against 3"},
                           [&] { expert_agreement(a, b); });
}

}  // namespace
}  // namespace ffn
