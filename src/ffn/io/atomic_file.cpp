#include "ffn/io/atomic_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <system_error>
#include <utility>

#include "ffn/base/check.h"
#include "ffn/base/error.h"

namespace ffn::inline v0 {
namespace {

constexpr int kAttempts = 1000;          // names left behind by crashed processes are skipped
constexpr std::size_t kBaseBytes = 128;  // of the target's name: a file name has at most 255

// Distinguishes the writers of one process; another process has another id.
std::uint64_t next_number() {
  static std::atomic<std::uint64_t> count{0};
  return count.fetch_add(1, std::memory_order_relaxed);
}

}  // namespace

void AtomicFile::fail_with(std::string_view what, int code) const {
  fail(ErrorKind::io, path_, what, ": ", std::generic_category().message(code));
}

AtomicFile::AtomicFile(std::string path) : path_(std::move(path)) {
  check(path_.find('\0') == std::string::npos, ErrorKind::io, "write",
        "the path contains a NUL byte");
  const std::size_t slash = path_.rfind('/');
  const std::string base = slash == std::string::npos ? path_ : path_.substr(slash + 1);
  folder_ = slash == std::string::npos ? "./" : path_.substr(0, slash + 1);
  check(!base.empty(), ErrorKind::io, path_, "names a folder, expected a file to write");
  int code = EEXIST;
  for (int attempt = 0; attempt < kAttempts && code == EEXIST; ++attempt) {
    temporary_ = folder_ + "." + base.substr(0, kBaseBytes) + "." + std::to_string(::getpid()) +
                 "." + std::to_string(next_number()) + ".tmp";
    descriptor_ = ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (descriptor_ >= 0) return;
    code = errno;
  }
  fail_with("no temporary file can be made beside it", code);
}

AtomicFile::~AtomicFile() {
  if (descriptor_ < 0) return;
  ::close(descriptor_);
  ::unlink(temporary_.c_str());
}

void AtomicFile::write(std::span<const std::byte> bytes) {
  FFN_ASSERT(descriptor_ >= 0);
  while (!bytes.empty()) {
    const ssize_t written = ::write(descriptor_, bytes.data(), bytes.size());
    if (written < 0) {
      if (errno == EINTR) continue;
      fail_with("cannot be written", errno);
    }
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
}

void AtomicFile::write(std::string_view text) { write(std::as_bytes(std::span(text))); }

void AtomicFile::commit() {
  FFN_ASSERT(descriptor_ >= 0);
  if (::fsync(descriptor_) != 0) fail_with("cannot be flushed to the disk", errno);
  // The new name must not outlive a crash without its bytes, hence the order: file, name, folder.
  if (std::rename(temporary_.c_str(), path_.c_str()) != 0) fail_with("cannot be replaced", errno);
  const int closed = ::close(std::exchange(descriptor_, -1));
  if (closed != 0) fail_with("cannot be closed", errno);
  const int folder = ::open(folder_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder < 0) fail_with("its folder cannot be opened", errno);
  const int flushed = ::fsync(folder);
  const int code = errno;
  ::close(folder);
  // Some file systems cannot flush a folder and say EINVAL; their renames are durable by themselves
  // or not at all.
  if (flushed != 0 && code != EINVAL) fail_with("its folder cannot be flushed to the disk", code);
}

}  // namespace ffn::inline v0
