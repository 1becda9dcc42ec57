// Philox4x32-10 as in base/philox.cpp, for kBatch consecutive blocks at once: plain loops over the
// blocks, which the compiler turns into vectors (base's function would be one block per call).
#pragma once

#include "ffn/kernels/cpu/stream.h"

namespace ffn::inline v0::kernels::cpu::FFN_ISA_NAMESPACE {
namespace {

constexpr int kBatch = 16;
constexpr std::uint32_t kMultiplier0 = 0xD2511F53u, kMultiplier1 = 0xCD9E8D57u;
struct Blocks {
  alignas(64) std::uint32_t word[4][kBatch];
};

inline std::uint32_t high_product(std::uint32_t a, std::uint32_t b) {
  return static_cast<std::uint32_t>((std::uint64_t{a} * b) >> 32);
}

// The ten rounds. Not inlined: GCC 12 vectorises the loop over blocks only while the words are
// memory.
[[gnu::noinline]] void mix(Blocks& x, std::uint64_t key) {
  auto key0 = static_cast<std::uint32_t>(key), key1 = static_cast<std::uint32_t>(key >> 32);
  for (int round = 0; round < 10; ++round) {
    Blocks y;
    for (int i = 0; i < kBatch; ++i) {
      const std::uint32_t a = x.word[0][i], c = x.word[2][i];
      y.word[0][i] = high_product(kMultiplier1, c) ^ x.word[1][i] ^ key0;
      y.word[1][i] = kMultiplier1 * c;
      y.word[2][i] = high_product(kMultiplier0, a) ^ x.word[3][i] ^ key1;
      y.word[3][i] = kMultiplier0 * a;
    }
    x = y;
    key0 += 0x9E3779B9u;
    key1 += 0xBB67AE85u;
  }
}

inline Blocks philox_blocks(std::uint64_t key, std::uint64_t step, std::uint64_t first) {
  Blocks x;
  for (int i = 0; i < kBatch; ++i) {
    const std::uint64_t block = first + static_cast<std::uint64_t>(i);
    x.word[0][i] = static_cast<std::uint32_t>(block);
    x.word[1][i] = static_cast<std::uint32_t>(block >> 32);
    x.word[2][i] = static_cast<std::uint32_t>(step);
    x.word[3][i] = static_cast<std::uint32_t>(step >> 32);
  }
  mix(x, key);
  return x;
}

// What each element of a random stream is multiplied by: rule(word).
template <class Rule>
class Factors {
 public:
  Factors(std::uint64_t key, std::uint64_t step, const Rule& rule)
      : key_(key), step_(step), rule_(rule) {}

  // Factors of the elements [first, first + n), n ≤ kSegment.
  const float* of(std::uint64_t first, std::int64_t n) {
    const Rule rule = rule_;
    std::uint64_t block = first / 4;
    const auto skipped = static_cast<std::int64_t>(first % 4);
    for (std::int64_t at = 0; at < skipped + n; at += 4 * kBatch, block += kBatch) {
      const Blocks words = philox_blocks(key_, step_, block);
      for (int i = 0; i < kBatch; ++i) {
        for (int j = 0; j < 4; ++j) factor_[at + 4 * i + j] = rule(words.word[j][i]);
      }
    }
    return factor_ + skipped + (fault(42) && n % 4 != 0 ? 1 : 0);
  }

 private:
  std::uint64_t key_, step_;
  Rule rule_;
  // A segment that starts within a block needs one block more, and the last batch is whole.
  alignas(64) float factor_[kSegment + 4 * kBatch];
};

}  // namespace
}  // namespace ffn::inline v0::kernels::cpu::FFN_ISA_NAMESPACE
