// Elementary functions over f32 lanes, without tables and without libm: the same result on every
// machine with the same ISA. Errors are the largest found over a stride of all floats by
// tests/kernels_cpu (vec_math_test.cpp); coefficients come from tools/fit_polynomials.py. What
// loops call is always inlined: a call would keep all vectors in memory around it.
#pragma once

#include "ffn/kernels/cpu/vec.h"

namespace ffn::inline v0::kernels::cpu::FFN_ISA_NAMESPACE {
namespace {

// c0 + c1·x + c2·x² + …, by Horner's rule.
inline Vec horner(Vec, float c0) { return set(c0); }
template <class... Rest>
inline Vec horner(Vec x, float c0, Rest... rest) {
  return fma(horner(x, rest...), x, set(c0));
}

// x = n·ln2 + r with n integral, |r| ≤ ln2/2, and fraction = e^r − 1 (relative error 2e-8 before
// rounding). So e^x = 2^n·(1 + fraction). ln2 is split in two: n times the 9 bits of the first part
// is exact for |n| < 2^15.
struct ExpParts {
  Vec n, fraction;
};
[[gnu::always_inline]] inline ExpParts exp_parts(Vec x) {
  const Vec n = round_nearest(x * set(1.44269504f));
  const Vec r = fnma(n, set(-2.12194440e-4f), fnma(n, set(0.693359375f), x));
  const Vec p = horner(r, 0.49999997f, 0.166665435f, 0.0416672006f, 0.00836652052f, 0.00138825225f);
  return {n, fma(p, r * r, r)};
}

// e^x, ≤ 1.2 ulp. Overflows to infinity, underflows through the subnormals to 0, keeps NaN.
inline Vec exp(Vec x) {
  // The order of operands keeps a NaN. Beyond −104 the result is below half the least subnormal.
  const ExpParts parts = exp_parts(min(set(89), max(set(-104), x)));
  // 2^n in two factors, each in range for −151 ≤ n ≤ 129; only the last product can round again.
  const Vec half = round_nearest(parts.n * set(0.5f));
  const Vec scale = pow2i(half);
  return fma(parts.fraction, scale, scale) * pow2i(parts.n - half);
}

// e^x for x ≤ 88, ≤ 1.2 ulp where the result is at least 2^-126; below x = −87.7 it is exactly 0.
[[gnu::always_inline]] inline Vec exp_flushed(Vec x) {
  const ExpParts parts = exp_parts(max(set(-88), x));
  const Vec scale = pow2i(parts.n);  // n = −127 has the bits of 0
  return fma(parts.fraction, scale, scale);
}

// What a result is rounded to, and so how exact it has to be before. A value that becomes bf16
// (relative half step 2^-9) may be wrong by a twentieth of that.
enum class Digits { f32, bf16 };

// 2^y for −126 ≤ y ≤ 126: relative error ≤ 2.3e-7, exact for integers; for bf16 ≤ 7.6e-5.
template <Digits digits>
[[gnu::always_inline]] inline Vec exp2_near(Vec y) {
  const Vec n = round_nearest(y);
  if constexpr (digits == Digits::bf16) {
    return scale_pow2(horner(y - n, 0.999927998f, 0.693261087f, 0.242612064f, 0.0551715195f), n);
  } else {
    return scale_pow2(horner(y - n, 1.0f, 0.693147004f, 0.240222424f, 0.0555073395f, 0.00967153348f,
                             0.00132647005f),
                      n);
  }
}
constexpr float kLog2E = 1.44269504f;

// σ(x) and σ(−x) within 1.2e-7 for x ≥ −87, for products with x, where the exponent's own rounding
// (|x|·2^-24 of a value that falls as e^−|x|) does not show; for bf16 within 1.4e-4 of their size.
// sigmoid_pair() below keeps the relative accuracy of small values and takes any x.
struct Sigmoid {
  Vec value, complement;
};
template <Digits digits>
[[gnu::always_inline]] inline Sigmoid near_sigmoid(Vec x) {
  const Vec e = exp2_near<digits>(max(set(-126), x * set(-kLog2E)));
  const Vec above = set(1) + e;
  Vec value;
  if constexpr (digits == Digits::bf16) {
    value = reciprocal_near(above);
  } else {
    value = set(1) / above;
  }
  return {value, e * value};
}

// σ(x) and σ(−x), each with its own small relative error (1 − σ would cancel): ≤ 3 ulp where at
// least 2^-126, flushed to 0 below.
[[gnu::always_inline]] inline Sigmoid sigmoid_pair(Vec x) {
  const Vec e = exp_flushed(neg(abs(x)));
  const Vec large = set(1) / (set(1) + e);
  const Vec small = e * large;
  const Mask negative = lt(x, zero());
  return {select(negative, small, large), select(negative, large, small)};
}
inline Vec sigmoid(Vec x) { return sigmoid_pair(x).value; }

// tanh x = m/(m + 2), m = e^{2|x|} − 1, with the sign of x: ≤ 3 ulp, exact for subnormals and ±∞. m
// comes out of exp_parts without cancellation, so small x need no case of their own.
inline Vec tanh(Vec x) {
  const Vec a = min(set(10), abs(x));  // tanh 10 rounds to 1
  const ExpParts parts = exp_parts(a + a);
  const Vec scale = pow2i(parts.n);
  const Vec m = fma(parts.fraction, scale, scale - set(1));
  const Vec t = m / (m + set(2));
  return from_bits(bits(t) | (bits(x) & bits(set(-0.0f))));
}

// Q(|x|), the upper tail of the normal distribution, = ½·erfc(|x|/√2) = ½·2^{−|x|·P(|x|)}: absolute
// error ≤ 8e-8 (relative ≤ 1e-5 up to |x| = 6; beyond, it falls to 2^-125 as fast as Q or faster).
// For bf16: absolute error ≤ 5e-5, relative ≤ 1.7e-4 up to |x| = 6; beyond, it falls to 2^-124.
template <Digits digits>
constexpr float kTailEnd =
    digits == Digits::bf16 ? 15.0f : 11.37f;  // there it is 2^-124.5, 2^-125.8
template <Digits digits>
[[gnu::always_inline]] inline Vec normal_tail(Vec x) {
  const Vec a = min(set(kTailEnd<digits>), abs(x));
  Vec slope;
  if constexpr (digits == Digits::bf16) {
    slope = horner(a, 1.15095496f, 0.459689766f, 0.0523309857f, -0.00756584993f, 0.000665929401f,
                   -2.60260331e-05f);
  } else {
    // Even and odd powers apart: two chains of half the length.
    const Vec square = a * a;
    const Vec even = horner(square, 1.15110493f, 0.052466847f, 3.73481853e-05f, -7.03066544e-05f,
                            -7.45916566e-07f);
    const Vec odd = horner(square, 0.459213376f, -0.00698864041f, 0.000260083616f, 9.83282916e-06f,
                           2.41654536e-08f);
    slope = fma(odd, a, even);
  }
  return exp2_near<digits>(fnma(a, slope, set(-1)));
}

// The density of the normal distribution, φ(x), for |x| ≤ 13 (beyond, as if |x| were 13).
template <Digits digits>
[[gnu::always_inline]] inline Vec normal_density(Vec x) {
  const Vec square = min(set(169), x * x);
  return set(0.398942280f) * exp2_near<digits>(square * set(-0.5f * kLog2E));
}

// ln x of one positive normal number (infinity and NaN stay what they are), for the few places that
// need one per row: relative error below 1e-10, far under f32. With x = 2^e·m, m in [1/√2, √2), ln
// m = 2·artanh z, z = (m − 1)/(m + 1), |z| ≤ 0.172, as a series whose first omitted term is z^12/13
// ≤ 5e-11 of the sum.
inline double log_positive(double x) {
  if (!(x < __builtin_inf())) return x;
  const std::uint64_t word = __builtin_bit_cast(std::uint64_t, x);
  // 1/√2 has these upper bits: subtracting them puts m into the interval.
  const std::uint64_t offset = word - 0x3fe6a09e00000000u;
  const auto e = static_cast<double>(static_cast<std::int64_t>(offset) >> 52);
  const double m = __builtin_bit_cast(double, (offset & 0xfffffffffffffu) + 0x3fe6a09e00000000u);
  const double z = (m - 1) / (m + 1), s = z * z;
  const double series =
      1 + s * (1.0 / 3 + s * (1.0 / 5 + s * (1.0 / 7 + s * (1.0 / 9 + s * (1.0 / 11)))));
  return e * 0.693147180559945309 + 2 * z * series;
}

}  // namespace
}  // namespace ffn::inline v0::kernels::cpu::FFN_ISA_NAMESPACE
