// Scalar functions that accept double and std::complex<double>, for the reference kernels. With a
// complex argument x + i·h·v they propagate the derivative in the imaginary part (complex step), so
// they are analytic continuations, and comparisons look at the real part only.
#pragma once

#include <cmath>
#include <complex>

namespace ffn::inline v0 {

using Complex = std::complex<double>;

inline double real_part(double x) { return x; }
inline double real_part(const Complex& x) { return x.real(); }

// erf, continued analytically: exact on the real axis, first-order exact for the tiny imaginary
// parts that a complex step uses (|Im x| < 1e-8; the neglected term is O(Im²)).
inline double erf_analytic(double x) { return std::erf(x); }
Complex erf_analytic(const Complex& x);

// |x| and max(x, y) decided by the real part.
template <class T>
T abs_by_real(const T& x) {
  return real_part(x) < 0 ? -x : x;
}
template <class T>
T max_by_real(const T& x, const T& y) {
  return real_part(x) < real_part(y) ? y : x;
}

// 1/(1+e^-x), without overflow for large |Re x|.
double sigmoid(double x);
Complex sigmoid(const Complex& x);

}  // namespace ffn::inline v0
