// A disk that is full: a limit on the size of files makes write() fail half way, as ENOSPC does.
#pragma once

#include <sys/resource.h>

#include <csignal>
#include <cstdint>

namespace ffn::test {

class FullDisk {
 public:
  explicit FullDisk(std::int64_t bytes_per_file) : handler_(std::signal(SIGXFSZ, SIG_IGN)) {
    ::getrlimit(RLIMIT_FSIZE, &before_);
    const struct rlimit small = {static_cast<rlim_t>(bytes_per_file), before_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &small);
  }
  ~FullDisk() {
    ::setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, handler_);
  }
  FullDisk(const FullDisk&) = delete;
  FullDisk& operator=(const FullDisk&) = delete;

 private:
  void (*handler_)(int);
  struct rlimit before_ = {};
};

}  // namespace ffn::test
