// Small data sets on disk, and environment variables for one test.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>

#include "ffn/train/dataset.h"
#include "io/files.h"

namespace ffn::test {

using testing_io::Bytes;
using testing_io::TemporaryFolder;

// `count` CIFAR records: record i has label i mod classes and every pixel (i + first) mod 256.
inline Bytes cifar_bytes(int label_bytes, std::int64_t count, std::int64_t first = 0) {
  Bytes file;
  for (std::int64_t i = 0; i < count; ++i) {
    if (label_bytes == 2) file.push_back(std::byte{3});
    file.push_back(static_cast<std::byte>(i % (label_bytes == 1 ? 10 : 100)));
    file.insert(file.end(), 3072, static_cast<std::byte>((i + first) % 256));
  }
  return file;
}

inline void write_cifar100(const TemporaryFolder& folder, std::int64_t training,
                           std::int64_t testing) {
  testing_io::write_file(folder / "train.bin", cifar_bytes(2, training));
  testing_io::write_file(folder / "test.bin", cifar_bytes(2, testing));
}

// A set with pixels and labels that differ from example to example.
inline ImageSet small_set(std::int64_t count, std::int64_t channels, std::int64_t side,
                          std::int64_t classes) {
  ImageSet set{"small", count, channels, side, side, classes, {}, {}};
  for (std::int64_t i = 0; i < count * set.image_elements(); ++i)
    set.pixels.push_back(static_cast<std::uint8_t>((i * 2654435761u) >> 7));
  for (std::int64_t i = 0; i < count; ++i)
    set.labels.push_back(static_cast<std::int32_t>(i * 7 % classes));
  return set;
}

class ScopedVariable {
 public:
  ScopedVariable(const char* name, const std::string& value) : name_(name) {
    if (const char* before = std::getenv(name)) before_ = before;
    ::setenv(name, value.c_str(), 1);
  }
  ~ScopedVariable() {
    if (before_) {
      ::setenv(name_, before_->c_str(), 1);
    } else {
      ::unsetenv(name_);
    }
  }
  ScopedVariable(const ScopedVariable&) = delete;
  ScopedVariable& operator=(const ScopedVariable&) = delete;

 private:
  const char* name_;
  std::optional<std::string> before_;
};

}  // namespace ffn::test
