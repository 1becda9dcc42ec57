#include "ffn/compare/child_process.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <filesystem>

#include "ffn/base/error.h"

namespace ffn::inline v0 {
namespace {

ChildStatus status_of(int raw) {
  if (WIFSIGNALED(raw)) return {.exit_code = 0, .signal = WTERMSIG(raw)};
  return {.exit_code = WEXITSTATUS(raw), .signal = 0};
}

// Between fork and exec: only calls that POSIX lists as safe there.
[[noreturn]] void become(const char* program, char* const* arguments, pid_t parent,
                         const char* errors_to) {
  ::setpgid(0, 0);
  ::prctl(PR_SET_PDEATHSIG, SIGINT);
  if (::getppid() != parent) ::_exit(0);  // it died before the line above
  const int nowhere = ::open("/dev/null", O_RDWR);
  if (nowhere >= 0) {
    ::dup2(nowhere, STDIN_FILENO);
    ::dup2(nowhere, STDOUT_FILENO);
  }
  if (*errors_to != '\0') {
    const int errors = ::open(errors_to, O_WRONLY | O_CREAT | O_TRUNC, 0666);
    if (errors >= 0) ::dup2(errors, STDERR_FILENO);
  }
  for (const int number : {SIGINT, SIGTERM}) ::signal(number, SIG_DFL);
  ::execv(program, arguments);
  ::_exit(127);
}

}  // namespace

ChildProcess::ChildProcess(const std::string& program, const std::vector<std::string>& arguments,
                           const std::string& errors_to) {
  std::vector<std::string> copies{program};
  copies.insert(copies.end(), arguments.begin(), arguments.end());
  std::vector<char*> pointers;
  for (std::string& copy : copies) pointers.push_back(copy.data());
  pointers.push_back(nullptr);
  const pid_t parent = ::getpid();
  id_ = ::fork();
  check(id_ >= 0, ErrorKind::device, "process", "cannot be started: ", std::strerror(errno));
  if (id_ == 0) become(program.c_str(), pointers.data(), parent, errors_to.c_str());
}

ChildProcess::~ChildProcess() {
  if (status_) return;
  interrupt();
  int raw = 0;
  while (::waitpid(id_, &raw, 0) < 0 && errno == EINTR) {
  }
}

std::optional<ChildStatus> ChildProcess::poll() {
  int raw = 0;
  if (!status_ && ::waitpid(id_, &raw, WNOHANG) == id_) status_ = status_of(raw);
  return status_;
}

void ChildProcess::interrupt() {
  if (!interrupted_ && !status_) ::kill(id_, SIGINT);
  interrupted_ = true;
}

std::string own_program() {
  std::error_code code;
  const std::filesystem::path path = std::filesystem::read_symlink("/proc/self/exe", code);
  check(!code, ErrorKind::device, "process", "its own file cannot be found: ", code.message());
  return path.string();
}

}  // namespace ffn::inline v0
