#include "ffn/train/dataset_files.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <utility>

#include "ffn/base/error.h"
#include "ffn/io/cifar.h"
#include "ffn/io/data_folder.h"
#include "ffn/io/idx.h"

namespace ffn::inline v0 {
namespace {

namespace fs = std::filesystem;

constexpr std::array<KnownDataSet, 4> kKnown{{
    {"fashion-mnist", "Fashion-MNIST: 28x28 grey pictures of clothes, 10 classes", DataSetKind::idx,
     60'000, 10'000, "", "/usr/share/datasets/fashion-mnist", "apt install dataset-fashion-mnist"},
    {"mnist", "MNIST: 28x28 grey handwritten digits, 10 classes", DataSetKind::idx, 60'000, 10'000,
     "", "", "the four IDX files of MNIST, their folder given as --data PATH"},
    {"cifar10", "CIFAR-10: 32x32 colour pictures, 10 classes", DataSetKind::cifar10, 50'000, 10'000,
     "cifar-10-batches-bin", "",
     "the binary version of CIFAR-10, unpacked folder given as --data PATH"},
    {"cifar100", "CIFAR-100: 32x32 colour pictures, 100 classes", DataSetKind::cifar100, 50'000,
     10'000, "cifar-100-binary", "",
     "the binary version of CIFAR-100, unpacked folder given as --data PATH"},
}};

constexpr std::array<std::string_view, 4> kIdxFiles{
    "train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte"};

bool is_file(const fs::path& path) {
  std::error_code ignored;
  return fs::is_regular_file(path, ignored);
}

// The plain file, else the packed one, else empty.
std::string idx_path(const fs::path& folder, std::string_view name) {
  for (const char* ending : {"", ".gz"}) {
    const fs::path path = folder / (std::string(name) + ending);
    if (is_file(path)) return path.string();
  }
  return {};
}

std::vector<std::string> cifar10_training_files() {
  std::vector<std::string> names;
  for (int i = 1; i <= 5; ++i) names.push_back("data_batch_" + std::to_string(i) + ".bin");
  return names;
}

bool has_kind(const fs::path& folder, DataSetKind kind) {
  switch (kind) {
    case DataSetKind::idx:
      return std::all_of(kIdxFiles.begin(), kIdxFiles.end(),
                         [&](auto name) { return !idx_path(folder, name).empty(); });
    case DataSetKind::cifar10: {
      const auto names = cifar10_training_files();
      return is_file(folder / "test_batch.bin") &&
             std::all_of(names.begin(), names.end(),
                         [&](const auto& name) { return is_file(folder / name); });
    }
    case DataSetKind::cifar100:
      return is_file(folder / "train.bin") && is_file(folder / "test.bin");
  }
  return false;
}

ImageSet read_idx_pair(const fs::path& folder, std::string_view images_name,
                       std::string_view labels_name) {
  const std::string images_path = idx_path(folder, images_name);
  const std::string labels_path = idx_path(folder, labels_name);
  IdxArray images = read_idx(images_path);
  const IdxArray labels = read_idx(labels_path);
  check(images.shape.size() == 3, ErrorKind::io, images_path, "has ", images.shape.size(),
        " axes, expected 3: pictures, rows, columns");
  check(labels.shape.size() == 1, ErrorKind::io, labels_path, "has ", labels.shape.size(),
        " axes, expected 1");
  check(images.shape[0] == labels.shape[0], ErrorKind::io, images_path, "has ", images.shape[0],
        " pictures, but ", labels_path, " has ", labels.shape[0],
        " labels: they do not belong together");
  check(images.shape[0] > 0 && images.shape[1] > 0 && images.shape[2] > 0, ErrorKind::io,
        images_path, "holds no pictures");
  ImageSet set;
  set.count = images.shape[0];
  set.channels = 1;
  set.height = images.shape[1];
  set.width = images.shape[2];
  set.pixels = std::move(images.values);
  set.labels.assign(labels.values.begin(), labels.values.end());
  set.classes = 1 + *std::max_element(set.labels.begin(), set.labels.end());
  return set;
}

void append_cifar(ImageSet& set, const fs::path& path, CifarKind kind) {
  CifarArray array = read_cifar(path.string(), kind);
  set.channels = 3;
  set.height = set.width = kCifarSide;
  set.classes = cifar_classes(kind);
  set.count += array.count;
  set.labels.insert(set.labels.end(), array.labels.begin(), array.labels.end());
  if (set.pixels.empty()) {
    set.pixels = std::move(array.pixels);
  } else {
    set.pixels.insert(set.pixels.end(), array.pixels.begin(), array.pixels.end());
  }
}

RawImageData read_idx_folder(const fs::path& folder) {
  RawImageData data{read_idx_pair(folder, kIdxFiles[0], kIdxFiles[1]),
                    read_idx_pair(folder, kIdxFiles[2], kIdxFiles[3])};
  check(data.train.height == data.test.height && data.train.width == data.test.width, ErrorKind::io,
        folder.string(), "training pictures are ", data.train.height, "x", data.train.width,
        ", test pictures ", data.test.height, "x", data.test.width);
  const std::int64_t classes = std::max(data.train.classes, data.test.classes);
  data.train.classes = data.test.classes = classes;
  return data;
}

}  // namespace

std::span<const KnownDataSet> known_data_sets() { return kKnown; }

const KnownDataSet* find_known_data_set(std::string_view name) {
  for (const KnownDataSet& known : kKnown) {
    if (known.name == name) return &known;
  }
  return nullptr;
}

std::vector<std::string> data_set_places(const KnownDataSet& known) {
  std::vector<std::string> places = data_folders();
  for (std::string& place : places) place = (fs::path(place) / known.name).string();
  if (!known.package_folder.empty()) places.emplace_back(known.package_folder);
  return places;
}

bool find_files(const std::string& folder, std::string_view inner, FoundFiles& found) {
  std::vector<fs::path> candidates{folder};
  if (!inner.empty()) {
    candidates.push_back(fs::path(folder) / inner);
  } else {
    for (const KnownDataSet& known : kKnown)
      if (!known.inner.empty()) candidates.push_back(fs::path(folder) / known.inner);
  }
  for (const fs::path& candidate : candidates) {
    for (const DataSetKind kind : {DataSetKind::idx, DataSetKind::cifar10, DataSetKind::cifar100}) {
      if (!has_kind(candidate, kind)) continue;
      found = {kind, candidate.string()};
      return true;
    }
  }
  return false;
}

RawImageData read_image_files(const FoundFiles& files) {
  const fs::path folder(files.folder);
  RawImageData data;
  switch (files.kind) {
    case DataSetKind::idx: return read_idx_folder(folder);
    case DataSetKind::cifar10:
      for (const std::string& name : cifar10_training_files())
        append_cifar(data.train, folder / name, CifarKind::cifar10);
      append_cifar(data.test, folder / "test_batch.bin", CifarKind::cifar10);
      break;
    case DataSetKind::cifar100:
      append_cifar(data.train, folder / "train.bin", CifarKind::cifar100);
      append_cifar(data.test, folder / "test.bin", CifarKind::cifar100);
      break;
  }
  return data;
}

}  // namespace ffn::inline v0
