// Compiled once per instruction set, by the rules of kernels/cpu/vec.h.
#include "ffn/bench/limit_loops.h"
#include "ffn/kernels/cpu/vec.h"

namespace ffn::inline v0::limits::FFN_ISA_NAMESPACE {
namespace {

using namespace kernels::cpu::FFN_ISA_NAMESPACE;

// Twelve independent chains hide the latency of up to six cycles at two multiply-adds per cycle.
constexpr int kChains = 12;

std::int64_t run_f32(std::int64_t rounds) {
  Vec sum[kChains];
#pragma GCC unroll 12
  for (int i = 0; i < kChains; ++i) sum[i] = set(static_cast<float>(i));
  const Vec near_one = set(0.9999f), small = set(1e-4f);
#pragma GCC unroll 4
  for (std::int64_t r = 0; r < rounds; ++r) {
#pragma GCC unroll 12
    for (int i = 0; i < kChains; ++i) sum[i] = fma(sum[i], near_one, small);
  }
  Vec total = zero();
#pragma GCC unroll 12
  for (int i = 0; i < kChains; ++i) total = total + sum[i];
  // A use of the result that the compiler cannot see through.
  volatile float sink = reduce_add(total);
  static_cast<void>(sink);
  return rounds * kChains * 2 * kLanes;
}

// SIMDe has neither instruction, and an emulated speed says nothing.
#if defined(FFN_ISA_AVX512_BF16) && !defined(FFN_EMULATE_AVX512)

std::int64_t run_bf16(std::int64_t rounds) {
  __m512 sum[kChains];
#pragma GCC unroll 12
  for (int i = 0; i < kChains; ++i) sum[i] = _mm512_set1_ps(static_cast<float>(i));
  // 1 and 2^-32: the sums stay far from infinity, and no product is subnormal.
  const __m512bh one = __builtin_bit_cast(__m512bh, _mm512_set1_epi16(0x3f80));
  const __m512bh small = __builtin_bit_cast(__m512bh, _mm512_set1_epi16(0x2f80));
#pragma GCC unroll 4
  for (std::int64_t r = 0; r < rounds; ++r) {
#pragma GCC unroll 12
    for (int i = 0; i < kChains; ++i) sum[i] = _mm512_dpbf16_ps(sum[i], one, small);
  }
  Vec total = zero();
#pragma GCC unroll 12
  for (int i = 0; i < kChains; ++i) total = total + Vec{sum[i]};
  volatile float sink = reduce_add(total);
  static_cast<void>(sink);
  return rounds * kChains * 2 * 2 * kLanes;
}

std::int64_t run_int8(std::int64_t rounds) {
  __m512i sum[kChains];
#pragma GCC unroll 12
  for (int i = 0; i < kChains; ++i) sum[i] = _mm512_set1_epi32(i);
  const __m512i some = _mm512_set1_epi8(3), other = _mm512_set1_epi8(-5);
#pragma GCC unroll 4
  for (std::int64_t r = 0; r < rounds; ++r) {
#pragma GCC unroll 12
    for (int i = 0; i < kChains; ++i) sum[i] = _mm512_dpbusd_epi32(sum[i], some, other);
  }
  IVec total = iset(0);
#pragma GCC unroll 12
  for (int i = 0; i < kChains; ++i) total = total ^ IVec { sum[i] };
  volatile float sink = reduce_add(to_float(total));
  static_cast<void>(sink);
  return rounds * kChains * 2 * 4 * kLanes;
}

constexpr LimitLoops::Compute kBf16 = run_bf16, kInt8 = run_int8;

#else

constexpr LimitLoops::Compute kBf16 = nullptr, kInt8 = nullptr;

#endif

// Bits are joined by "or": every processor has more units for it than for sums of floats, and any
// contents will do. Prefetching along one place stops at every page, so memory is read faster at
// eight places at a time (on a Zen 3: 17 GB/s instead of 12), and L2 front to back (93 instead of
// 76).
template <int kPlaces>
void run_read(const float* data, std::int64_t count, std::int64_t passes) {
  constexpr int kVectors = 8 / kPlaces;
  static_assert(kReadUnit % (kPlaces * kVectors * kLanes) == 0);
  const std::int64_t each = count / kReadUnit * kReadUnit / kPlaces;
  IVec seen[kPlaces * kVectors];
#pragma GCC unroll 8
  for (int s = 0; s < kPlaces * kVectors; ++s) seen[s] = iset(0);
  for (std::int64_t pass = 0; pass < passes; ++pass) {
    for (std::int64_t i = 0; i < each; i += kVectors * kLanes) {
#pragma GCC unroll 8
      for (int s = 0; s < kPlaces * kVectors; ++s) {
        const float* place = data + s / kVectors * each;
        seen[s] = seen[s] | bits(load(place + i + s % kVectors * kLanes));
      }
    }
    // Without it the compiler may know that a second pass finds nothing new.
    asm volatile("" ::: "memory");
  }
  IVec total = iset(0);
#pragma GCC unroll 8
  for (int s = 0; s < kPlaces * kVectors; ++s) total = total | seen[s];
  volatile float sink = reduce_add(from_bits(total));
  static_cast<void>(sink);
}

}  // namespace

void fill_limit_loops(LimitLoops& loops) {
  loops = {run_f32, kBf16, kInt8, run_read<1>, run_read<8>};
}

}  // namespace ffn::inline v0::limits::FFN_ISA_NAMESPACE
