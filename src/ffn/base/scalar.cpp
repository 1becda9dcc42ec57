#include "ffn/base/scalar.h"

#include <numbers>

namespace ffn::inline v0 {
namespace {

// Both branches exponentiate a number whose real part is not positive, so nothing overflows.
template <class T>
T stable_sigmoid(const T& x) {
  if (real_part(x) >= 0) return 1.0 / (1.0 + std::exp(-x));
  const T e = std::exp(x);
  return e / (1.0 + e);
}

}  // namespace

Complex erf_analytic(const Complex& x) {
  const double slope = 2.0 * std::numbers::inv_sqrtpi * std::exp(-x.real() * x.real());
  return {std::erf(x.real()), x.imag() * slope};
}

double sigmoid(double x) { return stable_sigmoid(x); }
Complex sigmoid(const Complex& x) { return stable_sigmoid(x); }

}  // namespace ffn::inline v0
