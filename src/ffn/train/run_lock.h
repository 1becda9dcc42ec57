// One process at a time in a run's folder.
#pragma once

#include <string>

namespace ffn::inline v0 {

// Holds the folder until it is destroyed or the process ends, however it ends; leaves no file.
// Waits up to `wait_s` for another process to let go: one that was told to stop is saving. Throws
// Error{io} naming the folder when it does not, or when the folder cannot be opened.
class RunLock {
 public:
  explicit RunLock(const std::string& folder, double wait_s = 10);
  ~RunLock();
  RunLock(const RunLock&) = delete;
  RunLock& operator=(const RunLock&) = delete;

 private:
  int descriptor_ = -1;
};

}  // namespace ffn::inline v0
