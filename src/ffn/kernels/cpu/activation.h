// The activations of pointwise.h and their slopes over f32 lanes. Errors as multiples of
// 2^-24·max(1, |result|): at most 4 for every f and 8 for every slope (checked by
// tests/kernels_cpu, which find 2.7 and 4). What is rounded to bf16 afterwards may be wrong by
// 2^-12·max(|x|, |result|) before in the commonest ones, for half the arithmetic.
#pragma once

#include "ffn/kernels/cpu/vec_math.h"
#include "ffn/kernels/pointwise.h"

namespace ffn::inline v0::kernels::cpu::FFN_ISA_NAMESPACE {
namespace {

// x·σ(βx).
[[gnu::always_inline]] inline Vec swish(Vec x, Vec beta) { return x * sigmoid(beta * x); }
// σ + βx·σ(1−σ).
[[gnu::always_inline]] inline Vec swish_slope(Vec x, Vec beta) {
  const Vec v = beta * x;
  const Sigmoid s = sigmoid_pair(v);
  return fma(v * s.value, s.complement, s.value);
}

// x·σ(x). Below −87 the product is that of −87, about −1e-36.
template <Digits digits>
[[gnu::always_inline]] inline Vec silu(Vec x) {
  const Vec c = max(set(-87), x);
  return c * near_sigmoid<digits>(c).value;
}
template <Digits digits>
[[gnu::always_inline]] inline Vec silu_slope(Vec x) {
  const Vec c = max(set(-87), min(set(87), x));
  const Sigmoid s = near_sigmoid<digits>(c);
  return fma(c * s.value, s.complement, s.value);
}

// x·Φ(x) = max(x, 0) − |x|·Q(|x|): the negative side is the tail alone, so it keeps its relative
// accuracy. Beyond kTailEnd the tail is nothing.
template <Digits digits>
[[gnu::always_inline]] inline Vec gelu(Vec x) {
  const Vec a = min(set(kTailEnd<digits>), abs(x));
  return fnma(a, normal_tail<digits>(x), max(x, zero()));
}
// Φ(x) + x·φ(x): Q − |x|·φ for x < 0, one less that for the others.
template <Digits digits>
[[gnu::always_inline]] inline Vec gelu_slope(Vec x) {
  const Vec a = min(set(kTailEnd<digits>), abs(x));
  const Vec below = fnma(a, normal_density<digits>(a), normal_tail<digits>(x));
  return select(lt(x, zero()), below, set(1) - below);
}

// ½(1 + tanh u) = σ(2u): gelu_tanh x = x·σ(2u), 2u = x·(a + b·x²), a = 2√(2/π), b = 0.044715·a.
// Beyond ±8 it is 0 or x, its slope 0 or 1, to the last bit.
constexpr float kGeluTanhLinear = 1.59576912f, kGeluTanhCubic = 0.0713548163f;
[[gnu::always_inline]] inline Vec gelu_tanh_argument(Vec x) {
  return x * fma(set(kGeluTanhCubic), x * x, set(kGeluTanhLinear));
}
template <Digits digits>
[[gnu::always_inline]] inline Vec gelu_tanh(Vec x) {
  const Vec c = max(set(-8), x);
  return c * near_sigmoid<digits>(gelu_tanh_argument(c)).value;
}
template <Digits digits>
[[gnu::always_inline]] inline Vec gelu_tanh_slope(Vec x) {
  const Vec c = max(set(-8), min(set(8), x));
  const Sigmoid s = near_sigmoid<digits>(gelu_tanh_argument(c));
  const Vec inner = c * fma(set(3 * kGeluTanhCubic), c * c, set(kGeluTanhLinear));
  return fma(inner * s.value, s.complement, s.value);
}

[[gnu::always_inline]] inline Vec hardswish(Vec x) {
  return x * min(max(x + set(3), zero()), set(6)) * set(1.0f / 6);
}
[[gnu::always_inline]] inline Vec hardswish_slope(Vec x) {
  const Vec inside = fma(x, set(1.0f / 3), set(0.5f));
  return select(le(x, set(-3)), zero(), select(ge(x, set(3)), set(1), inside));
}

[[gnu::always_inline]] inline Vec hardsigmoid(Vec x) {
  return min(max(x + set(3), zero()), set(6)) * set(1.0f / 6);
}
[[gnu::always_inline]] inline Vec hardsigmoid_slope(Vec x) {
  return select(le(x, set(-3)), zero(), select(ge(x, set(3)), zero(), set(1.0f / 6)));
}

// 4·e/(1+e)² with e = exp(−2|x|): 1 − tanh² without cancellation.
[[gnu::always_inline]] inline Vec tanh_slope(Vec x) {
  const Sigmoid s = sigmoid_pair(x + x);
  return set(4) * s.value * s.complement;
}

constexpr float kQuickGelu = 1.702f;

// Calls use(f, slope), the functions of one Vec that compute `kind` and its slope.
template <Digits digits, class Use>
inline void with_activation_and_slope(Activation kind, float beta, const Use& use) {
  const auto of_swish = [&](Vec b) {
    return use([b](Vec x) { return swish(x, b); }, [b](Vec x) { return swish_slope(x, b); });
  };
  switch (kind) {
    case Activation::relu:
      return use([](Vec x) { return select(gt(x, zero()), x, zero()); },
                 [](Vec x) { return select(gt(x, zero()), set(1), zero()); });
    case Activation::gelu:
      return use([](Vec x) { return gelu<digits>(x); },
                 [](Vec x) { return gelu_slope<digits>(x); });
    case Activation::gelu_tanh:
      return use([](Vec x) { return gelu_tanh<digits>(x); },
                 [](Vec x) { return gelu_tanh_slope<digits>(x); });
    case Activation::quick_gelu: return of_swish(set(kQuickGelu));
    case Activation::silu:
      return use([](Vec x) { return silu<digits>(x); },
                 [](Vec x) { return silu_slope<digits>(x); });
    case Activation::swish: return of_swish(set(beta));
    case Activation::relu2:
      return use([](Vec x) { return select(gt(x, zero()), x * x, zero()); },
                 [](Vec x) { return select(gt(x, zero()), x + x, zero()); });
    case Activation::sigmoid:
      return use([](Vec x) { return sigmoid(x); },
                 [](Vec x) {
                   const Sigmoid s = sigmoid_pair(x);
                   return s.value * s.complement;
                 });
    case Activation::tanh:
      return use([](Vec x) { return tanh(x); }, [](Vec x) { return tanh_slope(x); });
    case Activation::hardswish:
      return use([](Vec x) { return hardswish(x); }, [](Vec x) { return hardswish_slope(x); });
    case Activation::hardsigmoid:
      return use([](Vec x) { return hardsigmoid(x); }, [](Vec x) { return hardsigmoid_slope(x); });
    case Activation::identity: return use([](Vec x) { return x; }, [](Vec) { return set(1); });
  }
}

// Calls use(f, slope), as exact as values of this type need them.
template <class Use>
inline void with_activation_and_slope(Activation kind, float beta, DType values, const Use& use) {
  if (values == DType::bf16) return with_activation_and_slope<Digits::bf16>(kind, beta, use);
  with_activation_and_slope<Digits::f32>(kind, beta, use);
}
// Calls use(f).
template <class Use>
inline void with_activation(Activation kind, float beta, DType values, const Use& use) {
  with_activation_and_slope(kind, beta, values, [&](auto f, auto) { use(f); });
}
// Calls use(slope).
template <class Use>
inline void with_activation_slope(Activation kind, float beta, DType values, const Use& use) {
  with_activation_and_slope(kind, beta, values, [&](auto, auto slope) { use(slope); });
}

}  // namespace
}  // namespace ffn::inline v0::kernels::cpu::FFN_ISA_NAMESPACE
