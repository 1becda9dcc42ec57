// A file as read-only memory: pages are read when touched and can be given back.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace ffn::inline v0 {

// What happens when the path's last part is a symbolic link.
enum class Links { follow, refuse };

class MappedFile {
 public:
  // Maps the whole file. Throws Error{io} with the system's reason when it cannot be opened, is no
  // regular file (a folder, a pipe: opening one never blocks; with Links::refuse a symbolic link)
  // or cannot be mapped.
  explicit MappedFile(std::string path, Links links = Links::follow);
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  const std::string& path() const { return path_; }
  // Empty for an empty file; otherwise starts at a page. Whoever shortens the file while it is
  // mapped makes reads beyond its new end fault (SIGBUS): replace files, as AtomicFile does.
  std::span<const std::byte> bytes() const { return {data_, size_}; }

  // Gives back the pages that lie wholly inside [offset, offset + count), clamped to the file; they
  // are read again when touched. Resident memory falls, contents do not change. Never fails: where
  // the system declines, the pages merely stay.
  void discard(std::int64_t offset, std::int64_t count) const;

 private:
  std::string path_;
  std::byte* data_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace ffn::inline v0
