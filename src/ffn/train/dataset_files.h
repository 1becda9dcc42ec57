// Where the files of a data set lie and what they hold; used by dataset.cpp.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ffn/train/dataset.h"

namespace ffn::inline v0 {

enum class DataSetKind { idx, cifar10, cifar100 };

struct KnownDataSet {
  std::string_view name, title;
  DataSetKind kind;
  std::int64_t training_count, test_count;  // as published
  std::string_view inner;                   // the folder that unpacking the archive makes
  std::string_view package_folder;          // of the distribution's package; empty: there is none
  std::string_view how_to_get;
};

// nullptr when the name is not known.
const KnownDataSet* find_known_data_set(std::string_view name);
std::span<const KnownDataSet> known_data_sets();

// Folders in which a data set is looked for, in order.
std::vector<std::string> data_set_places(const KnownDataSet& known);

struct FoundFiles {
  DataSetKind kind = DataSetKind::idx;
  std::string folder;
};
// True when `folder` (or `inner` inside it) has the files of one kind.
bool find_files(const std::string& folder, std::string_view inner, FoundFiles& found);

// The training and test files as they are: labels in range, classes set.
struct RawImageData {
  ImageSet train, test;
};
RawImageData read_image_files(const FoundFiles& files);

}  // namespace ffn::inline v0
