#include "kernels_reference/pair_check.h"

#include <gtest/gtest.h>

#include <cmath>
#include <string>

#include "support/complex_step.h"

namespace ffn::test {
namespace {

using kernels::GradMatrix;
using Values = std::vector<double>;

Operands make_operands(DType dtype, const std::vector<Shape>& shapes) {
  Operands operands;
  for (const Shape& shape : shapes) operands.emplace_back(dtype, shape.rows, shape.cols);
  return operands;
}

void expect_intact(const Operands& operands, const char* what) {
  for (std::size_t i = 0; i < operands.size(); ++i) {
    EXPECT_TRUE(operands[i].intact()) << what << ' ' << i << ": padding or guard overwritten";
  }
}

// One pair at one point: the forward pass has run in f64.
class Run {
 public:
  Run(const Pair& pair, std::uint64_t seed)
      : pair_(pair),
        random_(seed),
        in_(make_operands(DType::f64, pair.inputs)),
        out_(make_operands(DType::f64, pair.outputs)) {
    for (Operand& input : in_) {
      points_.push_back(random_values(random_, input.size(), pair.limit));
      if (pair.positive) {
        for (double& value : points_.back()) value = std::abs(value);
      }
      input.set<double>(points_.back());
    }
    pair.forward(in_, out_);
    for (std::size_t i = 0; i < pair.differentiable; ++i) {
      const bool unit = pair.unit_weight.contains(i);
      weights_.push_back(unit ? Values(out_[i].size(), 1) : random_values(random_, out_[i].size()));
      dout_.emplace_back(DType::f64, out_[i].rows(), out_[i].cols(), weights_.back());
    }
    expect_intact(in_, "input");
    expect_intact(out_, "output");
  }

  // The gradients named by `wanted`, added to `before` when that is given.
  std::vector<Values> gradients(const std::set<std::size_t>& wanted,
                                const std::vector<Values>& before = {}) {
    Operands din = make_operands(DType::f64, pair_.inputs);
    std::vector<GradMatrix> targets;
    for (std::size_t i = 0; i < din.size(); ++i) {
      GradMatrix target;
      if (wanted.contains(i)) target.to = din[i].matrix();
      target.accumulate = !before.empty();
      if (target.accumulate) din[i].set<double>(before[i]);
      targets.push_back(target);
    }
    pair_.backward(in_, out_, dout_, targets);
    expect_intact(din, "gradient");
    std::vector<Values> result;
    for (Operand& gradient : din) result.push_back(gradient.values());
    return result;
  }

  // Σ weights · outputs at a complex point.
  Number functional(const ComplexPoint& point) const {
    Operands in = make_operands(DType::c128, pair_.inputs);
    Operands out = make_operands(DType::c128, pair_.outputs);
    for (std::size_t i = 0; i < in.size(); ++i) in[i].set<Number>(point[i]);
    pair_.forward(in, out);
    Number sum = 0;
    for (std::size_t i = 0; i < weights_.size(); ++i) {
      const std::vector<Number> values = out[i].numbers();
      for (std::size_t j = 0; j < values.size(); ++j) sum += weights_[i][j] * values[j];
    }
    return sum;
  }

  const Values& point(std::size_t input) const { return points_[input]; }
  std::vector<Values> random_gradients() {
    std::vector<Values> result;
    for (const Values& values : points_) result.push_back(random_values(random_, values.size()));
    return result;
  }

 private:
  const Pair& pair_;
  std::mt19937_64 random_;
  Operands in_, out_, dout_;
  std::vector<Values> points_, weights_;
};

}  // namespace

void expect_pair(const Pair& pair, std::uint64_t seed) {
  std::string shapes = "inputs";
  for (const Shape& shape : pair.inputs) {
    shapes += " [" + std::to_string(shape.rows) + ", " + std::to_string(shape.cols) + "]";
  }
  SCOPED_TRACE(shapes);
  Run run(pair, seed);
  std::set<std::size_t> all;
  for (std::size_t i = 0; i < pair.inputs.size(); ++i) all.insert(i);

  const std::vector<Values> gradients = run.gradients(all);
  std::vector<ComplexStepInput> steps;
  for (const std::size_t i : all) {
    steps.push_back({.name = "input " + std::to_string(i),
                     .value = run.point(i),
                     .gradient = gradients[i],
                     .zero_gradient = pair.zero_gradient.contains(i)});
  }
  EXPECT_TRUE(
      check_complex_step(steps, [&](const ComplexPoint& point) { return run.functional(point); }));

  const std::vector<Values> before = run.random_gradients();
  const std::vector<Values> added = run.gradients(all, before);
  for (const std::size_t i : all) {
    for (std::size_t j = 0; j < before[i].size(); ++j) {
      EXPECT_EQ(added[i][j], before[i][j] + gradients[i][j]) << "accumulating, input " << i;
    }
    EXPECT_EQ(run.gradients({i})[i], gradients[i]) << "wanted alone, input " << i;
  }
  run.gradients({});
}

}  // namespace ffn::test
