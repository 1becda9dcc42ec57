// Substitutes, lane by lane or in AVX2 halves, for the AVX-512 intrinsics that vec_avx512.h uses
// and SIMDe 0.7.4 lacks. Only tests run this: clarity before speed.
#pragma once

#include <simde/x86/avx512.h>

#include <cstdint>

namespace ffn::inline v0::kernels::cpu::FFN_ISA_NAMESPACE {
namespace {
namespace intrin {

constexpr int kWidth = 16;

template <class Element>
struct Lanes {
  alignas(64) Element lane[kWidth];
};
template <class Element, class Register>
Lanes<Element> lanes_of(Register a) {
  static_assert(sizeof(Register) == sizeof(Element) * kWidth);
  Lanes<Element> lanes;
  __builtin_memcpy(lanes.lane, &a, sizeof a);
  return lanes;
}
template <class Register, class Element>
Register as_register(const Lanes<Element>& lanes) {
  static_assert(sizeof(Register) == sizeof(Element) * kWidth);
  Register a;
  __builtin_memcpy(&a, lanes.lane, sizeof a);
  return a;
}
// Lane i of the result is To(lane i).
template <class To, class From, class Result, class Register>
Result convert(Register a) {
  const Lanes<From> from = lanes_of<From>(a);
  Lanes<To> to;
  for (int i = 0; i < kWidth; ++i) to.lane[i] = static_cast<To>(from.lane[i]);
  return as_register<Result>(to);
}
inline bool chosen(__mmask16 mask, int i) { return ((mask >> i) & 1) != 0; }

template <int Count>
__m512i shift_right_signed(__m512i a) {
  Lanes<std::int32_t> lanes = lanes_of<std::int32_t>(a);
  for (std::int32_t& lane : lanes.lane) lane >>= Count;
  return as_register<__m512i>(lanes);
}
template <int Quarters>
__m512 shuffle_quarters(__m512 a, __m512 b) {
  const Lanes<float> x = lanes_of<float>(a), y = lanes_of<float>(b);
  Lanes<float> r;
  for (int i = 0; i < kWidth; ++i) {
    const int from = (Quarters >> (i / 4 * 2)) & 3;
    r.lane[i] = (i < 8 ? x : y).lane[from * 4 + i % 4];
  }
  return as_register<__m512>(r);
}
inline __m512 even_lanes(__m512 a) {
  Lanes<float> lanes = lanes_of<float>(a);
  for (int i = 1; i < kWidth; i += 2) lanes.lane[i] = lanes.lane[i - 1];
  return as_register<__m512>(lanes);
}
inline __m512i to_int(__m512 a) {
  const Lanes<float> from = lanes_of<float>(a);
  Lanes<std::int32_t> to;
  for (int i = 0; i < kWidth; ++i) to.lane[i] = _mm_cvtss_si32(_mm_set_ss(from.lane[i]));
  return as_register<__m512i>(to);
}
inline __m512 scale(__m512 a, __m512 n) {
  Lanes<float> lanes = lanes_of<float>(a);
  const Lanes<float> exponents = lanes_of<float>(n);
  for (int i = 0; i < kWidth; ++i)
    lanes.lane[i] = __builtin_ldexpf(lanes.lane[i], static_cast<int>(exponents.lane[i]));
  return as_register<__m512>(lanes);
}
inline __m512 reciprocal(__m512 a) { return _mm512_div_ps(_mm512_set1_ps(1), a); }
inline bool narrows(__m512) { return false; }
inline __m256i narrow_floats(__m512 a) {
  return _mm512_castsi512_si256(_mm512_castps_si512(a));
}  // never called
inline __m512 to_float(__m512i a) { return convert<float, std::int32_t, __m512>(a); }
inline __m512i widen_words(__m256i a) { return convert<std::int32_t, std::uint16_t, __m512i>(a); }
inline __m256i narrow_words(__m512i a) { return convert<std::uint16_t, std::uint32_t, __m256i>(a); }
inline __m512i widen_bytes(__m128i a) { return convert<std::int32_t, std::uint8_t, __m512i>(a); }
inline __m512i widen_signed_bytes(__m128i a) {
  return convert<std::int32_t, std::int8_t, __m512i>(a);
}
inline __m512i in_order(__m512i a) { return a; }
inline __m512i add_pairs(__m512i words) {  // SIMDe's name for it asks for a mask
  Lanes<std::int32_t> lanes = lanes_of<std::int32_t>(words);
  for (std::int32_t& lane : lanes.lane)
    lane = static_cast<std::int16_t>(lane & 0xffff) + (lane >> 16);
  return as_register<__m512i>(lanes);
}
inline __m128i narrow_bytes(__m512i a) { return convert<std::int8_t, std::int32_t, __m128i>(a); }
inline __m512 half_to_float(__m256i a) {
  float lanes[kWidth];
  _mm256_storeu_ps(lanes, _mm256_cvtph_ps(_mm256_castsi256_si128(a)));
  _mm256_storeu_ps(lanes + 8, _mm256_cvtph_ps(_mm256_extracti128_si256(a, 1)));
  return _mm512_loadu_ps(lanes);
}
inline __m512 load_floats(__mmask16 mask, const float* p) {
  Lanes<float> lanes = {};
  for (int i = 0; i < kWidth; ++i) {
    if (chosen(mask, i)) lanes.lane[i] = p[i];
  }
  return as_register<__m512>(lanes);
}
inline void store_floats(float* p, __mmask16 mask, __m512 a) {
  const Lanes<float> lanes = lanes_of<float>(a);
  for (int i = 0; i < kWidth; ++i) {
    if (chosen(mask, i)) p[i] = lanes.lane[i];
  }
}
inline __m256i load_words(__mmask16 mask, const void* p) {
  Lanes<std::uint16_t> lanes = {};
  for (int i = 0; i < kWidth; ++i) {
    if (chosen(mask, i)) {
      __builtin_memcpy(&lanes.lane[i], static_cast<const std::uint16_t*>(p) + i, 2);
    }
  }
  return as_register<__m256i>(lanes);
}
inline void store_words(void* p, __mmask16 mask, __m256i a) {
  const Lanes<std::uint16_t> lanes = lanes_of<std::uint16_t>(a);
  for (int i = 0; i < kWidth; ++i) {
    if (chosen(mask, i)) {
      __builtin_memcpy(static_cast<std::uint16_t*>(p) + i, &lanes.lane[i], 2);
    }
  }
}

}  // namespace intrin
}  // namespace
}  // namespace ffn::inline v0::kernels::cpu::FFN_ISA_NAMESPACE
