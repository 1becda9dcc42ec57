#include "ffn/tensor/storage.h"

#include <utility>

namespace ffn::inline v0 {
namespace {

class ForeignStorage final : public Storage {
 public:
  ForeignStorage(void* data, std::int64_t bytes, std::function<void()> release)
      : Storage(data, bytes), release_(std::move(release)) {}
  ~ForeignStorage() override {
    if (release_) release_();
  }

 private:
  std::function<void()> release_;
};

}  // namespace

StorageRef foreign_storage(void* data, std::int64_t bytes, std::function<void()> release) {
  return std::make_shared<ForeignStorage>(data, bytes, std::move(release));
}

}  // namespace ffn::inline v0
