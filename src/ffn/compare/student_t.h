// Student's t distribution, for intervals and tests over a few seeds.
#pragma once

namespace ffn::inline v0 {

// P(T ≤ t) for T of `degrees` degrees of freedom, a real number: with x = degrees / (degrees + t²),
// the smaller tail is ½ · I_x(degrees / 2, ½), I the regularised incomplete beta function as a
// continued fraction (DLMF 8.17.22). Relative error of the smaller tail at most 1e-12 for
// |t| ≤ 1e100. NaN gives NaN. Errors: config when degrees is outside [1, 1e6].
double student_t_cdf(double t, double degrees);

// The t with student_t_cdf(t, degrees) = p, by bisection of the smaller tail, with a relative error
// no larger than the tail's. Errors: config when degrees is outside [1, 1e6] or p outside [1e-90,
// 1).
double student_t_quantile(double p, double degrees);

}  // namespace ffn::inline v0
