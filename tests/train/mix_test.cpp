#include "ffn/train/mix.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

namespace ffn {
namespace {

constexpr PictureShape kShape{3, 16, 12};

AugmentOptions mixing(double mixup, double cutmix) {
  AugmentOptions options;
  options.mixup_alpha = mixup;
  options.cutmix_alpha = cutmix;
  return options;
}

std::vector<double> beta_variables(double alpha, std::uint64_t count) {
  const RandomStream stream(11, "beta");
  std::vector<double> values;
  for (std::uint64_t i = 0; i < count; ++i)
    values.push_back(beta_variable(stream, i, 65536 * i, alpha));
  return values;
}

TEST(Mix, BetaHasItsMoments) {
  // Mean ½, variance 1/(4(2α+1)), fourth central moment 3/(16(2α+1)(2α+3)).
  constexpr int kCount = 20'000;
  for (const double alpha : {0.1, 0.2, 0.8, 1.0, 2.5, 30.0}) {
    double sum = 0, squares = 0;
    for (const double x : beta_variables(alpha, kCount)) {
      ASSERT_GE(x, 0);
      ASSERT_LE(x, 1);
      sum += x - 0.5;
      squares += (x - 0.5) * (x - 0.5);
    }
    const double variance = 1 / (4 * (2 * alpha + 1));
    const double fourth = 3 / (16 * (2 * alpha + 1) * (2 * alpha + 3));
    EXPECT_NEAR(sum / kCount, 0, 6 * std::sqrt(variance / kCount)) << alpha;
    EXPECT_NEAR(squares / kCount, variance, 6 * std::sqrt((fourth - variance * variance) / kCount))
        << alpha;
  }
}

TEST(Mix, BetaOfOneIsUniformAndOfAHalfIsTheArcSine) {
  constexpr std::size_t kCount = 20'000;
  for (const double alpha : {1.0, 0.5}) {
    std::vector<double> values = beta_variables(alpha, kCount);
    std::sort(values.begin(), values.end());
    double distance = 0;
    for (std::size_t i = 0; i < kCount; ++i) {
      const double x = values[i];
      const double p = alpha == 1.0 ? x : 2 / M_PI * std::asin(std::sqrt(x));
      distance = std::max(distance, std::abs(p - (static_cast<double>(i) + 0.5) / kCount));
    }
    // Kolmogorov–Smirnov: more than 2.5/√n happens about once in 100,000 tries.
    EXPECT_LT(distance, 2.5 / std::sqrt(kCount)) << alpha;
  }
}

TEST(Mix, TinyAlphaStaysFinite) {
  for (const double x : beta_variables(1e-4, 2000)) {
    EXPECT_TRUE(x >= 0 && x <= 1) << x;
  }
}

TEST(Mix, TargetsSumToOne) {
  EXPECT_TRUE(rc::check([](std::uint64_t seed, std::uint64_t epoch, std::uint16_t batch) {
    const auto V = *rc::gen::inRange<std::int32_t>(1, 120);
    const auto label = *rc::gen::inRange<std::int32_t>(0, V);
    const auto partner = *rc::gen::inRange<std::int32_t>(0, V);
    AugmentOptions options = mixing(*rc::gen::element(0.0, 0.2, 0.8), *rc::gen::element(0.0, 1.0));
    options.label_smoothing = *rc::gen::element(0.0, 0.1, 1.0);
    const Mixer mixer(options, kShape, seed);
    const MixDraws draws = mixer.draw(epoch, batch);
    RC_ASSERT(draws.lambda >= 0 && draws.lambda <= 1);
    std::vector<float> row(static_cast<std::size_t>(V));
    mixer.target(draws, label, partner, row);
    double sum = 0;
    for (const float value : row) {
      RC_ASSERT(value >= 0.0f && value <= 1.0f);
      sum += static_cast<double>(value);
    }
    RC_ASSERT(std::abs(sum - 1) <= V * 0x1p-25 + 0x1p-24);  // one rounding to f32 per element
    const double rest = options.label_smoothing / V;
    if (label != partner)
      RC_ASSERT(std::abs(static_cast<double>(row[static_cast<std::size_t>(label)]) -
                         (draws.lambda * (1 - options.label_smoothing) + rest)) <= 0x1p-24);
  }));
}

TEST(Mix, MixupIsTheWeightedSumOfThePair) {
  const Mixer mixer(mixing(0.8, 0), kShape, 1);
  const MixDraws draws = mixer.draw(3, 4);
  ASSERT_EQ(draws.kind, MixKind::mixup);
  std::vector<float> a(576), b(576);
  for (std::size_t i = 0; i < 576; ++i) {
    a[i] = static_cast<float>(i) / 100;
    b[i] = 3 - static_cast<float>(i * i % 91) / 17;
  }
  const std::vector<float> x = a, y = b;
  mixer.mix_pair(draws, a, b);
  for (std::size_t i = 0; i < 576; ++i) {
    const double own = draws.lambda, other = 1 - own;
    const double p = static_cast<double>(x[i]), q = static_cast<double>(y[i]);
    const double bound = 0x1p-23 * (std::abs(p) + std::abs(q));  // λ, two products, one sum
    EXPECT_NEAR(static_cast<double>(a[i]), own * p + other * q, bound);
    EXPECT_NEAR(static_cast<double>(b[i]), own * q + other * p, bound);
  }
}

TEST(Mix, CutmixExchangesOneRectangleAndLambdaIsWhatIsLeft) {
  const Mixer mixer(mixing(0, 1), kShape, 1);
  for (std::uint64_t batch = 0; batch < 500; ++batch) {
    const MixDraws draws = mixer.draw(0, batch);
    ASSERT_EQ(draws.kind, MixKind::cutmix);
    std::vector<float> a(576, 1.0f), b(576, 2.0f);
    mixer.mix_pair(draws, a, b);
    int exchanged = 0;
    for (std::int64_t i = 0; i < 576; ++i) {
      const std::int64_t row = i / 12 % 16 - draws.top, col = i % 12 - draws.left;
      const bool inside = row >= 0 && row < draws.height && col >= 0 && col < draws.width;
      ASSERT_EQ(a[static_cast<std::size_t>(i)], inside ? 2.0f : 1.0f);
      ASSERT_EQ(b[static_cast<std::size_t>(i)], inside ? 1.0f : 2.0f);
      exchanged += inside ? 1 : 0;
    }
    ASSERT_NEAR(draws.lambda, 1 - exchanged / 576.0, 1e-15);
  }
}

TEST(Mix, WithBothAHalfOfTheBatchesIsCut) {
  const Mixer mixer(mixing(0.8, 1), kShape, 5);
  int cut = 0;
  for (std::uint64_t batch = 0; batch < 2000; ++batch)
    cut += mixer.draw(1, batch).kind == MixKind::cutmix ? 1 : 0;
  EXPECT_NEAR(cut, 1000, 6 * 22.4);
  EXPECT_EQ(Mixer({}, kShape, 5).draw(1, 1).kind, MixKind::none);
}

}  // namespace
}  // namespace ffn
