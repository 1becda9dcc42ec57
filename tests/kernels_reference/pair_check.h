// The check that every forward/backward pair of kernels must pass, whatever its family.
#pragma once

#include <cstdint>
#include <functional>
#include <set>
#include <vector>

#include "ffn/kernels/table.h"
#include "kernels_reference/operand.h"

namespace ffn::test {

struct Shape {
  std::int64_t rows, cols;
};
using Operands = std::vector<Operand>;

struct Pair {
  std::vector<Shape> inputs;
  // The first `differentiable` outputs carry the gradient; the others are what forward saves.
  std::vector<Shape> outputs;
  std::size_t differentiable = 1;
  // Works in the dtype of its operands: f64 or c128.
  std::function<void(Operands& in, Operands& out)> forward;
  // din[i] is the gradient of input i: overwrite, accumulate, or absent.
  std::function<void(Operands& in, Operands& out, Operands& dout,
                     const std::vector<kernels::GradMatrix>& din)>
      backward;
  std::set<std::size_t> zero_gradient;  // inputs whose gradient is 0 by mathematics
  double limit = 2;                     // inputs are drawn from ±[0.1, limit) …
  bool positive = false;                // … or from [0.1, limit)
  // Differentiable outputs of weight 1 in the functional, the others have random ones: losses whose
  // gradient starts from themselves.
  std::set<std::size_t> unit_weight = {};
};

// Expects: gradients agree with the complex step; accumulating adds the very same numbers to what
// was there; a gradient does not depend on which others are wanted; padding and guards are
// untouched.
void expect_pair(const Pair& pair, std::uint64_t seed);

// [rows, cols] that every pair is tried on: single rows and columns, odd sizes.
inline constexpr Shape kShapes[] = {{1, 1}, {1, 5}, {7, 1}, {3, 4}, {5, 33}};

}  // namespace ffn::test
