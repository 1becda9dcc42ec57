// Loops that do one thing only, compiled once per instruction set: what a machine's limits are
// measured with.
#pragma once

#include <cstdint>

#include "ffn/base/cpu_features.h"

namespace ffn::inline v0 {

struct LimitLoops {
  // Multiply-adds on registers alone. Returns the operations done, two per multiply-add; 0 rounds
  // do nothing.
  using Compute = std::int64_t (*)(std::int64_t rounds);
  Compute f32 = nullptr;
  // Dot products of pairs of bf16, summed in f32, and of quadruples of bytes, summed in 32 bits, by
  // one instruction; null where the instruction set has none.
  Compute bf16 = nullptr, int8 = nullptr;
  // Reads floats [0, count) so many times, count rounded down to a multiple of kReadUnit: front to
  // back, or at several places at a time.
  using Read = void (*)(const float* data, std::int64_t count, std::int64_t passes);
  Read read = nullptr, read_apart = nullptr;
};

inline constexpr std::int64_t kReadUnit = 128;

// Throws Error{device} when the build lacks this instruction set; running a loop of one that
// cpu_supports() denies is a programmer error.
const LimitLoops& limit_loops(Isa isa);

}  // namespace ffn::inline v0
