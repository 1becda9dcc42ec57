// eps = 0.1 throughout: with two columns and a small eps the normalised row is ±1 whatever x is,
// its gradient cancels to about eps, and a bound relative to that gradient would measure rounding
// alone.
#include <gtest/gtest.h>

#include "kernels_reference/pair_check.h"

namespace ffn::test {
namespace {

using namespace ffn::kernels;

const KernelTable& table = reference_table();

Pair layer_norm_pair(Shape shape, bool affine) {
  Pair pair;
  pair.inputs = {shape};
  if (affine) pair.inputs.insert(pair.inputs.end(), 2, Shape{1, shape.cols});
  pair.outputs = {shape, {shape.rows, 2}};
  // A row of one element normalises to 0.
  if (shape.cols == 1) pair.zero_gradient = {0, 1};
  pair.forward = [=](Operands& in, Operands& out) {
    LayerNormForwardArgs args;
    args.x = in[0].view();
    if (affine) args.weight = in[1].view();
    if (affine) args.bias = in[2].view();
    args.y = out[0].matrix();
    args.stats = out[1].matrix();
    args.eps = 0.1f;
    table.layer_norm_forward(Launch{}, args);
  };
  pair.backward = [=](Operands& in, Operands& out, Operands& dout, const auto& din) {
    LayerNormBackwardArgs args;
    args.x = in[0].view();
    if (affine) args.weight = in[1].view();
    args.stats = out[1].view();
    args.dy = dout[0].view();
    args.dx = din[0];
    if (affine) args.dweight = din[1];
    if (affine) args.dbias = din[2];
    table.layer_norm_backward(Launch{}, args);
  };
  return pair;
}

TEST(NormGradient, LayerNorm) {
  for (const Shape& shape : kShapes) {
    expect_pair(layer_norm_pair(shape, true), 31);
    expect_pair(layer_norm_pair(shape, false), 32);
  }
  expect_pair(layer_norm_pair({3, 2}, true), 33);
}

Pair rms_norm_pair(Shape shape, bool weighted, float offset) {
  Pair pair;
  pair.inputs = {shape};
  if (weighted) pair.inputs.push_back({1, shape.cols});
  pair.outputs = {shape, {shape.rows, 1}};
  pair.forward = [=](Operands& in, Operands& out) {
    RmsNormForwardArgs args;
    args.x = in[0].view();
    if (weighted) args.weight = in[1].view();
    args.y = out[0].matrix();
    args.stats = out[1].matrix();
    args.eps = 0.1f;
    args.weight_offset = offset;
    table.rms_norm_forward(Launch{}, args);
  };
  pair.backward = [=](Operands& in, Operands& out, Operands& dout, const auto& din) {
    RmsNormBackwardArgs args;
    args.x = in[0].view();
    if (weighted) args.weight = in[1].view();
    args.stats = out[1].view();
    args.dy = dout[0].view();
    args.dx = din[0];
    if (weighted) args.dweight = din[1];
    args.weight_offset = offset;
    table.rms_norm_backward(Launch{}, args);
  };
  return pair;
}

TEST(NormGradient, RmsNorm) {
  for (const Shape& shape : kShapes) {
    expect_pair(rms_norm_pair(shape, true, 0), 34);
    expect_pair(rms_norm_pair(shape, true, 1), 35);
    expect_pair(rms_norm_pair(shape, false, 1), 36);
  }
}

Pair batch_norm_pair(Shape shape, bool affine) {
  Pair pair;
  pair.inputs = {shape};
  if (affine) pair.inputs.insert(pair.inputs.end(), 2, Shape{1, shape.cols});
  pair.outputs = {shape, {2, shape.cols}, {2, shape.cols}};
  // A column of one element normalises to 0.
  if (shape.rows == 1) pair.zero_gradient = {0, 1};
  pair.forward = [=](Operands& in, Operands& out) {
    const std::vector<double> running(static_cast<std::size_t>(2 * shape.cols), 1.0);
    Operand state(DType::f64, 2, shape.cols, running);
    BatchNormForwardArgs args;
    args.x = in[0].view();
    if (affine) args.weight = in[1].view();
    if (affine) args.bias = in[2].view();
    args.running = state.view();
    args.y = out[0].matrix();
    args.stats = out[1].matrix();
    args.new_running = out[2].matrix();
    args.eps = 0.1f;
    table.batch_norm_forward(Launch{}, args);
  };
  pair.backward = [=](Operands& in, Operands& out, Operands& dout, const auto& din) {
    BatchNormBackwardArgs args;
    args.x = in[0].view();
    if (affine) args.weight = in[1].view();
    args.stats = out[1].view();
    args.dy = dout[0].view();
    args.dx = din[0];
    if (affine) args.dweight = din[1];
    if (affine) args.dbias = din[2];
    table.batch_norm_backward(Launch{}, args);
  };
  return pair;
}

TEST(NormGradient, BatchNorm) {
  for (const Shape& shape : kShapes) {
    expect_pair(batch_norm_pair(shape, true), 37);
    expect_pair(batch_norm_pair(shape, false), 38);
  }
  expect_pair(batch_norm_pair({2, 3}, true), 39);
}

}  // namespace
}  // namespace ffn::test
