// Eight lanes: AVX2, FMA, F16C. The interface is described in vec.h.
#pragma once

#include <immintrin.h>

#include <cstdint>

#include "ffn/base/half.h"

namespace ffn::inline v0::kernels::cpu::FFN_ISA_NAMESPACE {
namespace {

constexpr int kLanes = 8;

struct Vec {
  __m256 v;
};
struct IVec {
  __m256i v;
};
struct Mask {
  __m256 v;  // all bits of a lane set or none
};

inline Vec zero() { return {_mm256_setzero_ps()}; }
inline Vec set(float x) { return {_mm256_set1_ps(x)}; }
inline Vec set_f16(std::uint16_t half) { return set(_cvtsh_ss(half)); }
inline IVec iset(std::int32_t x) { return {_mm256_set1_epi32(x)}; }
inline IVec iota() { return {_mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7)}; }

inline IVec bits(Vec a) { return {_mm256_castps_si256(a.v)}; }
inline Vec from_bits(IVec a) { return {_mm256_castsi256_ps(a.v)}; }

inline IVec operator+(IVec a, IVec b) { return {_mm256_add_epi32(a.v, b.v)}; }
inline IVec operator-(IVec a, IVec b) { return {_mm256_sub_epi32(a.v, b.v)}; }
inline IVec operator&(IVec a, IVec b) { return {_mm256_and_si256(a.v, b.v)}; }
inline IVec operator|(IVec a, IVec b) { return {_mm256_or_si256(a.v, b.v)}; }
inline IVec operator^(IVec a, IVec b) { return {_mm256_xor_si256(a.v, b.v)}; }
template <int Count>
IVec shift_left(IVec a) {
  return {_mm256_slli_epi32(a.v, Count)};
}
template <int Count>
IVec shift_right(IVec a) {
  return {_mm256_srli_epi32(a.v, Count)};
}
template <int Count>
IVec shift_right_signed(IVec a) {
  return {_mm256_srai_epi32(a.v, Count)};
}

inline Vec operator+(Vec a, Vec b) { return {_mm256_add_ps(a.v, b.v)}; }
inline Vec operator-(Vec a, Vec b) { return {_mm256_sub_ps(a.v, b.v)}; }
inline Vec operator*(Vec a, Vec b) { return {_mm256_mul_ps(a.v, b.v)}; }
inline Vec operator/(Vec a, Vec b) { return {_mm256_div_ps(a.v, b.v)}; }
inline Vec fma(Vec a, Vec b, Vec c) { return {_mm256_fmadd_ps(a.v, b.v, c.v)}; }
inline Vec fnma(Vec a, Vec b, Vec c) { return {_mm256_fnmadd_ps(a.v, b.v, c.v)}; }
inline Vec min(Vec a, Vec b) { return {_mm256_min_ps(a.v, b.v)}; }
inline Vec max(Vec a, Vec b) { return {_mm256_max_ps(a.v, b.v)}; }
inline Vec abs(Vec a) { return {_mm256_andnot_ps(_mm256_set1_ps(-0.0f), a.v)}; }
inline Vec neg(Vec a) { return {_mm256_xor_ps(_mm256_set1_ps(-0.0f), a.v)}; }
inline Vec sqrt(Vec a) { return {_mm256_sqrt_ps(a.v)}; }
inline Vec round_nearest(Vec a) {
  return {_mm256_round_ps(a.v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC)};
}
inline IVec to_int(Vec a) { return {_mm256_cvtps_epi32(a.v)}; }
inline Vec to_float(IVec a) { return {_mm256_cvtepi32_ps(a.v)}; }
inline Vec scale_pow2(Vec a, Vec n) { return from_bits(bits(a) + shift_left<23>(to_int(n))); }
inline Vec reciprocal_near(Vec a) { return set(1) / a; }

inline Mask lt(Vec a, Vec b) { return {_mm256_cmp_ps(a.v, b.v, _CMP_LT_OQ)}; }
inline Mask le(Vec a, Vec b) { return {_mm256_cmp_ps(a.v, b.v, _CMP_LE_OQ)}; }
inline Mask gt(Vec a, Vec b) { return {_mm256_cmp_ps(a.v, b.v, _CMP_GT_OQ)}; }
inline Mask ge(Vec a, Vec b) { return {_mm256_cmp_ps(a.v, b.v, _CMP_GE_OQ)}; }
inline Mask eq(Vec a, Vec b) { return {_mm256_cmp_ps(a.v, b.v, _CMP_EQ_OQ)}; }
inline Mask gt(IVec a, IVec b) { return {_mm256_castsi256_ps(_mm256_cmpgt_epi32(a.v, b.v))}; }
inline Mask eq(IVec a, IVec b) { return {_mm256_castsi256_ps(_mm256_cmpeq_epi32(a.v, b.v))}; }
inline Mask operator&(Mask a, Mask b) { return {_mm256_and_ps(a.v, b.v)}; }
inline Mask operator|(Mask a, Mask b) { return {_mm256_or_ps(a.v, b.v)}; }
inline bool any(Mask a) { return _mm256_movemask_ps(a.v) != 0; }
inline Vec select(Mask mask, Vec a, Vec b) { return {_mm256_blendv_ps(b.v, a.v, mask.v)}; }

inline float reduce_add(Vec a) {
  const __m128 four = _mm_add_ps(_mm256_castps256_ps128(a.v), _mm256_extractf128_ps(a.v, 1));
  const __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)));
}
inline float reduce_max(Vec a) {
  const __m128 four = _mm_max_ps(_mm256_castps256_ps128(a.v), _mm256_extractf128_ps(a.v, 1));
  const __m128 two = _mm_max_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_max_ss(two, _mm_movehdup_ps(two)));
}

