// Groups of 32 weights of every block type as bytes, with what they still have to be multiplied by.
// Layouts and equations: base/blocks.h.
//
// A type is read unit by unit: kStepGroups blocks of 32 elements, or one of 256, in kSteps steps of
// kStepGroups groups, whose bytes are kVectors vectors. The bytes q of a step stand for  scale·(q −
// kOffset) + kMinimum·minimum; those of q8_0 are signed where no offset makes them unsigned
// (kSigned).
#pragma once

#include "ffn/base/dtype.h"
#include "ffn/kernels/cpu/block_lanes.h"

namespace ffn::inline v0::kernels::cpu::FFN_ISA_NAMESPACE {
namespace {

// minimum: that of each group in lane 1 of its lanes (scalar: in the lane); the rows' sums have
// zeros in the others.
struct GroupWeights {
  IVec quants[kNibbleVectors];
  Vec scales[2];  // [1]: of the second half of the vectors, where halves differ and kLanes is 1
  Vec minimum;
};

template <std::int64_t Bytes, int Offset, int Minimum, bool Nibbles>
struct SmallBlocks {
  static constexpr std::int64_t kBytes = Bytes, kElements = kQuantBlock;
  static constexpr int kOffset = Offset, kSteps = 1;
  static constexpr int kStepGroups = Nibbles ? kNibbleGroups : kGroups;
  static constexpr int kVectors = Nibbles ? kNibbleVectors : kIntVectors;
  static constexpr int kMinimum = Minimum;
  static constexpr bool kSigned = false, kHalves = false;
};

// read(v): vector v of the bytes.
template <int Vectors, class Read>
[[gnu::always_inline]] inline GroupWeights group_weights(Vec scale, const Read& read) {
  GroupWeights weights{{}, {scale, scale}, zero()};
#pragma GCC unroll 8
  for (int v = 0; v < Vectors; ++v) weights.quants[v] = read(v);
  return weights;
}

struct Q4_0Unit : SmallBlocks<18, 8, 0, true> {
  NibblePlaces at;
  explicit Q4_0Unit(const NibblePlaces& places) : at(places) {}
  template <int>
  GroupWeights step() const {
    return group_weights<kVectors>(half_pairs(at).first,
                                   [&](int v) { return load_nibbles(at + 2, v); });
  }
};

struct Q4_1Unit : SmallBlocks<20, 0, 1, true> {
  NibblePlaces at;
  explicit Q4_1Unit(const NibblePlaces& places) : at(places) {}
  template <int>
  GroupWeights step() const {
    const HalfPairs halves = half_pairs(at);
    GroupWeights weights =
        group_weights<kVectors>(halves.first, [&](int v) { return load_nibbles(at + 4, v); });
    weights.minimum = halves.second;
    return weights;
  }
};

struct Q5_0Unit : SmallBlocks<22, 16, 0, true> {
  NibblePlaces at;
  explicit Q5_0Unit(const NibblePlaces& places) : at(places) {}
  template <int>
  GroupWeights step() const {
    return group_weights<kVectors>(half_pairs(at).first, [&](int v) {
      return load_nibbles(at + 6, v) | bits_to_bytes(at + 2, v);
    });
  }
};

struct Q8_0Unit : SmallBlocks<34, kDotsQuads ? 128 : 0, 0, false> {
  static constexpr bool kSigned = !kDotsQuads;
  Places at;
  explicit Q8_0Unit(const Places& places) : at(places) {}
  template <int>
  GroupWeights step() const {
    const IVec flipped = iset(kDotsQuads ? static_cast<std::int32_t>(0x80808080u) : 0);
    return group_weights<kVectors>(half_groups(at),
                                   [&](int v) { return load_groups(at + 2, v) ^ flipped; });
  }
};

constexpr int kSuperGroups = static_cast<int>(kSuperBlock / kQuantBlock);

template <std::int64_t Bytes, int Offset, int Minimum, bool Halves>
struct SuperBlocks {
  static constexpr std::int64_t kBytes = Bytes, kElements = kSuperBlock;
  static constexpr int kOffset = Offset, kSteps = kSuperGroups / kGroups;
  static constexpr int kStepGroups = kGroups, kVectors = kIntVectors;
  static constexpr int kMinimum = Minimum;
  static constexpr bool kSigned = false, kHalves = Halves;
};
// The same place for all groups, or places `bytes` apart.
template <int Count = kGroups>
PlacesOf<Count> places_from(const std::uint8_t* first, std::int64_t bytes) {
  PlacesOf<Count> places;
  for (int g = 0; g < Count; ++g) places.at[g] = first + g * bytes;
  return places;
}

struct Q4KUnit : SuperBlocks<144, 0, -1, false> {
  const std::uint8_t* block;
  alignas(64) float factors[2 * kSuperGroups];  // d·s of each group, then m·o

