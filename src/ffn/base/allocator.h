// The only place where the library takes memory for tensors: 64-byte aligned blocks from the
// aligned operator new, so a test that replaces it counts every byte. Guard mode surrounds each
// block with a pattern and finds writes outside it.
#pragma once

#include <cstdint>
#include <functional>

namespace ffn::inline v0 {

// charged_bytes(bytes) of memory (ledger.h) aligned to kAlignment; nullptr for 0 bytes. Contents
// are undefined. Throws Error{device} when the system refuses. Any thread may call it.
void* allocate_bytes(std::int64_t bytes);
// Gives a block back; `bytes` as requested. nullptr is ignored.
void release_bytes(void* block, std::int64_t bytes) noexcept;

// Guard mode, for tests: a new block has kGuardBytes of pattern directly before its first and
// directly after its last requested byte, and is filled with 0xFF (NaN as f32, f64, bf16 and f16,
// −1 as integer) so that a read of memory nobody wrote shows. Patterns are checked at release and
// by check_guards(). Costs 128 bytes and a table entry per block, from the heap. May be switched
// while blocks are live: each is released as it was made.
inline constexpr std::int64_t kGuardBytes = 64;
void set_guard_bytes(bool on);
bool guard_bytes();

struct GuardViolation {
  const void* block;
  std::int64_t bytes;   // as requested
  std::int64_t offset;  // of the first damaged byte, from the block: negative, or ≥ bytes
};
using GuardHandler = std::function<void(const GuardViolation&)>;

// Installs what runs on a violation and returns the previous handler; an empty one restores the
// default, which writes one line to stderr and aborts, like a failed assert. Set it before threads
// start. A handler that returns lets the release go on; it must not throw.
GuardHandler set_guard_handler(GuardHandler handler);
// Checks every live guarded block now and reports each damaged one; returns how many were damaged.
std::int64_t check_guards();

}  // namespace ffn::inline v0
