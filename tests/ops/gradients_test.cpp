// Gradients of every case, in f64 on the reference device: against the complex step of the forward
// pass, and added up when a value is used twice.
#include <algorithm>
#include <cmath>

#include "ops/case_test.h"
#include "support/complex_step.h"

namespace ffn::test {
namespace {

using OpGradients = PerOperation;

RunResult run_f64(const OpCase& op_case, int repeats) {
  Executor ex(reference_device());
  RunOptions options;
  options.compute = DType::f64;
  options.repeats = repeats;
  return run_case(ex, op_case, options);
}

// Σ seed·output of the forward pass in complex numbers, plus the loss that the operation adds.
Complex functional(const OpCase& op_case, const ComplexPoint& point) {
  Executor ex(reference_device());
  RunOptions options;
  options.compute = DType::c128;
  options.point = &point;
  const RunResult result = run_case(ex, op_case, options);
  const std::vector<double> seed = seed_values(op_case, result.output_shape, DType::f32);
  Complex sum = result.complex_loss;
  for (std::size_t i = 0; i < seed.size(); ++i) sum += seed[i] * result.complex_output[i];
  return sum;
}

void check_equal_the_complex_step(const OpCase& op_case) {
  if (!op_case.wants_gradient() || !op_case.complex_step) return;
  const RunResult result = run_f64(op_case, 1);
  std::vector<std::vector<double>> values;
  for (const CaseInput& input : op_case.inputs)
    if (input.differentiable()) values.push_back(input_values(input, DType::f32));
  ASSERT_EQ(values.size(), result.gradients.size());

  std::vector<ComplexStepInput> inputs;
  std::size_t next = 0;
  for (const CaseInput& input : op_case.inputs) {
    if (!input.differentiable()) continue;
    const std::vector<double>& gradient = result.gradients[next];
    ComplexStepInput checked{input.name, values[next], gradient};
    // Where every entry is 0 the harness asks for a step of exactly 0.
    checked.zero_gradient = std::ranges::all_of(gradient, [](double g) { return g == 0; });
    inputs.push_back(checked);
    ++next;
  }
  EXPECT_TRUE(check_complex_step(
      inputs, [&](const ComplexPoint& point) { return functional(op_case, point); }));
}

TEST_P(OpGradients, EqualTheComplexStep) { for_each_case(check_equal_the_complex_step); }

// A second backward pass adds to the gradients of the first: exactly twice as much, since doubling
// rounds nothing, or, where an operation adds a gradient up in several steps, as much within the
// rounding of f64. This is the only run in which kernels accumulate and may not work in place.
void check_add_up(const OpCase& op_case) {
  if (!op_case.wants_gradient()) return;
  const RunResult once = run_f64(op_case, 1);
  const RunResult twice = run_f64(op_case, 2);
  ASSERT_EQ(once.gradients.size(), twice.gradients.size());
  for (std::size_t i = 0; i < once.gradients.size(); ++i) {
    std::vector<double> doubled = once.gradients[i];
    for (double& value : doubled) value *= 2;
    if (!op_case.sums_in_steps) {
      EXPECT_EQ(doubled, twice.gradients[i]) << "gradient " << i;
      continue;
    }
    double largest = 0;
    for (const double value : doubled) largest = std::max(largest, std::abs(value));
    for (std::size_t j = 0; j < doubled.size(); ++j)
      EXPECT_NEAR(doubled[j], twice.gradients[i][j], 1e-15 * largest) << "gradient " << i;
  }
}

TEST_P(OpGradients, AddUp) { for_each_case(check_add_up); }

// A parameter keeps its gradient in its own dtype or wider, an activation in its own.
void check_have_the_dtype_of_the_contract(const OpCase& op_case) {
  if (!op_case.wants_gradient()) return;
  for (const bool as_parameters : {false, true}) {
    Executor ex(reference_device());
    RunOptions options;
    options.compute = options.grid = DType::bf16;
    options.as_parameters = as_parameters;
    const RunResult result = run_case(ex, op_case, options);
    std::size_t next = 0;
    for (const CaseInput& input : op_case.inputs) {
      if (!input.differentiable()) continue;
      const bool narrow = input.kind == InputKind::number && !as_parameters;
      EXPECT_EQ(result.gradient_dtypes[next++], narrow ? DType::bf16 : DType::f32) << input.name;
    }
  }
}

TEST_P(OpGradients, HaveTheDtypeOfTheContract) {
  for_each_case(check_have_the_dtype_of_the_contract);
}

INSTANTIATE_TEST_SUITE_P(Ops, OpGradients, testing::ValuesIn(all_operations()), operation_name);

}  // namespace
}  // namespace ffn::test
