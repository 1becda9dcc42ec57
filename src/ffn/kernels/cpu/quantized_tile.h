// The innermost loop of products of integers: a tile of sums, rows × panel, group by group.
//
// Four values of k that follow each other stand in the bytes of a lane. With VNNI one instruction
// multiplies and adds them; weights are unsigned there (q + 128, or q + 8), and so the sums of a
// group start at −128 or −8 times the sum of the row's integers. Elsewhere pairs are summed in 16
// bits, exactly:
//   4 bits: q + 8 is unsigned, 8 steps · 2 · 15 · 127 = 30480 before a sum becomes 32 bits wide
//   8 bits: |q| · (a with q's sign), 2 · 128 · 127 = 32512, widened at every step
#pragma once

#include "ffn/kernels/cpu/loops.h"

namespace ffn::inline v0::kernels::cpu::FFN_ISA_NAMESPACE {
namespace {

// Integer sums and their loads of weights leave the f32 sums half of the registers of AVX-512; on
// AVX2 those stand in L1, which a group of 8 steps and more pays for.
#if defined(FFN_ISA_AVX2) || defined(FFN_ISA_SCALAR)
constexpr int kQuantRows = 4, kQuantVectors = 2;
#else
constexpr int kQuantRows = 3, kQuantVectors = 4;
#endif
constexpr std::int64_t kQuantPanel = kQuantVectors * kLanes;

// Values of k in a lane, and steps of the least group, whose 16-bit sums cannot overflow.
constexpr std::int64_t kQuad = 4, kBlockSteps = 8;

constexpr std::int64_t kBytesAhead = 8192;

// What is added to a weight so that it is unsigned; 0 where its sign is kept.
constexpr std::int32_t weight_offset(int bits) { return bits == 4 ? 8 : kDotsQuads ? 128 : 0; }

// A row of integers: quads of a group one after the other; per group a scale and what its sums
// start from.
struct QuantTile {
  const std::int8_t* a;
  std::int64_t a_ld;
  const float* scales;
  const std::int32_t* starts;
  std::int64_t groups_ld;      // from row to row of both
  const std::byte* b;          // groups of the panel: kQuantPanel scales, then its integers
  std::int64_t groups, steps;  // steps of a group
  float* sums;                 // [rows][kQuantPanel], added to
};

inline IVec broadcast_quad(const std::int8_t* a) {
  std::int32_t quad;
  __builtin_memcpy(&quad, a, sizeof quad);
  return iset(quad);
}

// Few rows come by once: their limit is memory, and one stream alone does not reach it. The line
// that comes later is asked for with every vector, into L2: all of a group's at once would fill the
// buffers of L1's misses and make its own loads wait.
template <int Rows>
[[gnu::always_inline]] inline void ask_ahead(const std::byte* b) {
  constexpr int kIntoL2 = 2;
  if constexpr (Rows < kQuantRows) __builtin_prefetch(b + kBytesAhead, 0, kIntoL2);
}

template <int Rows>
using QuantSums = IVec[Rows][kQuantVectors];

// One step: sum = add(sum, vector of the panel, the row's four values).
template <int Rows, class Add>
[[gnu::always_inline]] inline void add_step(const QuantTile& t, const std::int8_t* a,
                                            QuantSums<Rows>& sum, const Add& add) {
#pragma GCC unroll 4
  for (int i = 0; i < Rows; ++i) {
    const IVec quad = broadcast_quad(a + i * t.a_ld);
#pragma GCC unroll 4
    for (int j = 0; j < kQuantVectors; ++j) sum[i][j] = add(sum[i][j], j, quad);
  }
}

// Weights of 8 bits: sum += Σ over the group's steps.
template <int Rows>
[[gnu::always_inline]] inline void add_bytes(const QuantTile& t, const std::int8_t* a,
                                             const std::byte* b, QuantSums<Rows>& sum) {
  for (std::int64_t block = 0; block < t.steps; block += kBlockSteps) {
#pragma GCC unroll 2
    for (std::int64_t step = 0; step < kBlockSteps; ++step, a += kQuad) {
      IVec weights[kQuantVectors], sizes[kQuantVectors];
#pragma GCC unroll 4
      for (int j = 0; j < kQuantVectors; ++j, b += sizeof(IVec)) {
        ask_ahead<Rows>(b);
        weights[j] = load_lanes(b);
        if constexpr (!kDotsQuads) sizes[j] = abs_bytes(weights[j]);
      }
      add_step<Rows>(t, a, sum, [&](IVec before, int j, IVec quad) {
        if constexpr (kDotsQuads) return dot_quads(weights[j], quad, before);
        const IVec words = multiply_pairs(sizes[j], sign_bytes(quad, weights[j]));
        return in_order(before + add_pairs(words));
      });
    }
  }
}

// Weights of 4 bits: a byte holds those of two steps that follow each other.
template <int Rows>
[[gnu::always_inline]] inline void add_nibbles(const QuantTile& t, const std::int8_t* a,
                                               const std::byte* b, QuantSums<Rows>& sum) {
  const IVec low = iset(0x0f0f0f0f);
  for (std::int64_t block = 0; block < t.steps; block += kBlockSteps) {
    QuantSums<Rows> words;
#pragma GCC unroll 4
    for (int i = 0; i < Rows; ++i) {
#pragma GCC unroll 4
      for (int j = 0; j < kQuantVectors; ++j) words[i][j] = kDotsQuads ? sum[i][j] : iset(0);
    }
#pragma GCC unroll 4
    for (std::int64_t step = 0; step < kBlockSteps; step += 2) {
      IVec bytes[kQuantVectors];
#pragma GCC unroll 4
      for (int j = 0; j < kQuantVectors; ++j, b += sizeof(IVec)) {
        ask_ahead<Rows>(b);
        bytes[j] = load_lanes(b);
      }
#pragma GCC unroll 2
      for (int half = 0; half < 2; ++half, a += kQuad) {
        IVec weights[kQuantVectors];
#pragma GCC unroll 4
        for (int j = 0; j < kQuantVectors; ++j)
          weights[j] = (half == 0 ? bytes[j] : shift_right<4>(bytes[j])) & low;
        add_step<Rows>(t, a, words, [&](IVec before, int j, IVec quad) {
          if constexpr (kDotsQuads) return dot_quads(weights[j], quad, before);
          return in_order(add_words(before, multiply_pairs(weights[j], quad)));
        });
      }
    }
#pragma GCC unroll 4
    for (int i = 0; i < Rows; ++i) {
#pragma GCC unroll 4
      for (int j = 0; j < kQuantVectors; ++j)
        sum[i][j] = kDotsQuads ? words[i][j] : sum[i][j] + add_pairs(words[i][j]);
    }
  }
}

template <int Bits, int Rows>
[[gnu::noinline]] void quantized_tile(const QuantTile& t) {
  const std::byte* b = t.b;
  const std::int8_t* a = t.a;
  const std::int64_t bytes = t.steps * kQuantPanel * kQuad * Bits / 8;
  for (std::int64_t g = 0; g < t.groups; ++g, a += t.steps * kQuad) {
    QuantSums<Rows> sum;
#pragma GCC unroll 4
    for (int i = 0; i < Rows; ++i) {
      const IVec start = iset(t.starts[i * t.groups_ld + g]);
#pragma GCC unroll 4
      for (int j = 0; j < kQuantVectors; ++j) sum[i][j] = start;
    }
    const std::byte* scales = b;
    b += kQuantPanel * sizeof(float);
    if constexpr (Bits == 8) {
      add_bytes<Rows>(t, a, b, sum);
    } else {
      add_nibbles<Rows>(t, a, b, sum);
    }
    b += bytes;
#pragma GCC unroll 4
    for (int i = 0; i < Rows; ++i) {
      const Vec scale = set(t.scales[i * t.groups_ld + g]);
#pragma GCC unroll 4
      for (int j = 0; j < kQuantVectors; ++j) {
        const Vec both = scale * from_bits(load_lanes(scales + j * sizeof(Vec)));
        float* to = t.sums + i * kQuantPanel + j * kLanes;
        store(to, fma(to_float(sum[i][j]), both, load(to)));
      }
    }
  }
}

template <int Bits>
inline void run_quantized_tile(const QuantTile& t, std::int64_t rows) {
  if (rows == 1) return quantized_tile<Bits, 1>(t);
  if (rows == 2) return quantized_tile<Bits, 2>(t);
  if (rows == 3) return quantized_tile<Bits, 3>(t);
  quantized_tile<Bits, kQuantRows>(t);
}

}  // namespace
}  // namespace ffn::inline v0::kernels::cpu::FFN_ISA_NAMESPACE
