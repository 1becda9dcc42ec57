// The activations of pointwise.h and their slopes, real and complex.
#pragma once

#include <cmath>
#include <numbers>

#include "ffn/base/scalar.h"
#include "ffn/kernels/pointwise.h"

namespace ffn::inline v0::kernels::reference {

inline constexpr double kGeluTanhCubic = 0.044715;
inline const double kSqrtTwoOverPi = std::sqrt(2 / std::numbers::pi);
inline constexpr double kQuickGelu = 1.702;

template <class T>
T normal_cdf(const T& x) {
  return 0.5 * (1.0 + erf_analytic(x / std::numbers::sqrt2));
}
template <class T>
T normal_density(const T& x) {
  return std::exp(-0.5 * x * x) / std::sqrt(2 * std::numbers::pi);
}

template <class T>
T activate(Activation kind, double beta, const T& x) {
  const double re = real_part(x);
  switch (kind) {
    case Activation::relu: return re > 0 ? x : T(0);
    case Activation::gelu: return x * normal_cdf(x);
    case Activation::gelu_tanh:
      return 0.5 * x * (1.0 + std::tanh(kSqrtTwoOverPi * (x + kGeluTanhCubic * x * x * x)));
    case Activation::quick_gelu: return x * sigmoid(kQuickGelu * x);
    case Activation::silu: return x * sigmoid(x);
    case Activation::swish: return x * sigmoid(beta * x);
    case Activation::relu2: return re > 0 ? x * x : T(0);
    case Activation::sigmoid: return sigmoid(x);
    case Activation::tanh: return std::tanh(x);
    case Activation::hardswish:
      if (re <= -3) return T(0);
      return re >= 3 ? x : x * (x + 3.0) / 6.0;
    case Activation::identity: return x;
  }
  return x;
}

// d/dx of x·σ(βx).
template <class T>
T swish_slope(double beta, const T& x) {
  const T s = sigmoid(beta * x);
  return s + beta * x * s * (1.0 - s);
}

template <class T>
T gelu_tanh_slope(const T& x) {
  const T t = std::tanh(kSqrtTwoOverPi * (x + kGeluTanhCubic * x * x * x));
  const T inner = kSqrtTwoOverPi * (1.0 + 3 * kGeluTanhCubic * x * x);
  return 0.5 * (1.0 + t) + 0.5 * x * (1.0 - t * t) * inner;
}

template <class T>
T activation_slope(Activation kind, double beta, const T& x) {
  const double re = real_part(x);
  switch (kind) {
    case Activation::relu: return T(re > 0 ? 1 : 0);
    case Activation::gelu: return normal_cdf(x) + x * normal_density(x);
    case Activation::gelu_tanh: return gelu_tanh_slope(x);
    case Activation::quick_gelu: return swish_slope(kQuickGelu, x);
    case Activation::silu: return swish_slope(1, x);
    case Activation::swish: return swish_slope(beta, x);
    case Activation::relu2: return re > 0 ? 2.0 * x : T(0);
    case Activation::sigmoid: return sigmoid(x) * (1.0 - sigmoid(x));
    case Activation::tanh: return 1.0 - std::tanh(x) * std::tanh(x);
    case Activation::hardswish:
      if (re <= -3) return T(0);
      return re >= 3 ? T(1) : (2.0 * x + 3.0) / 6.0;
    case Activation::identity: return T(1);
  }
  return T(1);
}

}  // namespace ffn::inline v0::kernels::reference
