// Every instruction set against the reference device in f64, in f32 and bf16, with leaves and with
// parameters (whose gradients are f32 under bf16), overwriting and accumulating.
#include <algorithm>
#include <cmath>

#include "ops/case_test.h"

namespace ffn::test {
namespace {

using OpDevices = PerOperation;

constexpr double kF32 = 0x1p-24, kBf16 = 0x1p-8;

std::int64_t longest_axis(const OpCase& op_case) {
  std::int64_t longest = 1;
  for (const CaseInput& input : op_case.inputs)
    longest = std::max({longest, input.shape.rows(), input.shape.cols()});
  return longest;
}

// Exact results, and the scale of each entry's error (op_cases.h, Accuracy).
struct Expected {
  RunResult exact, scale;
};

std::vector<double> largest_everywhere(const std::vector<double>& values, double least) {
  double largest = least;
  for (const double value : values) largest = std::max(largest, std::abs(value));
  return std::vector<double>(values.size(), largest);
}

Expected expect(const OpCase& op_case, DType grid) {
  RunOptions options;
  options.compute = DType::f64;
  options.grid = grid;
  Expected expected;
  {
    Executor ex(reference_device());
    expected.exact = run_case(ex, op_case, options);
  }
  if (op_case.accuracy == Accuracy::sums) {
    options.absolute = true;
    Executor ex(reference_device());
    expected.scale = run_case(ex, op_case, options);
  } else {
    expected.scale.output = largest_everywhere(expected.exact.output, op_case.least_scale);
    expected.scale.loss = largest_everywhere(expected.exact.loss, 0);
    expected.scale.states = largest_everywhere(expected.exact.states, 0);
    for (const std::vector<double>& gradient : expected.exact.gradients)
      expected.scale.gradients.push_back(largest_everywhere(gradient, op_case.least_scale));
  }
  return expected;
}

// `compute` is the dtype of the run, `dtype` that of the numbers compared, `times` how many passes
// added up in them.
void expect_close(const OpCase& op_case, DType compute, DType dtype, double times,
                  const std::vector<double>& got, const std::vector<double>& exact,
                  const std::vector<double>& scale, const std::string& what) {
  ASSERT_EQ(got.size(), exact.size()) << what;
  ASSERT_EQ(scale.size(), exact.size()) << what;
  const double n = static_cast<double>(longest_axis(op_case));
  const double factor = op_case.accuracy == Accuracy::sums ? n + 4 : op_case.units * (n + 16);
  for (std::size_t i = 0; i < got.size(); ++i) {
    const double s = std::abs(scale[i]);
    double tolerance = factor * kF32 * s;
    if (compute == DType::bf16) {
      double rounded = op_case.bf16_inside * s;
      // The result itself, which lies within |exact| + tolerance.
      if (dtype == DType::bf16) rounded += std::abs(exact[i]) + tolerance;
      // Pass k of `times` rounds a sum of k results: k times that.
      tolerance += kBf16 * rounded * (times + 1) / 2;
    }
    tolerance *= times;
    EXPECT_TRUE(std::abs(got[i] - times * exact[i]) <= tolerance)
        << what << "[" << i << "] is " << got[i] << ", expected " << times * exact[i] << " ± "
        << tolerance;
  }
}

void compare(const OpCase& op_case, const Device& device, const RunOptions& options,
             const Expected& expected, const std::string& where) {
  Executor ex(device);
  const RunResult got = run_case(ex, op_case, options);
  const double times = options.repeats;
  expect_close(op_case, options.compute, got.output_dtype, 1, got.output, expected.exact.output,
               expected.scale.output, where + " output");
  expect_close(op_case, options.compute, got.output_dtype, 1, got.loss, expected.exact.loss,
               expected.scale.loss, where + " loss");
  ASSERT_EQ(got.gradients.size(), expected.exact.gradients.size());
  for (std::size_t i = 0; i < got.gradients.size(); ++i) {
    expect_close(op_case, options.compute, got.gradient_dtypes[i], times, got.gradients[i],
                 expected.exact.gradients[i], expected.scale.gradients[i],
                 where + " gradient " + std::to_string(i));
  }
  if (options.repeats == 1) {
    expect_close(op_case, options.compute, DType::f32, 1, got.states, expected.exact.states,
                 expected.scale.states, where + " states");
  }
}

void check_match_the_reference(const OpCase& op_case) {
  const auto threads = make_thread_pool(2);
  for (const DType compute : {DType::f32, DType::bf16}) {
    const Expected expected = expect(op_case, compute);
    for (const NamedDevice& named : cpu_devices(*threads)) {
      for (const bool as_parameters : {false, true}) {
        RunOptions options;
        options.compute = options.grid = compute;
        options.as_parameters = as_parameters;
        const std::string where = named.name + " " + std::string(to_string(compute)) +
                                  (as_parameters ? " parameters" : " leaves");
        compare(op_case, named.device, options, expected, where);
        if (!op_case.wants_gradient()) continue;
        options.repeats = 2;
        compare(op_case, named.device, options, expected, where + " twice");
      }
    }
  }
}

TEST_P(OpDevices, MatchTheReference) { for_each_case(check_match_the_reference); }

INSTANTIATE_TEST_SUITE_P(Ops, OpDevices, testing::ValuesIn(all_operations()), operation_name);

}  // namespace
}  // namespace ffn::test
