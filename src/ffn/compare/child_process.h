// One run of a program beside this one.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

namespace ffn::inline v0 {

struct ChildStatus {
  int exit_code = 0;
  int signal = 0;  // that ended it; 0: it ended by itself
  bool ok() const { return exit_code == 0 && signal == 0; }
};

// A child that said itself, on stderr, why it failed.
class ChildFailure : public std::exception {
 public:
  explicit ChildFailure(int exit_code) : exit_code_(exit_code) {}
  const char* what() const noexcept override { return "a run failed"; }
  int exit_code() const { return exit_code_; }

 private:
  int exit_code_;
};

// Its standard output goes nowhere, its standard error where ours goes, or to a file. It stands in
// a process group of its own, so that Ctrl-C reaches this process alone, which passes it on; if
// this process dies, the child gets SIGINT.
class ChildProcess {
 public:
  // Throws Error{device} when no process can be made; a program that cannot be run exits with 127.
  ChildProcess(const std::string& program, const std::vector<std::string>& arguments,
               const std::string& errors_to = {});
  // Interrupts a child that still runs, and waits for it.
  ~ChildProcess();
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  // Once it has ended.
  std::optional<ChildStatus> poll();
  // SIGINT, once: a second one would kill it.
  void interrupt();

 private:
  pid_t id_ = -1;
  bool interrupted_ = false;
  std::optional<ChildStatus> status_;
};

// This very program's file.
std::string own_program();

}  // namespace ffn::inline v0
