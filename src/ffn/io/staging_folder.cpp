#include "ffn/io/staging_folder.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <system_error>
#include <utility>

#include "ffn/base/error.h"

namespace ffn::inline v0 {
namespace {

namespace fs = std::filesystem;

std::string reason(int code) { return std::generic_category().message(code); }

}  // namespace

StagingFolder::StagingFolder(std::string target) : target_(std::move(target)) {
  const fs::path path(target_);
  check(path.has_filename(), ErrorKind::io, target_, "names no folder to make");
  parent_ = path.has_parent_path() ? path.parent_path().string() : ".";
  std::error_code code;
  fs::create_directories(parent_, code);
  check(!code, ErrorKind::io, target_, "its folder cannot be made: ", code.message());
  path_ = parent_ + "/." + path.filename().string() + ".XXXXXX";
  check(::mkdtemp(path_.data()) != nullptr, ErrorKind::io, target_,
        "no folder can be made beside it: ", reason(errno));
}

StagingFolder::~StagingFolder() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

void StagingFolder::commit(const std::string& inner) const {
  const std::string made = path_ + "/" + inner;
  check(std::rename(made.c_str(), target_.c_str()) == 0, ErrorKind::io, target_,
        "cannot be put there: ", reason(errno));
  const int folder = ::open(parent_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  check(folder >= 0, ErrorKind::io, target_, "its folder cannot be opened: ", reason(errno));
  const int flushed = ::fsync(folder);
  const int code = errno;
  ::close(folder);
  // Some file systems cannot flush a folder and say EINVAL; see AtomicFile::commit().
  check(flushed == 0 || code == EINVAL, ErrorKind::io, target_,
        "its folder cannot be flushed to the disk: ", reason(code));
}

}  // namespace ffn::inline v0
