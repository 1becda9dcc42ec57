#include "ffn/train/dataset.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "ffn/base/event_sink.h"
#include "ffn/train/dataset_layout.h"
#include "train/image_files.h"

namespace ffn {
namespace {

using namespace testing_io;
using namespace test;

// Four IDX files of `side`² pictures; training picture i is filled with i mod 256.
void write_idx_folder(const TemporaryFolder& folder, std::uint32_t training, std::uint32_t testing,
                      std::uint32_t side) {
  for (const auto& [part, count] :
       {std::pair<std::string, std::uint32_t>{"train", training}, {"t10k", testing}}) {
    Bytes images = idx_bytes(8, {count, side, side}, 0), labels = idx_bytes(8, {count}, 0);
    for (std::uint32_t i = 0; i < count; ++i) {
      images.insert(images.end(), side * side, static_cast<std::byte>(i % 256));
      labels.push_back(static_cast<std::byte>(i % 4));
    }
    write_file(folder / (part + "-images-idx3-ubyte"), images);
    write_file(folder / (part + "-labels-idx1-ubyte"), labels);
  }
}

TEST(DataSet, SplitsIdxFilesByAFixedPermutation) {
  const TemporaryFolder folder;
  write_idx_folder(folder, 60, 8, 5);
  const ImageData data = load_image_data(folder.path().string());
  EXPECT_EQ(data.train.count, 54);
  EXPECT_EQ(data.validation.count, 6);
  EXPECT_EQ(data.test.count, 8);
  EXPECT_EQ(data.train.classes, 4);
  EXPECT_EQ(data.name, folder.path().filename().string());
  // Every picture is in one part, beside its own label.
  std::vector<int> seen;
  for (const ImageSet* set : {&data.train, &data.validation}) {
    ASSERT_EQ(set->pixels.size(), static_cast<std::size_t>(set->count * 25));
    std::vector<int> part;
    for (std::int64_t i = 0; i < set->count; ++i) {
      part.push_back(set->image(i)[0]);
      EXPECT_EQ(set->image(i)[24], part.back());
      EXPECT_EQ(set->labels[static_cast<std::size_t>(i)], part.back() % 4);
    }
    EXPECT_TRUE(std::is_sorted(part.begin(), part.end()));
    seen.insert(seen.end(), part.begin(), part.end());
  }
  std::sort(seen.begin(), seen.end());
  for (int i = 0; i < 60; ++i) EXPECT_EQ(seen[static_cast<std::size_t>(i)], i);
  EXPECT_EQ(load_image_data(folder.path().string() + "/").validation.pixels,
            data.validation.pixels);
}

TEST(DataSet, StatisticsAreThoseOfTheTrainingPart) {
  const TemporaryFolder folder;
  write_idx_folder(folder, 60, 8, 5);
  const ImageData data = load_image_data(folder.path().string(), {.pad_to = 8});
  double sum = 0, squares = 0;
  for (std::int64_t i = 0; i < data.train.count; ++i) {
    const double x = data.train.image(i)[3 * 8 + 3] / 255.0;  // inside the border of 1
    sum += x / 54;
    squares += x * x / 54;
  }
  ASSERT_EQ(data.statistics.mean.size(), 1u);
  EXPECT_NEAR(data.statistics.mean[0], sum, 1e-12);
  EXPECT_NEAR(data.statistics.std[0], std::sqrt(squares - sum * sum), 1e-12);
}

TEST(DataSet, PaddingIsABorderOfZeros) {
  const TemporaryFolder folder;
  write_idx_folder(folder, 60, 8, 5);
  const ImageData data = load_image_data(folder.path().string(), {.pad_to = 8});
  for (const ImageSet* set : {&data.train, &data.validation, &data.test}) {
    EXPECT_EQ(set->height, 8);
    EXPECT_EQ(set->width, 8);
    ASSERT_EQ(set->pixels.size(), static_cast<std::size_t>(set->count * 64));
  }
  for (std::int64_t row = 0; row < 8; ++row) {
    for (std::int64_t col = 0; col < 8; ++col) {
      const bool inside = row >= 1 && row < 6 && col >= 1 && col < 6;
      EXPECT_EQ(data.test.image(7)[static_cast<std::size_t>(row * 8 + col)], inside ? 7 : 0);
    }
  }
  expect_error(ErrorKind::config, {"pad_to is 4", "5x5"},
               [&] { load_image_data(folder.path().string(), {.pad_to = 4}); });
}

TEST(DataSet, ShuffledPatchesAreAPermutationThatAllPicturesShare) {
  ImageSet set = small_set(3, 2, 8, 4);
  const ImageSet before = set;
  shuffle_patches(set, 2);
  EXPECT_NE(set.pixels, before.pixels);
  // Where the square of plane 0 went, all planes' squares went.
  const auto square = [](const ImageSet& from, std::int64_t plane, std::int64_t index) {
    std::vector<std::uint8_t> pixels;
    for (std::int64_t row = 0; row < 2; ++row)
      for (std::int64_t col = 0; col < 2; ++col)
        pixels.push_back(from.pixels[static_cast<std::size_t>(
            plane * 64 + (index / 4 * 2 + row) * 8 + index % 4 * 2 + col)]);
    return pixels;
  };
  std::vector<bool> used(16);
  for (std::int64_t place = 0; place < 16; ++place) {
    std::int64_t source = 0;
    while (square(before, 0, source) != square(set, 0, place)) ASSERT_LT(++source, 16);
    EXPECT_FALSE(used[static_cast<std::size_t>(source)]);
    used[static_cast<std::size_t>(source)] = true;
    for (std::int64_t plane = 1; plane < 6; ++plane)
      EXPECT_EQ(square(before, plane, source), square(set, plane, place));
  }
  expect_error(ErrorKind::config, {"shuffle_patches is 3", "8x8"},
               [&] { shuffle_patches(set, 3); });
}

TEST(DataSet, CifarFoldersAreToldByTheirFiles) {
  const TemporaryFolder hundred;
  write_cifar100(hundred, 40, 10);
  ImageData data = load_image_data(hundred.path().string());
  EXPECT_EQ(data.name, "cifar100");
  EXPECT_EQ(data.train.classes, 100);
  EXPECT_EQ(data.train.count + data.validation.count, 40);
  EXPECT_EQ(data.statistics.mean.size(), 3u);

  const TemporaryFolder ten;
  std::filesystem::create_directory(ten / "cifar-10-batches-bin");
  for (int i = 1; i <= 5; ++i)
    write_file(ten / ("cifar-10-batches-bin/data_batch_" + std::to_string(i) + ".bin"),
               cifar_bytes(1, 4, 10 * i));
  write_file(ten / "cifar-10-batches-bin/test_batch.bin", cifar_bytes(1, 3));
  data = load_image_data(ten.path().string());
  EXPECT_EQ(data.name, "cifar10");
  EXPECT_EQ(data.train.classes, 10);
  EXPECT_EQ(data.test.count, 3);
  std::vector<int> first;
  for (const ImageSet* set : {&data.train, &data.validation})
    for (std::int64_t i = 0; i < set->count; ++i) first.push_back(set->image(i)[0]);
  std::sort(first.begin(), first.end());
  std::vector<int> expected;
  for (int i = 1; i <= 5; ++i)
    for (int j = 0; j < 4; ++j) expected.push_back(10 * i + j);
  EXPECT_EQ(first, expected);
}

TEST(DataSet, IsFoundByNameAndAnotherLengthIsAWarning) {
  const TemporaryFolder root;
  std::filesystem::create_directories(root / "cifar100");
  write_file(root / "cifar100/train.bin", cifar_bytes(2, 20));
  write_file(root / "cifar100/test.bin", cifar_bytes(2, 10));
  const ScopedVariable variable("FFN_DATA", root.path().string());
  std::vector<std::string> warnings;
  const EventSink before = set_event_sink([&](const Event& event) {
    if (event.severity == Severity::warning) warnings.emplace_back(event.text);
  });
  const ImageData data = load_image_data("cifar100");
  set_event_sink(before);
  EXPECT_EQ(data.folder, (root / "cifar100").string());
  ASSERT_EQ(warnings.size(), 2u);
  EXPECT_NE(warnings[0].find("20 training examples"), std::string::npos) << warnings[0];

  for (const DataSetInfo& info : list_data_sets()) {
    EXPECT_EQ(info.looked_in[0], (root / info.name).string());
    EXPECT_FALSE(info.how_to_get.empty());
    if (info.name == "cifar100") {
      EXPECT_EQ(info.folder, data.folder);
    }
    if (info.name == "cifar10") {
      EXPECT_NE(info.how_to_get.find("--data PATH"), std::string::npos);
    }
  }
}

TEST(DataSet, WhatIsMissingSaysWhereItWasLookedForAndHowToGetIt) {
  const TemporaryFolder empty;
  const ScopedVariable data("FFN_DATA", empty.path().string());
  const ScopedVariable home("HOME", empty.path().string());
  expect_error(ErrorKind::io,
               {"[cifar10]", empty.path().string() + "/cifar10", ".local/share/ffn/cifar10",
                "binary version of CIFAR-10"},
               [] { load_image_data("cifar10"); });
  expect_error(ErrorKind::io, {"holds no data set", "train-images-idx3-ubyte"},
               [&] { load_image_data(empty.path().string()); });
  expect_error(ErrorKind::config, {"'cifar'", "fashion-mnist, mnist, cifar10, cifar100"},
               [] { load_image_data("cifar"); });
}

TEST(DataSet, FilesThatDoNotBelongTogetherAreRefused) {
  const TemporaryFolder folder;
  write_idx_folder(folder, 20, 8, 5);
  write_file(folder / "train-labels-idx1-ubyte", idx_bytes(8, {19}, 19));
  expect_error(ErrorKind::io, {"20 pictures", "19 labels"},
               [&] { load_image_data(folder.path().string()); });
  write_idx_folder(folder, 20, 8, 5);
  write_file(folder / "t10k-images-idx3-ubyte", idx_bytes(8, {8, 2, 2}, 32));
  expect_error(ErrorKind::io, {"5x5", "2x2"}, [&] { load_image_data(folder.path().string()); });
  write_file(folder / "t10k-images-idx3-ubyte", idx_bytes(8, {8}, 8));
  expect_error(ErrorKind::io, {"1 axes, expected 3"},
               [&] { load_image_data(folder.path().string()); });
  write_file(folder / "t10k-images-idx3-ubyte", idx_bytes(8, {0, 2, 2}, 0));
  write_file(folder / "t10k-labels-idx1-ubyte", idx_bytes(8, {0}, 0));
  expect_error(ErrorKind::io, {"holds no pictures"},
               [&] { load_image_data(folder.path().string()); });
}

TEST(DataSet, FashionMnistOfThePackage) {
  if (!std::filesystem::exists("/usr/share/datasets/fashion-mnist")) GTEST_SKIP();
  const ImageData data = load_image_data("fashion-mnist", {.pad_to = 32});
  EXPECT_EQ(data.train.count, 55'000);
  EXPECT_EQ(data.validation.count, 5'000);
  EXPECT_EQ(data.test.count, 10'000);
  EXPECT_EQ(data.train.classes, 10);
  EXPECT_EQ(data.train.width, 32);
  // Published for all 60,000 training pictures: 0.2860, 0.3530.
  EXPECT_NEAR(data.statistics.mean[0], 0.2860, 1e-3);
  EXPECT_NEAR(data.statistics.std[0], 0.3530, 1e-3);
  // Each class has 6,000 of 60,000; 500 ± 6·20 of them are held out.
  std::vector<int> classes(10);
  for (const std::int32_t label : data.validation.labels)
    ++classes[static_cast<std::size_t>(label)];
  for (const int count : classes) EXPECT_NEAR(count, 500, 120);
}

}  // namespace
}  // namespace ffn
