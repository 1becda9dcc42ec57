// Rows as integers of 8 bits in groups of 32, in the order in which products of blocks read them.
// Equations: kernels/block_product.h.
#pragma once

#include "ffn/base/faults.h"
#include "ffn/kernels/cpu/block_lanes.h"

namespace ffn::inline v0::kernels::cpu::FFN_ISA_NAMESPACE {
namespace {

// kGroups groups of a row, as they meet those of the weights.
struct alignas(kLanes * 4) RowGroups {
  std::int8_t quants[kGroups * kQuantBlock];
  // What sums of integers start from, −offset·(sum of four quants), as the bits of lanes.
  float start_bits[kGroups * kGroupLanes];
  float scales[kLanes];  // of each lane's group
  float sums[kLanes];    // scale·(sum of a group's quants) where GroupWeights has the minimum, or 0
};

// Below this a group counts as zeros: 127 divided by less is no longer far from overflow.
constexpr float kLeastGroup = 0x1p-100f;
constexpr int kValueVectors = static_cast<int>(kQuantBlock / kLanes);

// One group of 32 values; its scale.
struct GroupScale {
  float scale, sum;
};
inline GroupScale quantize_group(const Vec (&values)[kValueVectors], std::int8_t* quants) {
  Vec largest = zero(), times_zero = zero();
  for (const Vec value : values) {
    largest = max(abs(value), largest);
    times_zero = fma(value, zero(), times_zero);  // NaN where a value is not finite
  }
  const float size = reduce_max(largest), finite = reduce_add(times_zero);
  const bool counts = size >= kLeastGroup && finite == 0;
  const Vec inverse = set(counts ? 127.0f / size : 0.0f);
  Vec sum = zero();
  for (int v = 0; v < kValueVectors; ++v) {
    const Vec nearest = counts ? round_nearest(values[v] * inverse) : zero();
    sum = sum + nearest;
    store_bytes(quants + v * kLanes, to_int(nearest));
  }
  const float scale = counts ? size / 127.0f : finite;  // 0 or NaN
  return {scale, fault(48) ? 0 : scale * reduce_add(sum)};
}

inline void put_starts(int offset, RowGroups& to) {
  const IVec weights = iset(offset * 0x01010101);
  for (int v = 0; v < kIntVectors; ++v) {
    const IVec quads = load_lanes(to.quants + v * 4 * kLanes);
    const IVec sums =
        kDotsQuads ? dot_quads(weights, quads, iset(0)) : add_pairs(multiply_pairs(weights, quads));
    store(to.start_bits + v * kLanes, from_bits(iset(0) - sums));
  }
}

// Row `row` of K values; a missing last group is zeros.
template <class Rows, class Row>
void quantize_row(const Rows&, Row row, std::int64_t K, int offset, RowGroups* to) {
  for (std::int64_t k = 0; k < K; k += kGroups * kQuantBlock, ++to) {
    *to = {};
    for (int g = 0; g < kGroups && k + g * kQuantBlock < K; ++g) {
      Vec values[kValueVectors];
      for (int v = 0; v < kValueVectors; ++v)
        values[v] = Rows::read(row, k + g * kQuantBlock + v * kLanes);
      const GroupScale group = quantize_group(values, to->quants + g * kQuantBlock);
      constexpr int lanes = kLanes / kGroups;
      for (int lane = 0; lane < lanes; ++lane) to->scales[g * lanes + lane] = group.scale;
      to->sums[g * lanes + (lanes > 1 ? 1 : 0)] = group.sum;
    }
    const bool forgotten = fault(47) && k + kGroups * kQuantBlock >= K;
    if (offset != 0 && !forgotten) put_starts(offset, *to);
  }
}

}  // namespace
}  // namespace ffn::inline v0::kernels::cpu::FFN_ISA_NAMESPACE
