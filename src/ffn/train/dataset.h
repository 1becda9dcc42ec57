// Image classification data sets in memory: found by name or folder, split into training,
// validation and test examples.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ffn::inline v0 {

struct ImageSet {
  std::string name;
  std::int64_t count = 0, channels = 0, height = 0, width = 0, classes = 0;
  std::vector<std::uint8_t> pixels;  // [count, channels, height, width]
  std::vector<std::int32_t> labels;  // [count], 0 … classes − 1

  std::int64_t image_elements() const { return channels * height * width; }
  std::span<const std::uint8_t> image(std::int64_t index) const {
    const auto size = static_cast<std::size_t>(image_elements());
    return std::span(pixels).subspan(static_cast<std::size_t>(index) * size, size);
  }
};

// Of the training examples' pixels (before padding), as fractions of 255; one value per channel.
struct PixelStatistics {
  std::vector<double> mean, std;
};

struct ImageData {
  std::string name;    // "cifar100", …; for an unknown folder of IDX files the folder's own name
  std::string folder;  // where the files lay
  ImageSet train, validation, test;
  PixelStatistics statistics;
};

struct ImageDataOptions {
  // Pictures get a border of zeros up to pad_to × pad_to; 0 leaves them as they are.
  std::int64_t pad_to = 0;
  // Squares of so many pixels are laid out anew, in one order for every picture: what stood
  // together stands apart, and nothing else is lost. 0: off.
  std::int64_t shuffle_patches = 0;
};

// Held out for validation: 5,000, or a tenth of fewer than 50,000.
std::int64_t validation_count(std::int64_t training_count);

// A known name (list_data_sets()) or a folder, which holds MNIST's four IDX files (each plain or
// .gz), CIFAR-10's data_batch_1…5.bin and test_batch.bin or CIFAR-100's train.bin and test.bin. A
// known name wins over a folder of that name: write ./mnist for the folder. The validation examples
// are the last validation_count() of a permutation of the training files keyed by the data set's
// name, the same in every run; both parts keep the files' order. A file of another length than the
// published one is a warning (event).
// shuffle_patches comes after padding; its order is keyed by its own stream and the grid alone.
// Memory: pixels once, twice while reading. Errors: Error{config} for a name that is neither, and
// for an impossible pad_to or shuffle_patches; Error{io} naming where it was looked for and how to
// get it, a folder with other files, images and labels that do not belong together, labels out of
// range; those of read_idx and read_cifar.
ImageData load_image_data(std::string_view name_or_folder, const ImageDataOptions& options = {});

struct DataSetInfo {
  std::string name, title;
  std::string folder;                  // where it was found; empty when it was not
  std::vector<std::string> looked_in;  // $FFN_DATA/<name>, ~/.local/share/ffn/<name>, packages
  std::string how_to_get;
};

// Every data set that load_image_data() knows by name, and what is here.
std::vector<DataSetInfo> list_data_sets();

}  // namespace ffn::inline v0