constexpr int kReduced = 4;
inline Vec reduce_adds(const Vec* sums) {
  const auto fold = [](__m256 a, __m256 b) {  // to four lanes each
    return _mm256_add_ps(_mm256_permute2f128_ps(a, b, 0x20), _mm256_permute2f128_ps(a, b, 0x31));
  };
  const __m256 ab = fold(sums[0].v, sums[1].v), cd = fold(sums[2].v, sums[3].v);
  const __m256 two =
      _mm256_add_ps(_mm256_shuffle_ps(ab, cd, 0x44), _mm256_shuffle_ps(ab, cd, 0xee));
  const __m256 acbd = _mm256_hadd_ps(two, two);
  const __m128 each = _mm_unpacklo_ps(_mm256_castps256_ps128(acbd), _mm256_extractf128_ps(acbd, 1));
  return {_mm256_castps128_ps256(each)};
}

// Pairs of rows are interleaved by 1, 2, then 4 lanes.
inline void transpose(Vec (&rows)[kLanes]) {
  Vec half[kLanes];
  for (int i = 0; i < 8; i += 2) {
    half[i].v = _mm256_unpacklo_ps(rows[i].v, rows[i + 1].v);
    half[i + 1].v = _mm256_unpackhi_ps(rows[i].v, rows[i + 1].v);
  }
  for (int i = 0; i < 8; i += 4) {
    rows[i].v = _mm256_shuffle_ps(half[i].v, half[i + 2].v, 0x44);
    rows[i + 1].v = _mm256_shuffle_ps(half[i].v, half[i + 2].v, 0xee);
    rows[i + 2].v = _mm256_shuffle_ps(half[i + 1].v, half[i + 3].v, 0x44);
    rows[i + 3].v = _mm256_shuffle_ps(half[i + 1].v, half[i + 3].v, 0xee);
  }
  for (int i = 0; i < 4; ++i) {
    const __m256 upper = rows[i].v, lower = rows[i + 4].v;
    rows[i].v = _mm256_permute2f128_ps(upper, lower, 0x20);
    rows[i + 4].v = _mm256_permute2f128_ps(upper, lower, 0x31);
  }
}

