#include "ffn/train/batches.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <set>

#include "ffn/tensor/host.h"
#include "train/image_files.h"

namespace ffn {
namespace {

using namespace test;

const PixelStatistics kStatistics{{0.5, 0.4, 0.3}, {0.25, 0.2, 0.3}};

struct Contents {
  std::vector<float> images, targets;
  std::vector<std::int32_t> labels;
  friend bool operator==(const Contents&, const Contents&) = default;
};

template <class T>
std::vector<T> copy(const Tensor& tensor) {
  if (!tensor.defined()) return {};
  const std::span<T> span = host_span<T>(tensor);
  return {span.begin(), span.end()};
}

Contents filled(TrainBatches& batches, std::int64_t epoch, std::int64_t step) {
  batches.fill(epoch, step);
  return {copy<float>(batches.images()), copy<float>(batches.targets()),
          copy<std::int32_t>(batches.labels())};
}

TEST(Batches, AnEpochHoldsEverySampleOnceAndTheNextInAnotherOrder) {
  ImageSet set = small_set(60, 3, 4, 60);
  for (std::size_t i = 0; i < 60; ++i) set.labels[i] = static_cast<std::int32_t>(i);
  Executor ex(reference_device());
  TrainBatches batches(ex, set, kStatistics, {.batch = 8, .seed = 2});
  EXPECT_EQ(batches.steps_per_epoch(), 7);
  std::vector<std::vector<std::int32_t>> orders;
  for (std::int64_t epoch = 0; epoch < 3; ++epoch) {
    std::vector<std::int32_t>& order = orders.emplace_back();
    for (std::int64_t step = 0; step < 7; ++step) {
      const Contents contents = filled(batches, epoch, step);
      EXPECT_FALSE(batches.targets().defined());
      order.insert(order.end(), contents.labels.begin(), contents.labels.end());
      for (std::size_t i = 0; i < 8; ++i) {
        std::vector<float> expected(48);
        normalise({3, 4, 4}, Normaliser(kStatistics), set.image(contents.labels[i]), expected);
        const auto begin = contents.images.begin() + static_cast<std::ptrdiff_t>(i * 48);
        EXPECT_TRUE(std::equal(expected.begin(), expected.end(), begin));
      }
    }
    EXPECT_EQ(std::set(order.begin(), order.end()).size(), 56u);
  }
  EXPECT_NE(orders[0], orders[1]);
  EXPECT_NE(orders[1], orders[2]);
}

TEST(Batches, AreBitwiseEqualForAnyThreadsAndAnyHistory) {
  const ImageSet set = small_set(50, 3, 12, 10);
  for (const std::int64_t B : {std::int64_t{8}, std::int64_t{7}}) {
    const BatchOptions options{B, 4, standard_augmentation()};
    Executor serial(reference_device());
    TrainBatches all(serial, set, kStatistics, options);
    std::vector<Contents> expected;
    for (std::int64_t epoch = 0; epoch < 2; ++epoch)
      for (std::int64_t step = 0; step < all.steps_per_epoch(); ++step)
        expected.push_back(filled(all, epoch, step));
    for (const int threads : {1, 2, 3, 5}) {
      const auto pool = make_thread_pool(threads);
      Executor ex(cpu_device(*pool));
      TrainBatches batches(ex, set, kStatistics, options);
      // Backwards, as no run does it: nothing may depend on what was filled before.
      for (std::int64_t i = std::ssize(expected); i-- > 0;) {
        const std::int64_t steps = batches.steps_per_epoch();
        EXPECT_EQ(filled(batches, i / steps, i % steps), expected[static_cast<std::size_t>(i)]);
      }
    }
  }
}

TEST(Batches, MixedTargetsBelongToTheMixedPictures) {
  // One-colour pictures: after mixup the value of a pixel tells λ, and so must the target.
  ImageSet set{"colours", 2, 3, 8, 8, 2, {}, {0, 1}};
  set.pixels.assign(192, 0);
  set.pixels.insert(set.pixels.end(), 192, 255);
  Executor ex(reference_device());
  AugmentOptions augment;
  augment.mixup_alpha = 1;
  TrainBatches batches(ex, set, {{0, 0, 0}, {1, 1, 1}},
                       {.batch = 2, .seed = 1, .augment = augment});
  for (std::int64_t epoch = 0; epoch < 20; ++epoch) {
    const Contents contents = filled(batches, epoch, 0);
    for (std::size_t i = 0; i < 2; ++i) {
      EXPECT_NEAR(contents.targets[2 * i + 1], contents.images[192 * i], 1e-6f);
      EXPECT_NEAR(contents.targets[2 * i] + contents.targets[2 * i + 1], 1, 1e-6f);
    }
  }
}

TEST(Batches, EvaluationGoesThroughTheSetInBlocks) {
  const ImageSet set = small_set(10, 3, 4, 5);
  const auto pool = make_thread_pool(2);
  Executor ex(cpu_device(*pool));
  EvalBatches batches(ex, set, kStatistics, 4);
  EXPECT_EQ(batches.blocks(), 3);
  std::vector<std::int32_t> labels;
  for (std::int64_t block = 0; block < 3; ++block) {
    batches.fill(block);
    const auto part = copy<std::int32_t>(batches.labels());
    labels.insert(labels.end(), part.begin(), part.end());
    const std::vector<float> images = copy<float>(batches.images());
    for (std::int64_t i = 0; i < 4; ++i) {
      const std::int64_t sample = 4 * block + i < 10 ? 4 * block + i : 0;
      std::vector<float> expected(48);
      normalise({3, 4, 4}, Normaliser(kStatistics), set.image(sample), expected);
      EXPECT_TRUE(std::equal(expected.begin(), expected.end(), images.begin() + i * 48));
    }
  }
  EXPECT_TRUE(std::equal(set.labels.begin(), set.labels.end(), labels.begin()));
  EXPECT_EQ(labels[10], -1);
  EXPECT_EQ(labels[11], -1);
}

TEST(Batches, ADryDeviceCountsTheSameBytes) {
  const ImageSet set = small_set(20, 3, 4, 5);
  const BatchOptions options{8, 1, standard_augmentation()};
  Executor real(reference_device()), dry(dry_device(reference_device()));
  TrainBatches batches(real, set, kStatistics, options), planned(dry, set, kStatistics, options);
  planned.fill(0, 0);
  // 8·48·4 = 1536 of pictures, 32 → 64 of labels, 8·5·4 = 160 → 192 of targets.
  EXPECT_EQ(real.ledger().live_bytes(Tag::data), 1536 + 64 + 192);
  EXPECT_EQ(dry.ledger().live_bytes(Tag::data), real.ledger().live_bytes(Tag::data));
}

TEST(Batches, WhatCannotBeIsNamed) {
  const ImageSet set = small_set(20, 3, 4, 5);
  Executor ex(reference_device());
  testing_io::expect_error(ErrorKind::config, {"a batch of 21 examples, but small has 20"},
                           [&] { TrainBatches(ex, set, kStatistics, {.batch = 21}); });
  TrainBatches batches(ex, set, kStatistics, {.batch = 10});
  testing_io::expect_error(ErrorKind::config, {"step 2 of epoch 0, expected 0 to 1"},
                           [&] { batches.fill(0, 2); });
  testing_io::expect_error(ErrorKind::config, {"blocks of 0"},
                           [&] { EvalBatches(ex, set, kStatistics, 0); });
}

}  // namespace
}  // namespace ffn
