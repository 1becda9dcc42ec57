#include <gtest/gtest.h>

#include "kernels_reference/pair_check.h"

namespace ffn::test {
namespace {

using namespace ffn::kernels;

const KernelTable& table = reference_table();

Pair softmax_pair(Shape shape, bool causal, std::int64_t offset, std::int64_t period) {
  Pair pair;
  pair.inputs = pair.outputs = {shape};
  if (shape.cols == 1) pair.zero_gradient = {0};  // the only probability is 1
  pair.forward = [=](Operands& in, Operands& out) {
    table.softmax_forward(Launch{},
                          {in[0].view(), out[0].matrix(), 0.625f, causal, offset, period});
  };
  pair.backward = [=](Operands&, Operands& out, Operands& dout, const auto& din) {
    table.softmax_backward(Launch{}, {out[0].view(), dout[0].view(), din[0], 0.625f});
  };
  return pair;
}

TEST(SoftmaxGradient, AllColumns) {
  for (const Shape& shape : kShapes) expect_pair(softmax_pair(shape, false, 0, 0), 41);
}

TEST(SoftmaxGradient, Causal) {
  expect_pair(softmax_pair({4, 4}, true, 0, 4), 42);
  expect_pair(softmax_pair({6, 5}, true, 2, 3), 43);
  expect_pair(softmax_pair({3, 7}, true, 5, 1), 44);
}

Pair cross_entropy_pair(const std::vector<std::int32_t>& targets, std::int64_t V, bool zero) {
  const auto rows = static_cast<std::int64_t>(targets.size());
  Pair pair;
  pair.inputs = {{rows, V}};
  pair.outputs = {{1, 1}, {rows, 1}, {1, 1}};
  if (zero) pair.zero_gradient = {0};
  pair.forward = [=](Operands& in, Operands& out) {
    table.cross_entropy_forward(Launch{}, {in[0].view(), targets.data(), out[0].matrix(),
                                           out[1].matrix(), out[2].matrix()});
  };
  pair.backward = [=](Operands& in, Operands& out, Operands& dout, const auto& din) {
    table.cross_entropy_backward(Launch{}, {in[0].view(), targets.data(), out[1].view(),
                                            out[2].view(), dout[0].view(), din[0]});
  };
  return pair;
}

TEST(CrossEntropyGradient, Targets) {
  expect_pair(cross_entropy_pair({2}, 5, false), 45);
  expect_pair(cross_entropy_pair({0, 32, -1, 7, 7}, 33, false), 46);
  expect_pair(cross_entropy_pair({0, 0, 0}, 1, true), 47);  // one class: loss 0
  expect_pair(cross_entropy_pair({-1, -1}, 4, true), 48);   // nothing counted
}

}  // namespace
}  // namespace ffn::test
