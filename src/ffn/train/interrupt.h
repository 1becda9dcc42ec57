// Ending a run when the user asks: the first SIGINT or SIGTERM sets a flag, the second kills.
#pragma once

namespace ffn::inline v0 {

// While it lives, SIGINT and SIGTERM set the flag that interrupted() reads; the previous handlers
// come back afterwards. One at a time. Throws Error{config} for a second one.
class InterruptScope {
 public:
  InterruptScope();
  ~InterruptScope();
  InterruptScope(const InterruptScope&) = delete;
  InterruptScope& operator=(const InterruptScope&) = delete;
};

// The first signal's number since the scope began, 0 when there was none. Any thread may ask.
int interrupted();

}  // namespace ffn::inline v0
