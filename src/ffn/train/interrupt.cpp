#include "ffn/train/interrupt.h"

#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>

#include "ffn/base/error.h"

namespace ffn::inline v0 {
namespace {

constexpr std::array<int, 2> kSignals{SIGINT, SIGTERM};

std::atomic<int> first_signal{0};
std::atomic<bool> installed{false};
std::array<struct sigaction, 2> previous;

// Calls only what POSIX lists as safe in a handler; a lock-free atomic is safe as well.
static_assert(std::atomic<int>::is_always_lock_free);
void on_signal(int number) {
  const int code = errno;
  int none = 0;
  if (!first_signal.compare_exchange_strong(none, number)) {
    // The signal is blocked while its handler runs: the default action follows right after it.
    struct sigaction fatal = {};
    fatal.sa_handler = SIG_DFL;
    sigaction(number, &fatal, nullptr);
    raise(number);
  }
  errno = code;
}

}  // namespace

InterruptScope::InterruptScope() {
  check(!installed.exchange(true), ErrorKind::config, "interrupt",
        "signals are already watched in this process");
  first_signal = 0;
  struct sigaction action = {};
  action.sa_handler = on_signal;
  sigemptyset(&action.sa_mask);
  action.sa_flags = SA_RESTART;  // a checkpoint being written goes on
  for (std::size_t i = 0; i < kSignals.size(); ++i) sigaction(kSignals[i], &action, &previous[i]);
}

InterruptScope::~InterruptScope() {
  for (std::size_t i = 0; i < kSignals.size(); ++i) sigaction(kSignals[i], &previous[i], nullptr);
  installed = false;
}

int interrupted() { return first_signal.load(); }

}  // namespace ffn::inline v0
