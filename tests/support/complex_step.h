// Gradient check by complex step (Squire & Trapp 1998): for an analytic f, real x and direction v,
//   Im f(x + i·h·v) / h = ⟨∇f(x), v⟩ + O(h²),
// and nothing is subtracted, so with h = 1e-20 the left side is exact to double rounding. It shares
// no code with a backward pass: only the forward pass, run in complex numbers, which is why the
// reference kernels are templates over double and Complex.
//
// How to use it, with gradients dx, dw from the backward pass under test run with dy = weight:
//
//   EXPECT_TRUE(check_complex_step(
//       {{"x", x, dx}, {"w", w, dw}}, [&](const ComplexPoint& point) {
//         // point[i][j] is element j of input i. Run the forward pass on c128 operands
//         // and return one number: Σ_j weight[j]·y[j] with fixed random weights.
//         return weighted_sum(run_forward(point[0], point[1]));
//       }));
//
// The step is accepted when |Im f/h − ⟨g,v⟩| ≤ tolerance · scale, scale = Σ_j |g_j·v_j| (or Σ_j
// magnitude_j·|v_j| where an input gives magnitudes: the sums of absolute terms that make up each
// g_j, needed only where those terms cancel to something much smaller). The default tolerance,
// 1e-12, is 4500 units of double rounding: room for sums of some thousand terms.
//
// f has to be smooth at x: keep away from kinks and ties, hold routing and random masks fixed. An
// input whose scale is 0 is refused (nothing would be compared) unless it says `zero_gradient`,
// when Im f/h has to be 0 exactly. The values at the point may not be NaN or infinite.
#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <complex>
#include <cstdint>
#include <functional>
#include <random>
#include <span>
#include <string>
#include <vector>

namespace ffn::test {

using ComplexValues = std::vector<std::complex<double>>;
using ComplexPoint = std::vector<ComplexValues>;  // one entry per input
using ComplexFunctional = std::function<std::complex<double>(const ComplexPoint&)>;

// Spans are borrowed for the length of the check. All have one length.
struct ComplexStepInput {
  std::string name;                     // for messages
  std::span<const double> value;        // x
  std::span<const double> gradient;     // g, to be checked
  std::span<const double> magnitude{};  // empty: |g|
  bool zero_gradient = false;           // f does not depend on this input, by contract
};

struct ComplexStepOptions {
  double step = 1e-20;
  double tolerance = 1e-12;
  int directions = 3;  // random directions per input
  std::uint64_t seed = 1;
  // false: each input is moved alone, so that a failure names it; inputs × directions forward
  // passes. true: all inputs move together; `directions` forward passes, for models with many
  // parameters.
  bool together = false;
};

namespace complex_step_detail {

// ±[0.5, 1.5): no component of a direction is so small that an error could hide behind it.
inline std::vector<double> random_direction(std::mt19937_64& random, std::size_t size) {
  std::vector<double> direction(size);
  for (double& component : direction) {
    const std::uint64_t word = random();
    const double magnitude = 0.5 + static_cast<double>(word >> 11) * 0x1p-53;
    component = (word & 1) != 0 ? magnitude : -magnitude;
  }
  return direction;
}

// One step that moves inputs [first, last).
inline testing::AssertionResult check_step(std::span<const ComplexStepInput> inputs,
                                           std::size_t first, std::size_t last,
                                           const ComplexFunctional& f,
                                           const ComplexStepOptions& options,
                                           std::mt19937_64& random) {
  ComplexPoint point;
  double expected = 0, scale = 0;
  bool zero_expected = true;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const ComplexStepInput& input = inputs[i];
    if (input.gradient.size() != input.value.size() ||
        (!input.magnitude.empty() && input.magnitude.size() != input.value.size())) {
      return testing::AssertionFailure() << input.name << ": spans of different lengths";
    }
    ComplexValues values(input.value.begin(), input.value.end());
    if (i >= first && i < last) {
      zero_expected = zero_expected && input.zero_gradient;
      const std::vector<double> direction = random_direction(random, values.size());
      for (std::size_t j = 0; j < values.size(); ++j) {
        values[j].imag(options.step * direction[j]);
        expected += input.gradient[j] * direction[j];
        const double g = input.magnitude.empty() ? input.gradient[j] : input.magnitude[j];
        scale += std::abs(g * direction[j]);
      }
    }
    point.push_back(std::move(values));
  }
  const std::string name = last - first == 1 ? inputs[first].name : "all inputs";
  const std::complex<double> value = f(point);
  const double measured = value.imag() / options.step;
  if (!std::isfinite(value.real()) || !std::isfinite(measured) || !std::isfinite(scale)) {
    return testing::AssertionFailure()
           << name << ": f, its step or the gradient is not finite: f = " << value << ", scale "
           << scale;
  }
  if (scale == 0 && !zero_expected) {
    return testing::AssertionFailure() << name << ": the gradient is 0, nothing would be compared";
  }
  const double difference = std::abs(measured - expected);
  if (difference <= options.tolerance * scale) return testing::AssertionSuccess();
  return testing::AssertionFailure()
         << name << ": complex step gives " << measured << ", the gradient " << expected
         << "; difference " << difference << " = " << difference / scale << " × scale " << scale
         << ", allowed " << options.tolerance;
}

}  // namespace complex_step_detail

inline testing::AssertionResult check_complex_step(std::span<const ComplexStepInput> inputs,
                                                   const ComplexFunctional& f,
                                                   const ComplexStepOptions& options = {}) {
  using complex_step_detail::check_step;
  if (inputs.empty() || options.directions < 1) {
    return testing::AssertionFailure() << "no inputs or no directions: nothing would be compared";
  }
  std::mt19937_64 random(options.seed);
  for (int direction = 0; direction < options.directions; ++direction) {
    if (options.together) {
      const auto result = check_step(inputs, 0, inputs.size(), f, options, random);
      if (!result) return result;
      continue;
    }
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      const auto result = check_step(inputs, i, i + 1, f, options, random);
      if (!result) return result;
    }
  }
  return testing::AssertionSuccess();
}

inline testing::AssertionResult check_complex_step(std::initializer_list<ComplexStepInput> inputs,
                                                   const ComplexFunctional& f,
                                                   const ComplexStepOptions& options = {}) {
  return check_complex_step(std::span(inputs.begin(), inputs.size()), f, options);
}

}  // namespace ffn::test
