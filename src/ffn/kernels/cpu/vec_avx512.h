// Sixteen lanes: AVX-512 F, BW, VL, DQ. The interface is described in vec.h. With
// FFN_EMULATE_AVX512 the intrinsics come from SIMDe over AVX2, so that this code can be tested on
// processors without AVX-512.
#pragma once

#if defined(FFN_EMULATE_AVX512)
#include <simde/x86/avx512.h>
#else
#include <immintrin.h>
#endif

#include <cstdint>

#include "ffn/base/half.h"

#if defined(FFN_EMULATE_AVX512)
#include "ffn/kernels/cpu/vec_avx512_emulated.h"
#else
#include "ffn/kernels/cpu/vec_avx512_native.h"
#endif

namespace ffn::inline v0::kernels::cpu::FFN_ISA_NAMESPACE {
namespace {

constexpr int kLanes = 16;

struct Vec {
  __m512 v;
};
struct IVec {
  __m512i v;
};
struct Mask {
  __mmask16 v;
};

inline Vec zero() { return {_mm512_setzero_ps()}; }
inline Vec set(float x) { return {_mm512_set1_ps(x)}; }
inline Vec set_f16(std::uint16_t half) { return set(_cvtsh_ss(half)); }
inline IVec iset(std::int32_t x) { return {_mm512_set1_epi32(x)}; }
inline IVec iota() {
  return {_mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15)};
}

inline IVec bits(Vec a) { return {_mm512_castps_si512(a.v)}; }
inline Vec from_bits(IVec a) { return {_mm512_castsi512_ps(a.v)}; }

inline IVec operator+(IVec a, IVec b) { return {_mm512_add_epi32(a.v, b.v)}; }
inline IVec operator-(IVec a, IVec b) { return {_mm512_sub_epi32(a.v, b.v)}; }
inline IVec operator&(IVec a, IVec b) { return {_mm512_and_si512(a.v, b.v)}; }
inline IVec operator|(IVec a, IVec b) { return {_mm512_or_si512(a.v, b.v)}; }
inline IVec operator^(IVec a, IVec b) { return {_mm512_xor_si512(a.v, b.v)}; }
template <int Count>
IVec shift_left(IVec a) {
  return {_mm512_slli_epi32(a.v, Count)};
}
template <int Count>
IVec shift_right(IVec a) {
  return {_mm512_srli_epi32(a.v, Count)};
}
template <int Count>
IVec shift_right_signed(IVec a) {
  return {intrin::shift_right_signed<Count>(a.v)};
}

inline Vec operator+(Vec a, Vec b) { return {_mm512_add_ps(a.v, b.v)}; }
inline Vec operator-(Vec a, Vec b) { return {_mm512_sub_ps(a.v, b.v)}; }
inline Vec operator*(Vec a, Vec b) { return {_mm512_mul_ps(a.v, b.v)}; }
inline Vec operator/(Vec a, Vec b) { return {_mm512_div_ps(a.v, b.v)}; }
inline Vec fma(Vec a, Vec b, Vec c) { return {_mm512_fmadd_ps(a.v, b.v, c.v)}; }
inline Vec fnma(Vec a, Vec b, Vec c) { return {_mm512_fnmadd_ps(a.v, b.v, c.v)}; }
inline Vec min(Vec a, Vec b) { return {_mm512_min_ps(a.v, b.v)}; }
inline Vec max(Vec a, Vec b) { return {_mm512_max_ps(a.v, b.v)}; }
inline Vec abs(Vec a) { return from_bits(bits(a) & iset(0x7fffffff)); }
inline Vec neg(Vec a) { return from_bits(bits(a) ^ bits(set(-0.0f))); }
inline Vec sqrt(Vec a) { return {_mm512_sqrt_ps(a.v)}; }
inline Vec round_nearest(Vec a) { return {_mm512_roundscale_ps(a.v, 0)}; }
inline IVec to_int(Vec a) { return {intrin::to_int(a.v)}; }
inline Vec to_float(IVec a) { return {intrin::to_float(a.v)}; }
inline Vec scale_pow2(Vec v, Vec n) { return {intrin::scale(v.v, n.v)}; }
inline Vec reciprocal_near(Vec a) { return {intrin::reciprocal(a.v)}; }

inline Mask lt(Vec a, Vec b) { return {_mm512_cmp_ps_mask(a.v, b.v, _CMP_LT_OQ)}; }
inline Mask le(Vec a, Vec b) { return {_mm512_cmp_ps_mask(a.v, b.v, _CMP_LE_OQ)}; }
inline Mask gt(Vec a, Vec b) { return {_mm512_cmp_ps_mask(a.v, b.v, _CMP_GT_OQ)}; }
inline Mask ge(Vec a, Vec b) { return {_mm512_cmp_ps_mask(a.v, b.v, _CMP_GE_OQ)}; }
inline Mask eq(Vec a, Vec b) { return {_mm512_cmp_ps_mask(a.v, b.v, _CMP_EQ_OQ)}; }
inline Mask gt(IVec a, IVec b) { return {_mm512_cmpgt_epi32_mask(a.v, b.v)}; }
inline Mask eq(IVec a, IVec b) { return {_mm512_cmpeq_epi32_mask(a.v, b.v)}; }
inline Mask operator&(Mask a, Mask b) { return {static_cast<__mmask16>(a.v & b.v)}; }
inline Mask operator|(Mask a, Mask b) { return {static_cast<__mmask16>(a.v | b.v)}; }
inline bool any(Mask a) { return a.v != 0; }
inline Vec select(Mask mask, Vec a, Vec b) { return {_mm512_mask_blend_ps(mask.v, b.v, a.v)}; }

inline __m256 lower_half(Vec a) { return _mm512_castps512_ps256(a.v); }
inline __m256 upper_half(Vec a) {
  return _mm256_castpd_ps(_mm512_extractf64x4_pd(_mm512_castps_pd(a.v), 1));
}
inline float reduce_add(Vec a) {
  const __m256 eight = _mm256_add_ps(lower_half(a), upper_half(a));
  const __m128 four = _mm_add_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
  const __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)));
}
inline float reduce_max(Vec a) {
  const __m256 eight = _mm256_max_ps(lower_half(a), upper_half(a));
  const __m128 four = _mm_max_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
  const __m128 two = _mm_max_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_max_ss(two, _mm_movehdup_ps(two)));
}

