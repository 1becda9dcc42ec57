#include "ffn/train/augment.h"

#include <gtest/gtest.h>

#include <cmath>

#include "train/image_files.h"

namespace ffn {
namespace {

using namespace test;

constexpr PictureShape kShape{2, 8, 6};

PixelStatistics plain_statistics() { return {{0.25, 0.5}, {0.5, 0.125}}; }

std::vector<float> apply(const AugmentOptions& options, std::uint64_t seed, std::uint64_t epoch,
                         std::uint64_t sample, std::span<const std::uint8_t> from) {
  std::vector<float> to(from.size(), NAN);
  Augmenter(options, kShape, seed).apply(epoch, sample, Normaliser(plain_statistics()), from, to);
  return to;
}

std::vector<std::uint8_t> picture() {
  std::vector<std::uint8_t> pixels;
  for (int i = 0; i < 96; ++i) pixels.push_back(static_cast<std::uint8_t>(i + 1));  // never 0
  return pixels;
}

double normalised(std::int64_t channel, int pixel) {
  const PixelStatistics s = plain_statistics();
  const auto c = static_cast<std::size_t>(channel);
  return (pixel / 255.0 - s.mean[c]) / s.std[c];
}

TEST(Augment, WithoutOptionsOnlyNormalises) {
  const std::vector<std::uint8_t> from = picture();
  const std::vector<float> to = apply({}, 1, 0, 0, from);
  std::vector<float> same(from.size());
  normalise(kShape, Normaliser(plain_statistics()), from, same);
  EXPECT_EQ(to, same);
  for (std::size_t i = 0; i < from.size(); ++i)
    EXPECT_EQ(to[i], static_cast<float>(normalised(i < 48 ? 0 : 1, from[i])));
}

TEST(Augment, CropAndFlipMoveEveryPixelTogether) {
  const std::vector<std::uint8_t> from = picture();
  AugmentOptions options;
  options.crop_padding = 4;
  options.flip = true;
  const Augmenter augmenter(options, kShape, 3);
  int flips = 0, zeros = 0;
  std::vector<int> down(9), right(9);
  for (std::uint64_t sample = 0; sample < 900; ++sample) {
    const SampleDraws draws = augmenter.draw(2, sample);
    flips += draws.flip ? 1 : 0;
    ++down.at(static_cast<std::size_t>(draws.shift_down + 4));
    ++right.at(static_cast<std::size_t>(draws.shift_right + 4));
    const std::vector<float> to = apply(options, 3, 2, sample, from);
    for (std::int64_t i = 0; i < kShape.elements(); ++i) {
      const std::int64_t c = i / 48, row = i / 6 % 8, col = i % 6;
      const std::int64_t y = row - draws.shift_down;
      const std::int64_t x = (draws.flip ? 5 - col : col) - draws.shift_right;
      const bool inside = y >= 0 && y < 8 && x >= 0 && x < 6;
      zeros += inside ? 0 : 1;
      const int pixel = inside ? from[static_cast<std::size_t>((c * 8 + y) * 6 + x)] : 0;
      ASSERT_EQ(to[static_cast<std::size_t>(i)], static_cast<float>(normalised(c, pixel)));
    }
  }
  EXPECT_GT(zeros, 0);
  EXPECT_NEAR(flips, 450, 6 * 15);  // a standard deviation of 15
  for (const auto* counts : {&down, &right})
    for (const int count : *counts) EXPECT_NEAR(count, 100, 6 * 9.5);
}

TEST(Augment, DrawsDependOnSeedEpochAndSampleOnly) {
  const std::vector<std::uint8_t> from = picture();
  const AugmentOptions options = standard_augmentation();
  const std::vector<float> first = apply(options, 1, 5, 7, from);
  apply(options, 1, 6, 8, from);
  EXPECT_EQ(apply(options, 1, 5, 7, from), first);
  // Another seed, epoch or sample gives another picture nearly always: crops and flips alone have
  // 162 outcomes.
  int equal = 0;
  for (std::uint64_t i = 0; i < 20; ++i) {
    equal += apply(options, 100 + i, 5, 7, from) == first ? 1 : 0;
    equal += apply(options, 1, 100 + i, 7, from) == first ? 1 : 0;
    equal += apply(options, 1, 5, 100 + i, from) == first ? 1 : 0;
  }
  EXPECT_LE(equal, 3);
}

TEST(Augment, ErasedRectanglesHaveTheirAreaAndShape) {
  AugmentOptions options;
  options.erase_probability = 0.25;
  const PictureShape shape{1, 32, 32};
  const Augmenter augmenter(options, shape, 1);
  int erased = 0;
  for (std::uint64_t sample = 0; sample < 10'000; ++sample) {
    const SampleDraws draws = augmenter.draw(0, sample);
    if (draws.erase_height == 0) continue;
    ++erased;
    EXPECT_GE(draws.erase_top, 0);
    EXPECT_GE(draws.erase_left, 0);
    EXPECT_LE(draws.erase_top + draws.erase_height, 32);
    EXPECT_LE(draws.erase_left + draws.erase_width, 32);
    // Sides are rounded to whole pixels: ½ each.
    const auto h = static_cast<double>(draws.erase_height);
    const auto w = static_cast<double>(draws.erase_width);
    EXPECT_GE((h + 0.5) * (w + 0.5), 0.02 * 1024);
    EXPECT_LE((h - 0.5) * (w - 0.5), 0.4 * 1024);
    EXPECT_GE((h + 0.5) / (w - 0.5), 0.3);
    EXPECT_LE((h - 0.5) / (w + 0.5), 3.3);
  }
  EXPECT_NEAR(erased, 2500, 6 * 43.3);
}

TEST(Augment, ErasingFillsEveryChannelOfTheRectangleAndNothingElse) {
  const std::vector<std::uint8_t> from = picture();
  AugmentOptions options;
  options.erase_probability = 1;
  const Augmenter augmenter(options, kShape, 9);
  double sum = 0, squares = 0;
  int count = 0;
  for (std::uint64_t sample = 0; sample < 400; ++sample) {
    const SampleDraws draws = augmenter.draw(1, sample);
    options.erase_fill = EraseFill::normal;
    const std::vector<float> noise = apply(options, 9, 1, sample, from);
    options.erase_fill = EraseFill::zero;
    const std::vector<float> zero = apply(options, 9, 1, sample, from);
    for (std::int64_t i = 0; i < kShape.elements(); ++i) {
      const std::int64_t row = i / 6 % 8 - draws.erase_top, col = i % 6 - draws.erase_left;
      const auto at = static_cast<std::size_t>(i);
      const bool inside =
          row >= 0 && row < draws.erase_height && col >= 0 && col < draws.erase_width;
      const auto kept = static_cast<float>(normalised(i / 48, from[at]));
      ASSERT_EQ(zero[at], inside ? 0.0f : kept);
      if (!inside) {
        ASSERT_EQ(noise[at], kept);
        continue;
      }
      sum += static_cast<double>(noise[at]);
      squares += static_cast<double>(noise[at]) * static_cast<double>(noise[at]);
      ++count;
    }
  }
  ASSERT_GT(count, 5000);
  EXPECT_NEAR(sum / count, 0, 6 / std::sqrt(count));
  EXPECT_NEAR(squares / count, 1, 6 * std::sqrt(2.0 / count));
}

TEST(Augment, OptionsOutOfRangeAreNamed) {
  const auto expect = [](auto set, std::string_view says) {
    AugmentOptions options;
    set(options);
    testing_io::expect_error(ErrorKind::config, {says}, [&] { check_augment(options); });
  };
  expect([](auto& o) { o.erase_probability = 1.5; }, "erase_probability is 1.5, expected 0 to 1");
  expect([](auto& o) { o.mixup_alpha = -1; }, "mixup_alpha");
  expect([](auto& o) { o.cutmix_alpha = NAN; }, "cutmix_alpha");
  expect([](auto& o) { o.crop_padding = -1; }, "crop_padding");
  expect([](auto& o) { o.label_smoothing = 2; }, "label_smoothing");
  expect([](auto& o) { o.erase_area_min = 0.5; }, "erase_area_min is 0.5, expected 0 to 0.4");
  EXPECT_NO_THROW(check_augment(standard_augmentation()));
}

}  // namespace
}  // namespace ffn
