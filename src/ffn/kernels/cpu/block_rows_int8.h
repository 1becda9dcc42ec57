// Rows as integers of 8 bits in groups of 32, in the order in which products of blocks read them.
// Equations: kernels/block_product.h.
#pragma once

#include "ffn/base/faults.h"
#include "ffn/kernels/cpu/block_lanes.h"

namespace ffn::inline v0::kernels::cpu::FFN_ISA_NAMESPACE {
namespace {

// Groups of a row, as they meet those of a step of the weights.
template <class Unit>
struct alignas(kLanes * 4) RowGroups {
  static constexpr int kCount = Unit::kStepGroups, kLanesEach = kLanes / kCount;

  std::int8_t quants[kCount * kQuantBlock];
  // What sums of integers start from, −offset·(the quants of a lane), as the bits of lanes.
  float start_bits[kIntVectors * kLanes];
  float scales[kLanes];  // of each lane's group
  float sums[kLanes];    // scale·(sum of a group's quants) where GroupWeights has the minimum, or 0

  // Where element k of group g stands, k a multiple of 16 or lanes.
  std::int8_t* at(int g, int k) {
    const bool halves = Unit::kVectors == 2;  // first all first halves, then all second ones
    return quants + (halves ? (k / 16 * kCount + g) * 16 + k % 16 : g * kQuantBlock + k);
  }
};

// Below this a group counts as zeros: 127 divided by less is no longer far from overflow.
constexpr float kLeastGroup = 0x1p-100f;
constexpr int kValueVectors = static_cast<int>(kQuantBlock / kLanes);

// One group of 32 values; its scale.
struct GroupScale {
  float scale, sum;
};
template <class Unit>
GroupScale quantize_group(const Vec (&values)[kValueVectors], int g, RowGroups<Unit>& to) {
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
    store_bytes(to.at(g, v * kLanes), to_int(nearest));
  }
  const float scale = counts ? size / 127.0f : finite;  // 0 or NaN
  return {scale, fault(48) ? 0 : scale * reduce_add(sum)};
}

template <class Unit>
void put_starts(RowGroups<Unit>& to) {
  const IVec weights = iset(static_cast<std::int32_t>(Unit::kOffset * 0x01010101u));
  for (int v = 0; v < kIntVectors; ++v) {
    IVec start = iset(0);
    for (int at = v; at < Unit::kVectors; at += kIntVectors) {
      const IVec quads = load_lanes(to.quants + at * 4 * kLanes);
      start = start - (kDotsQuads ? dot_quads(weights, quads, iset(0))
                                  : add_pairs(multiply_pairs(weights, quads)));
    }
    store(to.start_bits + v * kLanes, from_bits(start));
  }
}

// A row of K values; missing last groups are zeros.
template <class Unit, class Rows, class Row>
void quantize_row(const Rows&, Row row, std::int64_t K, RowGroups<Unit>* to) {
  constexpr int count = RowGroups<Unit>::kCount, lanes = RowGroups<Unit>::kLanesEach;
  for (std::int64_t k = 0; k < K; k += count * kQuantBlock, ++to) {
    *to = {};
    for (int g = 0; g < count && k + g * kQuantBlock < K; ++g) {
      Vec values[kValueVectors];
      for (int v = 0; v < kValueVectors; ++v)
        values[v] = Rows::read(row, k + g * kQuantBlock + v * kLanes);
      const GroupScale group = quantize_group(values, g, *to);
      for (int lane = 0; lane < lanes; ++lane) to->scales[g * lanes + lane] = group.scale;
      to->sums[g * lanes + (lanes > 1 ? 1 : 0)] = group.sum;
    }
    const bool forgotten = fault(47) && k + count * kQuantBlock >= K;
    if (Unit::kOffset != 0 && !forgotten) put_starts(*to);
  }
}

}  // namespace
}  // namespace ffn::inline v0::kernels::cpu::FFN_ISA_NAMESPACE
