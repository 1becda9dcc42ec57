// THE list of cases of the operations: one list serves gradients, every instruction set against the
// reference, planner exactness, guard bytes, threads and donation. An operation without a case
// fails.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "ffn/autograd/executor.h"

namespace ffn::test {

// number     the compute dtype of the run (f64, c128, f32 or bf16)
// statistic  gradient_dtype() of it: norm weights, routing weights
// f16, q4_0, q8_0   a frozen weight of that type
// index      i32
// state      a State in the statistics' dtype
enum class InputKind { number, statistic, f16, q4_0, q8_0, index, state };

struct CaseInput {
  std::string name;
  InputKind kind = InputKind::number;
  Shape shape;
  bool wants = true;           // number and statistic: a gradient is wanted
  std::vector<double> values;  // f32 numbers; a run in bf16 rounds them again

  bool differentiable() const {
    return wants && (kind == InputKind::number || kind == InputKind::statistic);
  }
};

// What a case's function sees: `in` beside OpCase::inputs. It may move values out.
struct CaseRun {
  Executor& ex;
  std::vector<Value> in;
  std::vector<State> states;  // of input i, unused for other kinds
  // Set by operations that pass their input on and add the gradient of a loss of their own in
  // backward: that loss, [1, 1]. Gradients are then those of Σ seed·output + loss.
  Tensor loss = {};
};

// How far f32 arithmetic may be from exact arithmetic, u = 2^-24, n = the longest axis of any
// input:
//   sums      the result and every gradient are sums of products of inputs, so |error| ≤ (n +
//   4)·u·s
//             where s = Σ|terms| is the same case run on absolute values (no reduction is longer
//             than n; 4 for the products, a bias, a scale and the store)
//   function  |error| ≤ units·(n + 16)·u·s with s = the largest entry of that result or gradient
//   and
//             `units` = how much larger than that the numbers inside are; 16 for exp, erf or √
// bf16 adds 2^-8·|result| for the rounding of the result, and bf16_inside·2^-8·s for values that
// are rounded to bf16 on the way.
enum class Accuracy { sums, function };

struct OpCase {
  std::string op;    // as in op_names()
  std::string name;  // unique together with op: letters, digits, underscores
  std::vector<CaseInput> inputs;
  std::function<Value(CaseRun&)> run;
  Accuracy accuracy = Accuracy::sums;
  double units = 1;
  double bf16_inside = 0;
  double least_scale = 0;  // function: s is no less, where results cancel to nothing
  bool training = true;
  bool recorded = true;        // false: runs under NoTape
  bool complex_step = true;    // false: not analytic (conversions)
  bool sums_in_steps = false;  // a gradient is added to in several steps, each rounded
  bool any_stride = true;      // false: refuses rows with a leading dimension, by contract

  std::string full_name() const { return op + "_" + name; }
  bool wants_gradient() const {
    for (const CaseInput& input : inputs)
      if (recorded && input.differentiable()) return true;
    return false;
  }
};

const std::vector<OpCase>& op_cases();

}  // namespace ffn::test
