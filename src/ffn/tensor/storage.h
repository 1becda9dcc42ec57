// Memory that tensors share. Who allocates decides how it is freed; tensors only hold references.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>

namespace ffn::inline v0 {

class Storage {
 public:
  Storage(void* data, std::int64_t bytes) : data_(static_cast<std::byte*>(data)), bytes_(bytes) {}
  virtual ~Storage() = default;
  Storage(const Storage&) = delete;
  Storage& operator=(const Storage&) = delete;

  // nullptr on a dry device: sizes are real, memory is not.
  std::byte* data() const { return data_; }
  std::int64_t bytes() const { return bytes_; }
  // True when the executor made it and may hand it to another tensor after its last handle is gone.
  virtual bool donatable() const { return false; }
  // Says that [offset, offset+bytes) will not be read soon; a mapped file gives its pages back.
  virtual void discard(std::int64_t offset, std::int64_t bytes) const {
    static_cast<void>(offset);
    static_cast<void>(bytes);
  }

 private:
  std::byte* data_;
  std::int64_t bytes_;
};

using StorageRef = std::shared_ptr<Storage>;

// Memory that someone else owns (DLPack, a host program): `release` runs when the last tensor is
// gone.
StorageRef foreign_storage(void* data, std::int64_t bytes, std::function<void()> release);

}  // namespace ffn::inline v0
