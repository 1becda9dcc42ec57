// The AVX-512 intrinsics that vec_avx512.h uses and SIMDe 0.7.4 lacks, by the names that
// vec_avx512_emulated.h gives to their substitutes.
#pragma once

#include <immintrin.h>

#include <cstdint>

namespace ffn::inline v0::kernels::cpu::FFN_ISA_NAMESPACE {
namespace {
namespace intrin {

template <int Count>
__m512i shift_right_signed(__m512i a) {
  return _mm512_srai_epi32(a, Count);
}
template <int Quarters>
__m512 shuffle_quarters(__m512 a, __m512 b) {
  return _mm512_shuffle_f32x4(a, b, Quarters);
}
inline __m512 even_lanes(__m512 a) { return _mm512_moveldup_ps(a); }
inline __m512i to_int(__m512 a) { return _mm512_cvtps_epi32(a); }
#if defined(FFN_ISA_AVX512_BF16)
inline __m512 dot_pairs(__m512 a, __m512 b, __m512 sum) {
  return _mm512_dpbf16_ps(sum, __builtin_bit_cast(__m512bh, a), __builtin_bit_cast(__m512bh, b));
}
// Whether narrow_floats rounds every lane to the nearest bf16: no lane is subnormal.
inline bool narrows(__m512 a) { return _mm512_fpclass_ps_mask(a, 0x20) == 0; }
inline __m256i narrow_floats(__m512 a) {
  return __builtin_bit_cast(__m256i, _mm512_cvtneps_pbh(a));
}
#else
inline bool narrows(__m512) { return false; }
inline __m256i narrow_floats(__m512 a) {
  return _mm512_castsi512_si256(_mm512_castps_si512(a));
}  // never called
#endif
inline __m512 scale(__m512 a, __m512 n) { return _mm512_scalef_ps(a, n); }
inline __m512 reciprocal(__m512 a) { return _mm512_rcp14_ps(a); }
inline __m512 to_float(__m512i a) { return _mm512_cvtepi32_ps(a); }
inline __m512i widen_words(__m256i a) { return _mm512_cvtepu16_epi32(a); }
inline __m256i narrow_words(__m512i a) { return _mm512_cvtepi32_epi16(a); }
inline __m512i widen_bytes(__m128i a) { return _mm512_cvtepu8_epi32(a); }
inline __m512i widen_signed_bytes(__m128i a) { return _mm512_cvtepi8_epi32(a); }
inline __m512i in_order(__m512i a) {
  __asm__("" : "+v"(a));
  return a;
}
inline __m512i add_pairs(__m512i words) { return _mm512_madd_epi16(words, _mm512_set1_epi16(1)); }
inline __m128i narrow_bytes(__m512i a) { return _mm512_cvtepi32_epi8(a); }
inline __m512 half_to_float(__m256i a) { return _mm512_cvtph_ps(a); }
inline __m512 load_floats(__mmask16 mask, const float* p) { return _mm512_maskz_loadu_ps(mask, p); }
inline void store_floats(float* p, __mmask16 mask, __m512 a) { _mm512_mask_storeu_ps(p, mask, a); }
inline __m256i load_words(__mmask16 mask, const void* p) {
  return _mm256_maskz_loadu_epi16(mask, p);
}
inline void store_words(void* p, __mmask16 mask, __m256i a) {
  _mm256_mask_storeu_epi16(p, mask, a);
}

}  // namespace intrin
}  // namespace
}  // namespace ffn::inline v0::kernels::cpu::FFN_ISA_NAMESPACE
