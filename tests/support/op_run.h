// Runs one case of op_cases.h on an executor, in any dtype and ownership, and reads the results
// back.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "ffn/base/scalar.h"
#include "support/op_cases.h"

namespace ffn::test {

struct RunOptions {
  DType compute = DType::f32;
  DType grid = DType::f32;     // bf16: inputs and seed are bf16 numbers, whatever `compute` is
  bool absolute = false;       // |inputs|, |seed|: bounds sums of products
  bool as_parameters = false;  // differentiable inputs are parameters, not leaves
  bool keep_handles = false;   // the caller keeps every input: nothing can be donated
  bool strided = false;        // inputs of the compute dtype lie in wider rows
  int repeats = 1;             // forward and backward that often; gradients add up
  // c128: the differentiable inputs' values, in their order.
  const std::vector<std::vector<Complex>>* point = nullptr;
};

struct RunResult {
  Shape output_shape;
  DType output_dtype = DType::f32;
  std::vector<double> output;
  std::vector<Complex> complex_output;  // c128 only
  std::vector<double> loss;             // CaseRun::loss, where there is one
  Complex complex_loss = 0;             // c128 only; 0 where there is none
  // Of the differentiable inputs, in their order.
  std::vector<std::vector<double>> gradients;
  std::vector<DType> gradient_dtypes;
  std::vector<double> states;  // all states after the run, before they are committed
};

// Throws what the operation throws. On a dry executor the numbers stay empty.
RunResult run_case(Executor& ex, const OpCase& op_case, const RunOptions& options);

// The numbers of an input as a run stores them.
std::vector<double> input_values(const CaseInput& input, DType grid);
// The seed of backward: fixed numbers of magnitude 0.1 to 1.5.
std::vector<double> seed_values(const OpCase& op_case, const Shape& shape, DType grid);

// Equal to the bit, −0 and NaN included.
bool same_bits(std::span<const double> a, std::span<const double> b);

// Every cpu device of this machine with `threads`, and a name for messages.
struct NamedDevice {
  Device device;
  std::string name;
};
std::vector<NamedDevice> cpu_devices(ThreadPool& threads);

}  // namespace ffn::test