constexpr int kReduced = 4;
inline Vec reduce_adds(const Vec* sums) {
  const auto fold = [](__m512 a, __m512 b) {  // to eight lanes each
    return _mm512_add_ps(intrin::shuffle_quarters<0x44>(a, b),
                         intrin::shuffle_quarters<0xee>(a, b));
  };
  const __m512 ab = fold(sums[0].v, sums[1].v), cd = fold(sums[2].v, sums[3].v);
  const __m512 four =
      _mm512_add_ps(intrin::shuffle_quarters<0x88>(ab, cd), intrin::shuffle_quarters<0xdd>(ab, cd));
  const __m512d pairs = _mm512_castps_pd(four);
  const __m512 two = _mm512_add_ps(four, _mm512_castpd_ps(_mm512_unpackhi_pd(pairs, pairs)));
  // The first two lanes of each quarter are left.
  const IVec quarters = shift_left<2>(iota() & iset(3));
  return {_mm512_add_ps(_mm512_permutexvar_ps(quarters.v, two),
                        _mm512_permutexvar_ps((quarters | iset(1)).v, two))};
}

// Groups of four rows are transposed within each 128-bit quarter, then quarters change places.
inline void transpose(Vec (&rows)[kLanes]) {
  for (int i = 0; i < 16; i += 4) {
    const __m512 lo01 = _mm512_unpacklo_ps(rows[i].v, rows[i + 1].v);
    const __m512 hi01 = _mm512_unpackhi_ps(rows[i].v, rows[i + 1].v);
    const __m512 lo23 = _mm512_unpacklo_ps(rows[i + 2].v, rows[i + 3].v);
    const __m512 hi23 = _mm512_unpackhi_ps(rows[i + 2].v, rows[i + 3].v);
    const auto join = [](__m512 a, __m512 b, bool upper) {
      const __m512d x = _mm512_castps_pd(a), y = _mm512_castps_pd(b);
      return _mm512_castpd_ps(upper ? _mm512_unpackhi_pd(x, y) : _mm512_unpacklo_pd(x, y));
    };
    rows[i].v = join(lo01, lo23, false);
    rows[i + 1].v = join(lo01, lo23, true);
    rows[i + 2].v = join(hi01, hi23, false);
    rows[i + 3].v = join(hi01, hi23, true);
  }
  for (int i = 0; i < 4; ++i) {  // quarter q of row i + 4g is output row 4q + i, quarter g
    const __m512 a = rows[i].v, b = rows[i + 4].v, c = rows[i + 8].v, d = rows[i + 12].v;
    const __m512 ab_even = intrin::shuffle_quarters<0x88>(a, b);
    const __m512 ab_odd = intrin::shuffle_quarters<0xdd>(a, b);
    const __m512 cd_even = intrin::shuffle_quarters<0x88>(c, d);
    const __m512 cd_odd = intrin::shuffle_quarters<0xdd>(c, d);
    rows[i].v = intrin::shuffle_quarters<0x88>(ab_even, cd_even);
    rows[i + 4].v = intrin::shuffle_quarters<0x88>(ab_odd, cd_odd);
    rows[i + 8].v = intrin::shuffle_quarters<0xdd>(ab_even, cd_even);
    rows[i + 12].v = intrin::shuffle_quarters<0xdd>(ab_odd, cd_odd);
  }
}

