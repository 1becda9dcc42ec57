// Counter-based random numbers: Philox4x32-10 (Salmon et al., 2011). The same (key, counter) gives
// the same words on every machine, thread and replay; nothing is ever "advanced".
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace ffn::inline v0 {

using PhiloxWords = std::array<std::uint32_t, 4>;

// Ten rounds over the 128-bit counter with the 64-bit key.
PhiloxWords philox4x32(const PhiloxWords& counter, std::uint64_t key);

// A named stream of one seed: key = mix(fnv1a(name) ^ mix(seed + 0x9e3779b97f4a7c15)) with
// SplitMix64's finaliser as mix. Counter = (step, element): word `element % 4` of block `element /
// 4`. Streams of different names are independent; order of use does not matter.
class RandomStream {
 public:
  RandomStream() = default;
  RandomStream(std::uint64_t seed, std::string_view name);
  explicit RandomStream(std::uint64_t key) : key_(key) {}

  std::uint64_t key() const { return key_; }
  // The four words of one block: counter {block low, block high, step low, step high}.
  PhiloxWords words(std::uint64_t step, std::uint64_t block) const;
  std::uint32_t word(std::uint64_t step, std::uint64_t element) const;
  // (word + 0.5) · 2^-32 rounded to f32, at most 1 − 2^-24: in (0, 1), never 0 or 1.
  float uniform(std::uint64_t step, std::uint64_t element) const;
  // Box–Muller on two words of the element's own block, in double: with u, v = (word + 0.5) · 2^-32
  // of words 0, 1 (elements 0, 1 of the block) or 2, 3 (elements 2, 3), √(−2·ln u) times cos(2πv)
  // for an even element and sin(2πv) for an odd one.
  double normal(std::uint64_t step, std::uint64_t element) const;
  // Integer in [0, bound): multiply-shift of 32 bits, 1 ≤ bound < 2^32 (bias < bound·2^-32).
  std::uint32_t below(std::uint32_t bound, std::uint64_t step, std::uint64_t element) const;

 private:
  std::uint64_t key_ = 0;
};

}  // namespace ffn::inline v0
