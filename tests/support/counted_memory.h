// An independent count of the memory that tensors take: this object file replaces the aligned
// operator new, the only one the library uses for tensors (base/allocator.h). Link
// counted_memory.cpp.
#pragma once

#include <cstdint>

#include "ffn/base/allocator.h"

namespace ffn::testing_support {

// False under the thread sanitizer, where nothing can be counted.
bool counting();
// Bytes from the aligned operator new that are live now, and the number of calls so far.
std::int64_t live_aligned_bytes();
std::int64_t aligned_allocations();
// Calls of any operator new so far (aligned or not).
std::int64_t all_allocations();

// Guard bytes on for the scope; violations are counted instead of aborting.
class GuardScope {
 public:
  GuardScope();
  ~GuardScope();
  GuardScope(const GuardScope&) = delete;
  GuardScope& operator=(const GuardScope&) = delete;
  int violations() const { return violations_; }

 private:
  bool before_;
  GuardHandler handler_before_;
  int violations_ = 0;
};

}  // namespace ffn::testing_support
