// One lane: plain C++ for any processor. The interface is described in vec.h.
#pragma once

#include <cstdint>

#include "ffn/base/half.h"

namespace ffn::inline v0::kernels::cpu::FFN_ISA_NAMESPACE {
namespace {

constexpr int kLanes = 1;

struct Vec {
  float v;
};
struct IVec {
  std::int32_t v;
};
struct Mask {
  bool v;
};

inline Vec zero() { return {0.0f}; }
inline Vec set(float x) { return {x}; }
inline IVec iset(std::int32_t x) { return {x}; }
inline IVec iota() { return {0}; }

inline IVec bits(Vec a) { return {__builtin_bit_cast(std::int32_t, a.v)}; }
inline Vec from_bits(IVec a) { return {__builtin_bit_cast(float, a.v)}; }

// Integer arithmetic wraps, as it does in vector registers.
inline std::int32_t wrap(std::uint32_t x) { return static_cast<std::int32_t>(x); }
inline std::uint32_t word(IVec a) { return static_cast<std::uint32_t>(a.v); }
inline IVec operator+(IVec a, IVec b) { return {wrap(word(a) + word(b))}; }
inline IVec operator-(IVec a, IVec b) { return {wrap(word(a) - word(b))}; }
inline IVec operator&(IVec a, IVec b) { return {a.v & b.v}; }
inline IVec operator|(IVec a, IVec b) { return {a.v | b.v}; }
inline IVec operator^(IVec a, IVec b) { return {a.v ^ b.v}; }
template <int Count>
IVec shift_left(IVec a) {
  return {wrap(word(a) << Count)};
}
template <int Count>
IVec shift_right(IVec a) {
  return {wrap(word(a) >> Count)};
}
template <int Count>
IVec shift_right_signed(IVec a) {
  return {a.v >> Count};
}

inline Vec operator+(Vec a, Vec b) { return {a.v + b.v}; }
inline Vec operator-(Vec a, Vec b) { return {a.v - b.v}; }
inline Vec operator*(Vec a, Vec b) { return {a.v * b.v}; }
inline Vec operator/(Vec a, Vec b) { return {a.v / b.v}; }
inline Vec fma(Vec a, Vec b, Vec c) { return {__builtin_fmaf(a.v, b.v, c.v)}; }
inline Vec fnma(Vec a, Vec b, Vec c) { return {__builtin_fmaf(-a.v, b.v, c.v)}; }
inline Vec min(Vec a, Vec b) { return {a.v < b.v ? a.v : b.v}; }
inline Vec max(Vec a, Vec b) { return {a.v > b.v ? a.v : b.v}; }
inline Vec abs(Vec a) { return {__builtin_fabsf(a.v)}; }
inline Vec neg(Vec a) { return {-a.v}; }
inline Vec sqrt(Vec a) { return {__builtin_sqrtf(a.v)}; }
inline Vec round_nearest(Vec a) { return {__builtin_rintf(a.v)}; }
// Out of range and NaN give the lowest integer, as the vector instructions do.
inline IVec to_int(Vec a) {
  const bool fits = a.v >= -0x1p31f && a.v < 0x1p31f;
  return {fits ? static_cast<std::int32_t>(__builtin_rintf(a.v)) : -0x7fffffff - 1};
}
inline Vec to_float(IVec a) { return {static_cast<float>(a.v)}; }
inline Vec scale_pow2(Vec a, Vec n) { return from_bits(bits(a) + shift_left<23>(to_int(n))); }
inline Vec reciprocal_near(Vec a) { return {1 / a.v}; }

inline Mask lt(Vec a, Vec b) { return {a.v < b.v}; }
inline Mask le(Vec a, Vec b) { return {a.v <= b.v}; }
inline Mask gt(Vec a, Vec b) { return {a.v > b.v}; }
inline Mask ge(Vec a, Vec b) { return {a.v >= b.v}; }
inline Mask eq(Vec a, Vec b) { return {a.v == b.v}; }
inline Mask gt(IVec a, IVec b) { return {a.v > b.v}; }
inline Mask eq(IVec a, IVec b) { return {a.v == b.v}; }
inline Mask operator&(Mask a, Mask b) { return {a.v && b.v}; }
inline Mask operator|(Mask a, Mask b) { return {a.v || b.v}; }
inline bool any(Mask a) { return a.v; }
inline Vec select(Mask mask, Vec a, Vec b) { return mask.v ? a : b; }

inline float reduce_add(Vec a) { return a.v; }
inline float reduce_max(Vec a) { return a.v; }
constexpr int kReduced = 1;
inline Vec reduce_adds(const Vec* sums) { return sums[0]; }
inline void transpose(Vec (&)[kLanes]) {}

inline Vec load(const float* p) { return {*p}; }
inline Vec load(const Bf16* p) { return from_bits({wrap(std::uint32_t{p->bits} << 16)}); }
inline Vec load(const F16* p) {
  const std::uint32_t sign = std::uint32_t{p->bits & 0x8000u} << 16;
  const std::uint32_t rest = p->bits & 0x7fffu;
  // Scaling by 2^112 moves the exponent from f16 to f32, subnormals included.
  const Vec finite = from_bits({wrap(rest << 13)}) * set(0x1p112f);
  const std::uint32_t magnitude = rest >= 0x7c00u ? 0x7f800000u | (rest << 13) : word(bits(finite));
  return from_bits({wrap(sign | magnitude)});
}
inline Vec set_f16(std::uint16_t half) {
  const F16 f16{half};
  return load(&f16);
}
inline void store(float* p, Vec a) { *p = a.v; }
inline void store(Bf16* p, Vec a) {
  const std::uint32_t u = word(bits(a));
  const bool is_nan = (u & 0x7fffffffu) > 0x7f800000u;
  const std::uint32_t rounded = (u + 0x7fffu + ((u >> 16) & 1u)) >> 16;
  p->bits = static_cast<std::uint16_t>(is_nan ? (u >> 16) | 0x40u : rounded);
}
inline Vec as_bf16(Vec a) {
  Bf16 nearest;
  store(&nearest, a);
  return load(&nearest);
}
template <class T>
Vec load_n(const T* p, std::int64_t n) {
  return n > 0 ? load(p) : zero();
}
template <class T>
void store_n(T* p, Vec a, std::int64_t n) {
  if (n > 0) store(p, a);
}
inline IVec load_lanes(const void* p) {
  IVec lanes;
  __builtin_memcpy(&lanes, p, sizeof lanes);
  return lanes;
}
inline IVec load_int(const std::int32_t* p) { return {*p}; }
inline IVec load_bytes(const std::uint8_t* p) { return {*p}; }
inline void store_bytes(std::int8_t* p, IVec a) { *p = static_cast<std::int8_t>(a.v); }

inline std::int32_t signed_byte(IVec a, int i) {
  return static_cast<std::int8_t>((word(a) >> (8 * i)) & 0xffu);
}
inline std::int32_t plain_byte(IVec a, int i) { return wrap((word(a) >> (8 * i)) & 0xffu); }
inline std::int32_t signed_word(IVec a, int i) {
  return static_cast<std::int16_t>((word(a) >> (16 * i)) & 0xffffu);
}
inline IVec join_words(std::int32_t low, std::int32_t high) {
  return {
      wrap((static_cast<std::uint32_t>(low) & 0xffffu) | (static_cast<std::uint32_t>(high) << 16))};
}
template <class F>
IVec map_bytes(const F& f) {
  std::uint32_t all = 0;
  for (int i = 0; i < 4; ++i) all |= (static_cast<std::uint32_t>(f(i)) & 0xffu) << (8 * i);
  return {wrap(all)};
}
inline IVec multiply_pairs(IVec b, IVec a) {
  const auto pair = [&](int i) {
    return plain_byte(b, i) * signed_byte(a, i) + plain_byte(b, i + 1) * signed_byte(a, i + 1);
  };
  return join_words(pair(0), pair(2));
}
inline IVec add_words(IVec a, IVec b) {
  return join_words(signed_word(a, 0) + signed_word(b, 0), signed_word(a, 1) + signed_word(b, 1));
}
inline IVec in_order(IVec a) { return a; }
inline IVec add_pairs(IVec words) { return {signed_word(words, 0) + signed_word(words, 1)}; }
inline IVec abs_bytes(IVec a) {
  return map_bytes(
      [&](int i) { return signed_byte(a, i) < 0 ? -signed_byte(a, i) : signed_byte(a, i); });
}
inline IVec sign_bytes(IVec a, IVec b) {
  return map_bytes(
      [&](int i) { return signed_byte(b, i) < 0 ? -signed_byte(a, i) : signed_byte(a, i); });
}
inline IVec load_signed_bytes(const std::int8_t* p) { return {*p}; }

}  // namespace
}  // namespace ffn::inline v0::kernels::cpu::FFN_ISA_NAMESPACE