inline __mmask16 first_lanes(std::int64_t n) { return static_cast<__mmask16>((1u << n) - 1u); }
inline Vec widen(__m256i halves) {
  return from_bits(shift_left<16>({intrin::widen_words(halves)}));
}
inline __m256i narrow(Vec a) {
  if (intrin::narrows(a.v)) return intrin::narrow_floats(a.v);
  const IVec u = bits(a);
  const IVec rounded = shift_right<16>(u + iset(0x7fff) + (shift_right<16>(u) & iset(1)));
  const IVec quiet = shift_right<16>(u) | iset(0x40);
  const Vec r = select(eq(a, a), from_bits(rounded), from_bits(quiet));
  return intrin::narrow_words(bits(r).v);
}

inline Vec as_bf16(Vec a) { return widen(narrow(a)); }

inline const __m128i* as_words(const void* p) { return static_cast<const __m128i*>(p); }
inline __m256i load_words(const void* p) {
  return _mm256_loadu_si256(static_cast<const __m256i*>(p));
}
inline Vec load(const float* p) { return {_mm512_loadu_ps(p)}; }
inline Vec load(const Bf16* p) { return widen(load_words(p)); }
inline Vec load(const F16* p) { return {intrin::half_to_float(load_words(p))}; }
inline void store(float* p, Vec a) { _mm512_storeu_ps(p, a.v); }
inline void store(Bf16* p, Vec a) {
  void* at = p;
  _mm256_storeu_si256(static_cast<__m256i*>(at), narrow(a));
}
inline Vec load_n(const float* p, std::int64_t n) {
  return {intrin::load_floats(first_lanes(n), p)};
}
inline Vec load_n(const Bf16* p, std::int64_t n) {
  return widen(intrin::load_words(first_lanes(n), p));
}
inline Vec load_n(const F16* p, std::int64_t n) {
  return {intrin::half_to_float(intrin::load_words(first_lanes(n), p))};
}
inline void store_n(float* p, Vec a, std::int64_t n) {
  intrin::store_floats(p, first_lanes(n), a.v);
}
inline void store_n(Bf16* p, Vec a, std::int64_t n) {
  intrin::store_words(p, first_lanes(n), narrow(a));
}
inline IVec load_lanes(const void* p) { return {_mm512_loadu_si512(p)}; }
inline IVec load_int(const std::int32_t* p) { return {_mm512_loadu_si512(p)}; }
inline IVec load_bytes(const std::uint8_t* p) {
  return {intrin::widen_bytes(_mm_loadu_si128(as_words(p)))};
}
inline IVec load_signed_bytes(const std::int8_t* p) {
  return {intrin::widen_signed_bytes(_mm_loadu_si128(as_words(p)))};
}
inline void store_bytes(std::int8_t* p, IVec a) {
  void* at = p;
  _mm_storeu_si128(static_cast<__m128i*>(at), intrin::narrow_bytes(a.v));
}
inline IVec multiply_pairs(IVec b, IVec a) { return {_mm512_maddubs_epi16(b.v, a.v)}; }
inline IVec add_words(IVec a, IVec b) { return {_mm512_add_epi16(a.v, b.v)}; }
inline IVec in_order(IVec a) { return {intrin::in_order(a.v)}; }
inline IVec add_pairs(IVec words) { return {intrin::add_pairs(words.v)}; }
inline IVec abs_bytes(IVec a) { return {_mm512_abs_epi8(a.v)}; }
inline IVec sign_bytes(IVec a, IVec b) {
  const __mmask64 negative = _mm512_movepi8_mask(b.v);
  return {_mm512_mask_sub_epi8(a.v, negative, _mm512_setzero_si512(), a.v)};
}

}  // namespace
}  // namespace ffn::inline v0::kernels::cpu::FFN_ISA_NAMESPACE