inline __m256i first_lanes(std::int64_t n) {
  return _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(n)), iota().v);
}
inline Vec widen(__m128i halves) {
  return {_mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(halves), 16))};
}
inline __m128i narrow(Vec a) {
  const IVec u = bits(a);
  const IVec rounded = shift_right<16>(u + iset(0x7fff) + (shift_right<16>(u) & iset(1)));
  const IVec quiet = shift_right<16>(u) | iset(0x40);
  const __m256 is_number = _mm256_cmp_ps(a.v, a.v, _CMP_ORD_Q);
  const IVec r = bits(select({is_number}, from_bits(rounded), from_bits(quiet)));
  // packus works within 128-bit halves; the wanted quarters are 0 and 2.
  const __m256i packed = _mm256_permute4x64_epi64(_mm256_packus_epi32(r.v, r.v), 0x08);
  return _mm256_castsi256_si128(packed);
}

inline Vec as_bf16(Vec a) { return widen(narrow(a)); }

inline const __m128i* as_words(const void* p) { return static_cast<const __m128i*>(p); }
inline Vec load(const float* p) { return {_mm256_loadu_ps(p)}; }
inline Vec load(const Bf16* p) { return widen(_mm_loadu_si128(as_words(p))); }
inline Vec load(const F16* p) { return {_mm256_cvtph_ps(_mm_loadu_si128(as_words(p)))}; }
inline void store(float* p, Vec a) { _mm256_storeu_ps(p, a.v); }
inline void store(Bf16* p, Vec a) {
  void* at = p;
  _mm_storeu_si128(static_cast<__m128i*>(at), narrow(a));
}
inline Vec load_n(const float* p, std::int64_t n) {
  return {_mm256_maskload_ps(p, first_lanes(n))};
}
inline void store_n(float* p, Vec a, std::int64_t n) {
  _mm256_maskstore_ps(p, first_lanes(n), a.v);
}
// AVX2 has no masks for 16-bit elements: through a full buffer.
template <class Half>
Vec load_n(const Half* p, std::int64_t n) {
  Half buffer[kLanes] = {};
  for (std::int64_t i = 0; i < n; ++i) buffer[i] = p[i];
  return load(buffer);
}
inline void store_n(Bf16* p, Vec a, std::int64_t n) {
  Bf16 buffer[kLanes];
  store(buffer, a);
  for (std::int64_t i = 0; i < n; ++i) p[i] = buffer[i];
}
inline IVec load_lanes(const void* p) {
  return {_mm256_loadu_si256(static_cast<const __m256i*>(p))};
}
inline IVec load_int(const std::int32_t* p) {
  const void* at = p;
  return {_mm256_loadu_si256(static_cast<const __m256i*>(at))};
}
inline IVec load_bytes(const std::uint8_t* p) {
  return {_mm256_cvtepu8_epi32(_mm_loadl_epi64(as_words(p)))};
}
inline IVec load_signed_bytes(const std::int8_t* p) {
  return {_mm256_cvtepi8_epi32(_mm_loadl_epi64(as_words(p)))};
}
inline void store_bytes(std::int8_t* p, IVec a) {
  // Packing works within 128-bit halves: the first four bytes of each are wanted.
  const __m256i words = _mm256_packs_epi32(a.v, a.v), bytes = _mm256_packs_epi16(words, words);
  const __m128i eight =
      _mm_unpacklo_epi32(_mm256_castsi256_si128(bytes), _mm256_extracti128_si256(bytes, 1));
  void* at = p;
  _mm_storel_epi64(static_cast<__m128i*>(at), eight);
}
inline IVec multiply_pairs(IVec b, IVec a) { return {_mm256_maddubs_epi16(b.v, a.v)}; }
inline IVec add_words(IVec a, IVec b) { return {_mm256_add_epi16(a.v, b.v)}; }
inline IVec in_order(IVec a) {
  __asm__("" : "+x"(a.v));
  return a;
}
inline IVec add_pairs(IVec words) { return {_mm256_madd_epi16(words.v, _mm256_set1_epi16(1))}; }
inline IVec abs_bytes(IVec a) { return {_mm256_abs_epi8(a.v)}; }
inline IVec sign_bytes(IVec a, IVec b) { return {_mm256_sign_epi8(a.v, b.v)}; }

}  // namespace
}  // namespace ffn::inline v0::kernels::cpu::FFN_ISA_NAMESPACE
