// Ids are drawn from the distribution that the options leave, and from nothing else.
#include "ffn/inference/sampler.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <map>
#include <vector>

#include "ffn/base/error.h"

namespace ffn {
namespace {

// Probabilities 0.4, 0.3, 0.2, 0.1 at temperature 1, not in order.
const std::vector<float> kLogits = {std::log(0.2f), std::log(0.4f), std::log(0.1f), std::log(0.3f)};

std::map<std::int32_t, double> frequencies(const SamplerOptions& options,
                                           const std::vector<float>& logits = kLogits) {
  constexpr int kDraws = 20000;
  Sampler sampler(options);
  std::map<std::int32_t, double> counts;
  for (std::uint64_t step = 0; step < kDraws; ++step)
    counts[sampler.choose(logits, step)] += 1.0 / kDraws;
  return counts;
}

// Four standard deviations of 20000 draws are at most 0.0142.
void expect_frequencies(const SamplerOptions& options,
                        const std::map<std::int32_t, double>& expected) {
  const auto got = frequencies(options);
  ASSERT_EQ(got.size(), expected.size());
  for (const auto& [id, share] : expected) EXPECT_NEAR(got.at(id), share, 0.0142) << id;
}

TEST(Sampler, TakesTheLikeliestWithoutTemperature) {
  Sampler sampler({});
  EXPECT_EQ(sampler.choose(kLogits, 0), 1);
  EXPECT_EQ(sampler.choose(std::vector<float>{1, 3, 3, 2}, 7), 1);
  const float infinity = std::numeric_limits<float>::infinity();
  EXPECT_EQ(sampler.choose(std::vector<float>{-infinity, -2, -infinity}, 0), 1);
}

TEST(Sampler, DrawsByProbability) {
  expect_frequencies({.temperature = 1}, {{0, 0.2}, {1, 0.4}, {2, 0.1}, {3, 0.3}});
  // p² ∝ 16, 9, 4, 1
  expect_frequencies({.temperature = 0.5f},
                     {{0, 4 / 30.0}, {1, 16 / 30.0}, {2, 1 / 30.0}, {3, 9 / 30.0}});
}

TEST(Sampler, KeepsTheLikeliest) {
  expect_frequencies({.temperature = 1, .top_k = 2}, {{1, 4 / 7.0}, {3, 3 / 7.0}});
  expect_frequencies({.temperature = 1, .top_k = 99}, {{0, 0.2}, {1, 0.4}, {2, 0.1}, {3, 0.3}});
  // 0.4 + 0.3 does not reach 0.75; the id that does belongs to it.
  expect_frequencies({.temperature = 1, .top_p = 0.75f},
                     {{0, 2 / 9.0}, {1, 4 / 9.0}, {3, 3 / 9.0}});
  expect_frequencies({.temperature = 1, .top_p = 0.3f}, {{1, 1.0}});
  // At least 0.6 of 0.4.
  expect_frequencies({.temperature = 1, .min_p = 0.6f}, {{1, 4 / 7.0}, {3, 3 / 7.0}});
  expect_frequencies({.temperature = 1, .min_p = 1}, {{1, 1.0}});
  // top_p counts within top_k: 4/7 reaches 0.5 alone.
  expect_frequencies({.temperature = 1, .top_k = 2, .top_p = 0.5f}, {{1, 1.0}});
}

// More ids than are put in order at first.
TEST(Sampler, KeepsWhatReachesPOfManyEquals) {
  const std::vector<float> equal(1000, 0.0f);
  const auto got = frequencies({.temperature = 1, .top_p = 0.25f}, equal);
  EXPECT_LE(got.size(), 250u);
  EXPECT_GT(got.size(), 240u);
  EXPECT_LT(got.rbegin()->first, 250);
}

TEST(Sampler, RepeatsItselfWithItsSeed) {
  const SamplerOptions options{.temperature = 1, .seed = 5}, other{.temperature = 1, .seed = 6};
  Sampler first(options), second(options), third(other);
  int different = 0;
  for (std::uint64_t step = 0; step < 100; ++step) {
    const std::int32_t id = first.choose(kLogits, step);
    EXPECT_EQ(second.choose(kLogits, step), id);
    different += third.choose(kLogits, step) != id ? 1 : 0;
  }
  EXPECT_GT(different, 20);
}

TEST(Sampler, RefusesBadOptionsAndLogits) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  for (const SamplerOptions& bad :
       {SamplerOptions{.temperature = -1}, SamplerOptions{.temperature = nan},
        SamplerOptions{.top_k = -1}, SamplerOptions{.top_p = 0}, SamplerOptions{.top_p = nan},
        SamplerOptions{.top_p = 1.5f}, SamplerOptions{.min_p = -0.1f}, SamplerOptions{.min_p = 2}})
    EXPECT_THROW(Sampler{bad}, Error);
  Sampler sampler({});
  EXPECT_THROW(sampler.choose(std::vector<float>{0, nan}, 0), Error);
  EXPECT_THROW(sampler.choose(std::vector<float>(3, -std::numeric_limits<float>::infinity()), 0),
               Error);
  EXPECT_THROW(sampler.choose({}, 0), Error);
}

}  // namespace
}  // namespace ffn