  explicit Q4KUnit(const Places& places) : block(places.at[0]) {
    std::uint32_t packed[3];
    __builtin_memcpy(packed, block + 4, sizeof packed);
    constexpr std::uint32_t kSix = 0x3f3f3f3f, kFour = 0x0f0f0f0f, kTwo = 0x03030303;
    const std::uint32_t bytes[4] = {
        packed[0] & kSix, (packed[2] & kFour) | (packed[0] >> 6 & kTwo) << 4, packed[1] & kSix,
        (packed[2] >> 4 & kFour) | (packed[1] >> 6 & kTwo) << 4};
    alignas(16) std::uint8_t six_bits[sizeof bytes];
    __builtin_memcpy(six_bits, bytes, sizeof bytes);
    for (int i = 0; i < 2 * kSuperGroups; i += kLanes) {
      const Vec scale = half_groups(places_from(block + i / kSuperGroups * 2, 2));
      store(factors + i, scale * to_float(load_bytes(six_bits + i)));
    }
  }
  template <int Step>
  GroupWeights step() const {
    constexpr int g = Step * kGroups;
    const Places at = places_from(block + 16 + g / 2 * kQuantBlock, 0);
    GroupWeights weights = group_weights<kVectors>(spread(factors + g), [&](int v) {
      return shift_groups<g % 2 * 4, 4>(load_groups(at, v)) & iset(0x0f0f0f0f);
    });
    weights.minimum = spread(factors + kSuperGroups + g);
    return weights;
  }
};

struct Q6KUnit : SuperBlocks<210, 32, 0, true> {
  const std::uint8_t* block;
  alignas(64) float scales[2 * kSuperGroups];  // of 16 elements each

  explicit Q6KUnit(const Places& places) : block(places.at[0]) {
    const void* factors = block + 192;
    const Vec scale = set_f16(half_bits(block + 208));
    for (int i = 0; i < 2 * kSuperGroups; i += kLanes) {
      const IVec own = load_signed_bytes(static_cast<const std::int8_t*>(factors) + i);
      store(scales + i, scale * to_float(own));
    }
  }
  template <int Step>
  GroupWeights step() const {
    constexpr int g = Step * kGroups, run = g % 4;
    const Places lower = places_from(block + g / 4 * 64 + run % 2 * kQuantBlock, kQuantBlock);
    const Places upper = places_from(block + 128 + g / 4 * kQuantBlock, 0);
    constexpr int low = run < 2 ? 0 : 4;
    // The two bits of run r stand at 2r and belong at 4.
    constexpr int high = 2 * run - 4;
    GroupWeights weights = group_weights<kVectors>(spread_halves(scales + 2 * g, 0), [&](int v) {
      const IVec bits = shift_groups<high, high + 2>(load_groups(upper, v)) & iset(0x30303030);
      return (shift_groups<low, low>(load_groups(lower, v)) & iset(0x0f0f0f0f)) | bits;
    });
    weights.scales[1] = spread_halves(scales + 2 * g, kIntVectors / 2);
    return weights;
  }
};

}  // namespace
}  // namespace ffn::inline v0::kernels::cpu::FFN_ISA_NAMESPACE
