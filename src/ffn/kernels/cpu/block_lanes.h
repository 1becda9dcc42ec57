// Vector operations on groups of 32 weights, for products of blocks. The bytes of a vector hold
// kGroups groups that lie apart in memory (AVX-512: two, AVX2: one), or the first and the second
// half of kNibbleGroups groups, twice as many, stand in two vectors: where nibbles hold both, that
// is how they come out of 16 bytes. In the scalar case a group takes kIntVectors vectors of four
// bytes.
//
//   load_groups(p, v)         vector v of the 32 bytes at each place
//   shift_groups<a, b>(x)     32-bit lanes of the first group right by a, of the second by b;
//                             negative: left
//   half_groups(p)            the f16 at each place, in all lanes of its group
//   spread(p)                 p[g] in all lanes of group g
//   spread_halves(p, v)       p[2g] in the first half of the lanes of group g, p[2g + 1] in the
//                             second
// of kNibbleGroups places:
//   load_nibbles(p, v)        16 bytes at each place: the low halves (v = 0) or the high ones (1);
//                             scalar: vector v of a group
//   bits_to_bytes(p, v)       32 bits at each place: bytes of 16 where a bit is set, in that order
//   half_pairs(p)             of the two f16 at each place: the first in all lanes of its group,
//                             the second in lane 1 of them (scalar: in the lane)
#pragma once

#include "ffn/kernels/cpu/loops.h"

namespace ffn::inline v0::kernels::cpu::FFN_ISA_NAMESPACE {
namespace {

constexpr int kGroupLanes = 8;  // 32-bit lanes of a group
constexpr int kGroups = kLanes >= kGroupLanes ? kLanes / kGroupLanes : 1;
constexpr int kIntVectors = kLanes >= kGroupLanes ? 1 : kGroupLanes / kLanes;

constexpr int kNibbleGroups = kLanes >= kGroupLanes ? 2 * kGroups : 1;
constexpr int kNibbleVectors = kLanes >= kGroupLanes ? 2 : kIntVectors;

template <int Count>
struct PlacesOf {
  const std::uint8_t* at[Count];

