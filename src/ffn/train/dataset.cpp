#include "ffn/train/dataset.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <tuple>
#include <utility>

#include "ffn/base/error.h"
#include "ffn/base/event_sink.h"
#include "ffn/train/dataset_files.h"
#include "ffn/train/dataset_layout.h"
#include "ffn/train/order.h"

namespace ffn::inline v0 {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kValidation = 5000;
constexpr std::uint64_t kSplitSeed = 0;  // fixed: the split is part of the data set

std::string join(const std::vector<std::string>& parts) {
  std::string text;
  for (const std::string& part : parts) text += (text.empty() ? "" : ", ") + part;
  return text;
}

// The folder and the known data set that `name_or_folder` means.
struct Place {
  FoundFiles files;
  const KnownDataSet* known = nullptr;
  std::string name;
};

Place find_by_name(const KnownDataSet& known) {
  Place place{{}, &known, std::string(known.name)};
  const std::vector<std::string> places = data_set_places(known);
  for (const std::string& folder : places) {
    if (find_files(folder, known.inner, place.files) && place.files.kind == known.kind)
      return place;
  }
  fail(ErrorKind::io, known.name, "is not in ", places.empty() ? "$FFN_DATA (unset)" : join(places),
       "; to get it: ", known.how_to_get);
}

// "…/mnist/" and "…/mnist" are both called mnist.
std::string folder_name(const std::string& folder) {
  fs::path path = fs::path(folder).lexically_normal();
  if (!path.has_filename()) path = path.parent_path();
  return path.filename().string();
}

Place find_by_folder(const std::string& folder) {
  std::error_code ignored;
  if (!fs::is_directory(folder, ignored)) {
    std::vector<std::string> names;
    for (const KnownDataSet& known : known_data_sets()) names.emplace_back(known.name);
    fail(ErrorKind::config, "data", "'", folder, "' is neither a known data set (", join(names),
         ") nor a folder");
  }
  Place place;
  check(find_files(folder, "", place.files), ErrorKind::io, folder,
        "holds no data set: expected train-images-idx3-ubyte, train-labels-idx1-ubyte and the two "
        "t10k- files (each plain or .gz), data_batch_1.bin to data_batch_5.bin and test_batch.bin, "
        "or train.bin and test.bin");
  switch (place.files.kind) {
    case DataSetKind::idx: place.name = folder_name(folder); break;
    case DataSetKind::cifar10: place.name = "cifar10"; break;
    case DataSetKind::cifar100: place.name = "cifar100"; break;
  }
  const KnownDataSet* known = find_known_data_set(place.name);
  if (known != nullptr && known->kind == place.files.kind) place.known = known;
  return place;
}

// What is published about a known data set must hold for its files.
void check_known(const Place& place, RawImageData& raw) {
  if (place.known == nullptr) return;
  const KnownDataSet& known = *place.known;
  if (known.kind == DataSetKind::idx) {
    constexpr std::int64_t kClasses = 10;
    check(raw.train.classes <= kClasses, ErrorKind::io, place.files.folder, "has labels up to ",
          raw.train.classes - 1, ", but ", known.name, " has ", kClasses, " classes");
    raw.train.classes = raw.test.classes = kClasses;
  }
  for (const auto& [set, count, what] : {std::tuple{&raw.train, known.training_count, "training"},
                                         std::tuple{&raw.test, known.test_count, "test"}}) {
    if (set->count == count) continue;
    emit(Severity::warning, "data",
         place.files.folder + ": " + std::to_string(set->count) + " " + what + " examples, " +
             std::string(known.name) + " was published with " + std::to_string(count));
  }
}

// The examples of `from` for which keep(i), in their order.
template <class Keep>
ImageSet select(const ImageSet& from, std::int64_t count, const Keep& keep) {
  ImageSet set{{}, count, from.channels, from.height, from.width, from.classes, {}, {}};
  const auto size = static_cast<std::size_t>(from.image_elements());
  set.pixels.resize(static_cast<std::size_t>(count) * size);
  set.labels.reserve(static_cast<std::size_t>(count));
  std::uint8_t* to = set.pixels.data();
  for (std::int64_t i = 0; i < from.count; ++i) {
    if (!keep(i)) continue;
    std::memcpy(to, from.image(i).data(), size);
    to += size;
    set.labels.push_back(from.labels[static_cast<std::size_t>(i)]);
  }
  return set;
}

PixelStatistics statistics(const ImageSet& set) {
  PixelStatistics result;
  const std::int64_t plane = set.height * set.width;
  for (std::int64_t channel = 0; channel < set.channels; ++channel) {
    // Counts of the 256 values: every sum below is exact.
    std::array<std::int64_t, 256> counts{};
    for (std::int64_t i = 0; i < set.count; ++i) {
      const std::uint8_t* from = set.image(i).data() + channel * plane;
      for (std::int64_t p = 0; p < plane; ++p) ++counts[from[p]];
    }
    double sum = 0, squares = 0;
    for (std::size_t value = 0; value < counts.size(); ++value) {
      const auto v = static_cast<double>(value), n = static_cast<double>(counts[value]);
      sum += n * v;
      squares += n * v * v;
    }
    const auto total = static_cast<double>(set.count * plane);
    const double mean = sum / total, variance = std::max(0.0, squares / total - mean * mean);
    result.mean.push_back(mean / 255);
    // A channel that never changes is only centred.
    result.std.push_back(variance > 0 ? std::sqrt(variance) / 255 : 1);
  }
  return result;
}

}  // namespace

std::int64_t validation_count(std::int64_t training_count) {
  return std::min(kValidation, training_count / 10);
}

ImageData load_image_data(std::string_view name_or_folder, const ImageDataOptions& options) {
  const KnownDataSet* known = find_known_data_set(name_or_folder);
  const Place place =
      known != nullptr ? find_by_name(*known) : find_by_folder(std::string(name_or_folder));
  RawImageData raw = read_image_files(place.files);
  check_known(place, raw);

  const std::int64_t held_out = validation_count(raw.train.count);
  std::vector<std::uint32_t> order(static_cast<std::size_t>(raw.train.count));
  permute(RandomStream(kSplitSeed, "validation/" + place.name), 0, order);
  std::vector<bool> validates(order.size());
  for (auto i = order.size() - static_cast<std::size_t>(held_out); i < order.size(); ++i)
    validates[order[i]] = true;

  ImageData data;
  data.name = place.name;
  data.folder = place.files.folder;
  const auto is_held_out = [&](std::int64_t i) { return validates[static_cast<std::size_t>(i)]; };
  data.validation = select(raw.train, held_out, is_held_out);
  data.train = select(raw.train, raw.train.count - held_out,
                      [&](std::int64_t i) { return !is_held_out(i); });
  data.test = std::move(raw.test);
  data.statistics = statistics(data.train);
  for (ImageSet* set : {&data.train, &data.validation, &data.test}) {
    set->name = place.name;
    pad(*set, options.pad_to);
    shuffle_patches(*set, options.shuffle_patches);
  }
  return data;
}

std::vector<DataSetInfo> list_data_sets() {
  std::vector<DataSetInfo> list;
  for (const KnownDataSet& known : known_data_sets()) {
    DataSetInfo info{std::string(known.name),
                     std::string(known.title),
                     {},
                     data_set_places(known),
                     std::string(known.how_to_get)};
    FoundFiles found;
    for (const std::string& folder : info.looked_in) {
      if (!info.folder.empty() || !find_files(folder, known.inner, found)) continue;
      if (found.kind == known.kind) info.folder = found.folder;
    }
    list.push_back(std::move(info));
  }
  return list;
}

}  // namespace ffn::inline v0
