#include "ffn/train/run_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <thread>

#include "ffn/base/error.h"
#include "ffn/base/timer.h"

namespace ffn::inline v0 {

RunLock::RunLock(const std::string& folder, double wait_s) {
  descriptor_ = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  check(descriptor_ >= 0, ErrorKind::io, folder, "cannot be opened: ", std::strerror(errno));
  const Stopwatch watch;
  while (::flock(descriptor_, LOCK_EX | LOCK_NB) != 0) {
    const int code = errno;
    if (code == EINTR) continue;
    if (code == EWOULDBLOCK && watch.elapsed_s() < wait_s) {
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
      continue;
    }
    ::close(descriptor_);
    fail(ErrorKind::io, folder,
         code == EWOULDBLOCK ? "is in use: another process trains in it" : std::strerror(code));
  }
}

RunLock::~RunLock() { ::close(descriptor_); }

}  // namespace ffn::inline v0