  PlacesOf operator+(std::int64_t bytes) const {
    PlacesOf moved = *this;
    for (const std::uint8_t*& place : moved.at) place += bytes;
    return moved;
  }
};

using Places = PlacesOf<kGroups>;
using NibblePlaces = PlacesOf<kNibbleGroups>;

struct HalfPairs {
  Vec first, second;
};

inline std::uint16_t half_bits(const std::uint8_t* at) {
  std::uint16_t bits;
  __builtin_memcpy(&bits, at, sizeof bits);
  return bits;
}
inline std::int32_t four_bytes(const std::uint8_t* at) {
  std::int32_t bits;
  __builtin_memcpy(&bits, at, sizeof bits);
  return bits;
}

#if defined(FFN_ISA_AVX512) || defined(FFN_ISA_AVX512_BF16)

inline __m128i sixteen(const std::uint8_t* at) { return _mm_loadu_si128(as_words(at)); }
// Lanes of the second group.
constexpr __mmask16 kSecondGroup = 0xff00;

inline IVec load_groups(const Places& p, int) {
  const __m512i first = _mm512_castsi256_si512(load_words(p.at[0]));
  return {_mm512_inserti64x4(first, load_words(p.at[1]), 1)};
}
template <int First, int Second>
IVec shift_groups(IVec a) {
  constexpr int f = First < 0 ? -First : First, s = Second < 0 ? -Second : Second;
  const __m512i counts = _mm512_setr_epi32(f, f, f, f, f, f, f, f, s, s, s, s, s, s, s, s);
  if constexpr (First < 0 || Second < 0) return {_mm512_sllv_epi32(a.v, counts)};
  return {_mm512_srlv_epi32(a.v, counts)};
}
inline IVec load_nibbles(const NibblePlaces& p, int v) {
  __m512i bytes = _mm512_castsi128_si512(sixteen(p.at[0]));
  bytes = _mm512_inserti32x4(bytes, sixteen(p.at[1]), 1);
  bytes = _mm512_inserti32x4(bytes, sixteen(p.at[2]), 2);
  bytes = _mm512_inserti32x4(bytes, sixteen(p.at[3]), 3);
  return (v == 0 ? IVec{bytes} : shift_right<4>({bytes})) & iset(0x0f0f0f0f);
}
inline __m128i four_places(const NibblePlaces& p) {
  return _mm_setr_epi32(four_bytes(p.at[0]), four_bytes(p.at[1]), four_bytes(p.at[2]),
                        four_bytes(p.at[3]));
}
inline IVec bits_to_bytes(const NibblePlaces& p, int v) {
  // The lower 16 bits of all places, then the upper ones.
  const __m128i order = _mm_setr_epi8(0, 1, 4, 5, 8, 9, 12, 13, 2, 3, 6, 7, 10, 11, 14, 15);
  const __m128i bits = _mm_shuffle_epi8(four_places(p), order);
  const auto half =
      static_cast<std::uint64_t>(v == 0 ? _mm_cvtsi128_si64(bits) : _mm_extract_epi64(bits, 1));
  return {_mm512_maskz_set1_epi8(half, 16)};
}
inline Vec widen_halves(__m128i first, __m128i second) {
  return {intrin::half_to_float(_mm256_inserti128_si256(_mm256_castsi128_si256(first), second, 1))};
}
inline Vec half_groups(const Places& p) {
  const auto all = [](const std::uint8_t* at) {
    return _mm_set1_epi16(static_cast<std::int16_t>(half_bits(at)));
  };
  return widen_halves(all(p.at[0]), all(p.at[1]));
}
inline HalfPairs half_pairs(const NibblePlaces& p) {
  const __m256i twice = _mm256_permutevar8x32_epi32(_mm256_castsi128_si256(four_places(p)),
                                                    _mm256_setr_epi32(0, 0, 1, 1, 2, 2, 3, 3));
  const __m512 in_turn = intrin::half_to_float(twice);
  return {{intrin::even_lanes(in_turn)}, {in_turn}};
}
inline Vec spread(const float* p) {
  const __m512 first = _mm512_castps256_ps512(_mm256_set1_ps(p[0]));
  return {_mm512_insertf32x8(first, _mm256_set1_ps(p[1]), 1)};
}
inline Vec spread_halves(const float* p, int) {
  const __m512i from = _mm512_setr_epi32(0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3);
  return {_mm512_permutexvar_ps(from, _mm512_broadcast_f32x4(_mm_loadu_ps(p)))};
}

#elif defined(FFN_ISA_AVX2)

inline IVec load_groups(const Places& p, int) { return load_lanes(p.at[0]); }
template <int First, int>
IVec shift_groups(IVec a) {
  if constexpr (First < 0) return shift_left<-First>(a);
  return shift_right<(First > 0 ? First : 0)>(a);
}
inline IVec load_nibbles(const NibblePlaces& p, int v) {
  const auto sixteen = [&](int i) { return _mm_loadu_si128(as_words(p.at[i])); };
  const IVec bytes{_mm256_inserti128_si256(_mm256_castsi128_si256(sixteen(0)), sixteen(1), 1)};
  return (v == 0 ? bytes : shift_right<4>(bytes)) & iset(0x0f0f0f0f);
}
// Of each place in its half of the vector, in all lanes.
inline __m256i two_places(const NibblePlaces& p) {
  return _mm256_inserti128_si256(_mm256_castsi128_si256(_mm_set1_epi32(four_bytes(p.at[0]))),
                                 _mm_set1_epi32(four_bytes(p.at[1])), 1);
}
inline IVec bits_to_bytes(const NibblePlaces& p, int v) {
  const long long first = v == 0 ? 0x0000000000000000 : 0x0202020202020202;
  const long long second = first + 0x0101010101010101;
  const __m256i from = _mm256_setr_epi64x(first, second, first, second);
  const __m256i bit = _mm256_set1_epi64x(static_cast<long long>(0x8040201008040201ull));
  const __m256i bytes = _mm256_shuffle_epi8(two_places(p), from);
  const __m256i set = _mm256_cmpeq_epi8(_mm256_and_si256(bytes, bit), bit);
  return IVec{set} & iset(0x10101010);
}
inline Vec half_groups(const Places& p) { return set_f16(half_bits(p.at[0])); }
inline HalfPairs half_pairs(const NibblePlaces& p) {
  const __m128i twice =
      _mm_unpacklo_epi64(_mm_set1_epi32(four_bytes(p.at[0])), _mm_set1_epi32(four_bytes(p.at[1])));
  const __m256 in_turn = _mm256_cvtph_ps(twice);
  return {{_mm256_moveldup_ps(in_turn)}, {in_turn}};
}
inline Vec spread(const float* p) { return set(*p); }
inline Vec spread_halves(const float* p, int) {
  double both;
  __builtin_memcpy(&both, p, sizeof both);
  const __m256 pairs = _mm256_castpd_ps(_mm256_set1_pd(both));
  return {_mm256_permutevar_ps(pairs, _mm256_setr_epi32(0, 0, 0, 0, 1, 1, 1, 1))};
}

#else

inline IVec load_groups(const Places& p, int v) { return load_lanes(p.at[0] + 4 * v); }
template <int First, int>
IVec shift_groups(IVec a) {
  if constexpr (First < 0) return shift_left<-First>(a);
  return shift_right<(First > 0 ? First : 0)>(a);
}
inline IVec load_nibbles(const Places& p, int v) {
  const IVec bytes = load_lanes(p.at[0] + 4 * (v % 4));
  return (v < 4 ? bytes : shift_right<4>(bytes)) & iset(0x0f0f0f0f);
}
inline IVec bits_to_bytes(const Places& p, int v) {
  const std::int32_t four = four_bytes(p.at[0]) >> 4 * v;
  return map_bytes([&](int i) { return (four >> i & 1) << 4; });
}
inline Vec half_groups(const Places& p) { return set_f16(half_bits(p.at[0])); }
inline HalfPairs half_pairs(const Places& p) { return {half_groups(p), half_groups(p + 2)}; }
inline Vec spread(const float* p) { return set(*p); }
inline Vec spread_halves(const float* p, int v) { return set(p[v / 4]); }

#endif

}  // namespace
}  // namespace ffn::inline v0::kernels::cpu::FFN_ISA_NAMESPACE
