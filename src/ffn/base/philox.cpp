#include "ffn/base/philox.h"

#include <cmath>
#include <numbers>

#include "ffn/base/check.h"
#include "ffn/base/faults.h"

namespace ffn::inline v0 {
namespace {

// Multipliers and Weyl increments of Philox4x32: Salmon, Moraes, Dror, Shaw, "Parallel random
// numbers: as easy as 1, 2, 3", SC 2011, table 2 and section 3.3.
constexpr std::uint64_t kMultiplier0 = 0xD2511F53u;
constexpr std::uint64_t kMultiplier1 = 0xCD9E8D57u;
constexpr std::uint32_t kWeyl0 = 0x9E3779B9u;
constexpr std::uint32_t kWeyl1 = 0xBB67AE85u;
constexpr int kRounds = 10;

constexpr std::uint32_t low(std::uint64_t x) { return static_cast<std::uint32_t>(x); }
constexpr std::uint32_t high(std::uint64_t x) { return static_cast<std::uint32_t>(x >> 32); }

// 64-bit FNV-1a of the name: short strings, and stable across platforms, unlike std::hash.
std::uint64_t hash_name(std::string_view name) {
  std::uint64_t hash = 0xcbf29ce484222325u;
  for (const char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
  return hash;
}

// The finaliser of SplitMix64: a bijection in which every input bit reaches every output bit.
constexpr std::uint64_t mix(std::uint64_t x) {
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
  return x ^ (x >> 31);
}

// Centre of the word's cell of 2^-32: in (0, 1), exact in double (33 bits).
double unit(std::uint32_t word) { return (static_cast<double>(word) + 0.5) * 0x1p-32; }

}  // namespace

PhiloxWords philox4x32(const PhiloxWords& counter, std::uint64_t key) {
  const std::uint32_t weyl0 = fault(1) ? kWeyl0 - 1 : kWeyl0;
  std::uint32_t key0 = low(key), key1 = high(key);
  PhiloxWords x = counter;
  for (int round = 0; round < kRounds; ++round) {
    const std::uint64_t product0 = kMultiplier0 * x[0];
    const std::uint64_t product1 = kMultiplier1 * x[2];
    x = {high(product1) ^ x[1] ^ key0, low(product1), high(product0) ^ x[3] ^ key1, low(product0)};
    key0 += weyl0;
    key1 += kWeyl1;
  }
  return x;
}

RandomStream::RandomStream(std::uint64_t seed, std::string_view name)
    : key_(mix(hash_name(name) ^ mix(seed + 0x9e3779b97f4a7c15u))) {}

PhiloxWords RandomStream::words(std::uint64_t step, std::uint64_t block) const {
  return philox4x32({low(block), high(block), low(step), high(step)}, key_);
}

std::uint32_t RandomStream::word(std::uint64_t step, std::uint64_t element) const {
  return words(step, element / 4)[element % 4];
}

float RandomStream::uniform(std::uint64_t step, std::uint64_t element) const {
  // The 128 largest words would round to 1.
  constexpr float kBelowOne = 0x1.fffffep-1f;
  const float rounded = static_cast<float>(unit(word(step, element)));
  return rounded < kBelowOne ? rounded : kBelowOne;
}

double RandomStream::normal(std::uint64_t step, std::uint64_t element) const {
  const PhiloxWords block = words(step, element / 4);
  const std::size_t pair = element % 4 / 2 * 2;
  const double radius = std::sqrt(-2.0 * std::log(unit(block[pair])));
  const double angle = 2.0 * std::numbers::pi * unit(block[pair + 1]);
  return radius * (element % 2 == 0 ? std::cos(angle) : std::sin(angle));
}

std::uint32_t RandomStream::below(std::uint32_t bound, std::uint64_t step,
                                  std::uint64_t element) const {
  FFN_ASSERT(bound > 0);
  return high(std::uint64_t{bound} * word(step, element));
}

}  // namespace ffn::inline v0
