#include "ffn/io/mapped_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <limits>
#include <system_error>
#include <utility>

#include "ffn/base/error.h"

namespace ffn::inline v0 {
namespace {

std::string system_reason(int code) { return std::generic_category().message(code); }

// Closes on every way out.
struct Descriptor {
  int value;
  ~Descriptor() {
    if (value >= 0) ::close(value);
  }
};

std::size_t page_bytes() {
  static const auto bytes = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  return bytes;
}

}  // namespace

MappedFile::MappedFile(std::string path, Links links) : path_(std::move(path)) {
  check(path_.find('\0') == std::string::npos, ErrorKind::io, "open",
        "the path contains a NUL byte");
  // O_NONBLOCK: opening a pipe that nobody writes to must not hang; regular files ignore it.
  const int follow = links == Links::refuse ? O_NOFOLLOW : 0;
  const Descriptor file{
      ::open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | follow)};
  check(file.value >= 0 || errno != ELOOP || follow == 0, ErrorKind::io, path_,
        "is a symbolic link, which is not followed here: put the file itself in its place (cp -L)");
  check(file.value >= 0, ErrorKind::io, path_, "cannot be opened: ", system_reason(errno));
  struct stat status = {};
  check(::fstat(file.value, &status) == 0, ErrorKind::io, path_,
        "its size cannot be read: ", system_reason(errno));
  check(!S_ISDIR(status.st_mode), ErrorKind::io, path_, "is a folder, expected a file");
  check(S_ISREG(status.st_mode), ErrorKind::io, path_, "is no regular file");
  if (status.st_size == 0) return;
  const auto size = static_cast<std::size_t>(status.st_size);
  void* data = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file.value, 0);
  check(data != MAP_FAILED, ErrorKind::io, path_, size,
        " bytes cannot be mapped: ", system_reason(errno));
  data_ = static_cast<std::byte*>(data);
  size_ = size;
}

MappedFile::~MappedFile() {
  if (data_ != nullptr) ::munmap(data_, size_);
}

void MappedFile::discard(std::int64_t offset, std::int64_t count) const {
  if (count <= 0 || offset >= static_cast<std::int64_t>(size_)) return;
  const std::int64_t last = std::numeric_limits<std::int64_t>::max();
  const std::int64_t stop = offset > 0 && count > last - offset ? last : offset + count;
  if (stop <= 0) return;
  const std::size_t page = page_bytes();
  const auto begin = static_cast<std::size_t>(std::max<std::int64_t>(offset, 0));
  const std::size_t first = (begin + page - 1) / page * page;
  // The last page counts as whole when the range reaches the end of the file.
  const auto end = std::min(static_cast<std::size_t>(stop), size_);
  const std::size_t past = end == size_ ? size_ : end / page * page;
  if (first < past) ::madvise(data_ + first, past - first, MADV_DONTNEED);
}

}  // namespace ffn::inline v0
