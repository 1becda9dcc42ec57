// The thin vector type that every cpu kernel is written over. A kernel source is compiled once per
// instruction set; the build names it by FFN_ISA_NAMESPACE (scalar, avx2, avx512, avx512_bf16).
//
// Rules for such sources, checked by tools/check_isa_symbols: the object exports one function,
// fill_<family>; all else has internal linkage. An inline function or template of a shared header
// (std::sort, std::bit_cast, …) would become a weak symbol compiled for this ISA, which the linker
// may hand to the whole program. So only types and constants come from outside, and this header
// keeps its functions in an anonymous namespace.
//
// Interface, the same in vec_scalar.h, vec_avx2.h and vec_avx512.h (kLanes = 1, 8, 16):
//   Vec, IVec, Mask    f32 lanes, 32-bit integer lanes, one truth value per lane
//   zero() set(float) set_f16(bits) iset(int) iota()               broadcasts; iota is 0, 1, 2, …
//   load(p) store(p, v)                    kLanes elements, any alignment, p: float*, Bf16*; load:
//   F16* load_n(p, n) store_n(p, v, n)          the first n lanes, 0 ≤ n ≤ kLanes; missing lanes
//   read as 0
//                                          and nothing beyond them is touched
//     storing to Bf16 rounds to nearest even, subnormals included, and keeps NaN (as base/half.h
//     does); vcvtneps2bf16 takes subnormals for 0, so vectors with one go by integers
//   as_bf16(v)                             the nearest bf16 of each lane, as f32
//   load_lanes(const void*)                the 32 bits of every lane, any alignment
//   load_int(const int32_t*) load_bytes(const uint8_t*) load_signed_bytes(const int8_t*)   to IVec
//   + − * / (Vec)  + − & | ^ (IVec)  & | (Mask)
//   fma(a,b,c) = a·b + c, fnma(a,b,c) = c − a·b, each rounded once
//   min max              the second operand when either is NaN (and for −0 against +0)
//   abs neg sqrt round_nearest (halves to even)
//   lt le gt ge eq       Mask, false for NaN; on IVec: eq, gt (signed)
//   select(mask, a, b)   a where true
//   any(mask)
//   bits(Vec) from_bits(IVec)              the same 32 bits
//   to_int(Vec) to_float(IVec)             nearest (halves to even), |x| < 2^31
//   shift_left<n> shift_right<n> (logical) shift_right_signed<n>
//   scale_pow2(v, n)                       v·2^n for integral n, v and the result normal
//   reciprocal_near(v)                     1/v within a relative 2^-14
//   reduce_add reduce_max                  over lanes, in a fixed tree
//   reduce_adds(const Vec*)                reduce_add of kReduced vectors, in the first lanes
//   transpose(Vec (&)[kLanes])             a kLanes × kLanes tile, in place
//   kDotsPairs dot_pairs(a, b, sum)        lanes as pairs of bf16 values: sum + Σ a·b, over AVX-512
//                                          with BF16 one instruction (kDotsPairs)
//   lanes as four bytes or two 16-bit words:
//   multiply_pairs(b, a)                   words b₀a₀ + b₁a₁ and b₂a₂ + b₃a₃, b unsigned, a signed,
//                                          sums within ±32767
//   add_words(a, b) add_pairs(words)       word by word; to 32 bits: the sum of both words
//   abs_bytes sign_bytes(a, b)             |a| unsigned; a with its sign changed where b < 0
//                                          (where b = 0 nothing is said)
//   store_bytes(int8_t*, IVec)             kLanes integers within ±127
//   in_order(IVec)                         the same, made before what follows: otherwise GCC
//                                          collects the products of several steps, and writes them
//                                          to the stack
//   kDotsQuads dot_quads(b, a, sum)        sum + b₀a₀ + … + b₃a₃, b unsigned, a signed: only where
//                                          kDotsQuads (AVX-512 with VNNI)
// and below, written once: pow2i set_pair load_pairs load_pairs_n pair_up.
#pragma once

#include <cstddef>
#include <cstdint>

#include "ffn/base/half.h"

#if !defined(FFN_ISA_NAMESPACE)
#error "kernel sources are compiled per instruction set, see kernels/cpu/CMakeLists.txt"
#endif

#if defined(FFN_ISA_AVX512) || defined(FFN_ISA_AVX512_BF16)
#include "ffn/kernels/cpu/vec_avx512.h"
#elif defined(FFN_ISA_AVX2)
#include "ffn/kernels/cpu/vec_avx2.h"
#else
#include "ffn/kernels/cpu/vec_scalar.h"
#endif

namespace ffn::inline v0::kernels::cpu::FFN_ISA_NAMESPACE {
namespace {

// 2^n for integral −126 ≤ n ≤ 127.
inline Vec pow2i(Vec n) { return from_bits(shift_left<23>(to_int(n) + iset(127))); }

// Pairs of bf16 values in the 32 bits of a lane, the first in the lower half.
inline Vec set_pair(const float* p) {
  std::int32_t word;
  __builtin_memcpy(&word, p, sizeof word);
  return from_bits(iset(word));
}
inline Vec load_pairs(const Bf16* p) { return from_bits(load_lanes(p)); }
// The first n values, 0 ≤ n ≤ 2·kLanes; missing ones are 0 and nothing beyond them is touched.
inline Vec load_pairs_n(const Bf16* p, std::int64_t n) {
  Bf16 values[2 * kLanes] = {};
  for (std::int64_t i = 0; i < n; ++i) values[i] = p[i];
  return load_pairs(values);
}
// The bf16 values of two vectors, as load() widens them: lane by lane (first, second).
inline Vec pair_up(Vec first, Vec second) {
  return from_bits(shift_right<16>(bits(first)) | bits(second));
}

#if !defined(FFN_ISA_AVX512_BF16)
constexpr bool kDotsQuads = false;
inline IVec dot_quads(IVec, IVec, IVec sum) { return sum; }  // never called
#else
constexpr bool kDotsQuads = true;
inline IVec dot_quads(IVec b, IVec a, IVec sum) { return {_mm512_dpbusd_epi32(sum.v, b.v, a.v)}; }
#endif

#if defined(FFN_ISA_AVX512_BF16) && !defined(FFN_EMULATE_AVX512)
constexpr bool kDotsPairs = true;
// Subnormal values and sums count as 0; the second products are added before the first.
inline Vec dot_pairs(Vec a, Vec b, Vec sum) { return {intrin::dot_pairs(a.v, b.v, sum.v)}; }
#else
#if defined(FFN_ISA_AVX512_BF16)
constexpr bool kDotsPairs = true;
#else
constexpr bool kDotsPairs = false;
#endif
inline Vec dot_pairs(Vec a, Vec b, Vec sum) {
  const auto first = [](Vec pair) { return from_bits(shift_left<16>(bits(pair))); };
  const auto second = [](Vec pair) {
    return from_bits(bits(pair) & iset(static_cast<std::int32_t>(0xffff0000u)));
  };
  return fma(first(a), first(b), fma(second(a), second(b), sum));
}
#endif

}  // namespace
}  // namespace ffn::inline v0::kernels::cpu::FFN_ISA_NAMESPACE
