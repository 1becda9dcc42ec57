#include "ffn/tensor/mapped.h"

#include <utility>

namespace ffn::inline v0 {
namespace {

class MappedStorage final : public Storage {
 public:
  // Storage hands out writable bytes for the sake of one tensor type; the pages themselves are
  // mapped read-only, so a write faults instead of changing a user's file.
  explicit MappedStorage(std::shared_ptr<const MappedFile> file)
      : Storage(const_cast<std::byte*>(file->bytes().data()),
                static_cast<std::int64_t>(file->bytes().size())),
        file_(std::move(file)) {}

  void discard(std::int64_t offset, std::int64_t bytes) const override {
    file_->discard(offset, bytes);
  }

 private:
  std::shared_ptr<const MappedFile> file_;
};

}  // namespace

StorageRef mapped_storage(std::shared_ptr<const MappedFile> file) {
  return std::make_shared<MappedStorage>(std::move(file));
}

}  // namespace ffn::inline v0
