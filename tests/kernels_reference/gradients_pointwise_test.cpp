#include <gtest/gtest.h>

#include <iterator>

#include "kernels_reference/pair_check.h"

namespace ffn::test {
namespace {

using namespace ffn::kernels;

const KernelTable& table = reference_table();

Pair activation_pair(Activation kind, Shape shape) {
  Pair pair;
  pair.inputs = pair.outputs = {shape};
  pair.limit = 5;  // both kinks of hardswish and the tails of the others
  pair.forward = [=](Operands& in, Operands& out) {
    ActivationForwardArgs args;
    args.kind = kind;
    args.beta = 1.25f;
    args.x = in[0].view();
    args.y = out[0].matrix();
    table.activation_forward(Launch{}, args);
  };
  pair.backward = [=](Operands& in, Operands&, Operands& dout, const auto& din) {
    ActivationBackwardArgs args;
    args.kind = kind;
    args.beta = 1.25f;
    args.x = in[0].view();
    args.dy = dout[0].view();
    args.dx = din[0];
    table.activation_backward(Launch{}, args);
  };
  return pair;
}

class ActivationGradient : public testing::TestWithParam<int> {};

TEST_P(ActivationGradient, AgreesWithTheComplexStep) {
  const auto kind = static_cast<Activation>(GetParam());
  for (const Shape& shape : kShapes) expect_pair(activation_pair(kind, shape), 11);
}

const char* const kActivationNames[] = {"relu", "gelu",      "gelu_tanh",   "quick_gelu",
                                        "silu", "swish",     "relu2",       "sigmoid",
                                        "tanh", "hardswish", "hardsigmoid", "identity"};

INSTANTIATE_TEST_SUITE_P(Pointwise, ActivationGradient,
                         testing::Range(0, static_cast<int>(std::size(kActivationNames))),
                         [](const auto& param) { return kActivationNames[param.param]; });

TEST(PointwiseGradient, Multiply) {
  for (const Shape& shape : kShapes) {
    Pair pair;
    pair.inputs = {shape, shape};
    pair.outputs = {shape};
    pair.forward = [](Operands& in, Operands& out) {
      table.multiply_forward(Launch{}, {in[0].view(), in[1].view(), out[0].matrix()});
    };
    pair.backward = [](Operands& in, Operands&, Operands& dout, const auto& din) {
      table.multiply_backward(Launch{},
                              {in[0].view(), in[1].view(), dout[0].view(), din[0], din[1]});
    };
    expect_pair(pair, 12);
  }
}

TEST(PointwiseGradient, AddWithRepeatedRows) {
  struct Case {
    std::int64_t repeats, period, cols;
  };
  for (const Case& c : {Case{1, 1, 1}, Case{3, 1, 5}, Case{2, 3, 1}, Case{4, 3, 7}}) {
    Pair pair;
    pair.inputs = {{c.repeats * c.period, c.cols}, {c.period, c.cols}};
    pair.outputs = {pair.inputs[0]};
    pair.forward = [](Operands& in, Operands& out) {
      table.add_forward(Launch{}, {in[0].view(), in[1].view(), out[0].matrix()});
    };
    // da = dy, db = the sum of dy over the repeats.
    pair.backward = [](Operands&, Operands&, Operands& dout, const auto& din) {
      if (din[0].to.data) {
        table.copy(Launch{}, {dout[0].view(), din[0].to, 1, din[0].accumulate});
      }
      if (din[1].to.data) {
        table.row_sum(Launch{}, {dout[0].view(), din[1].to, din[1].accumulate});
      }
    };
    expect_pair(pair, 13);
  }
}

TEST(PointwiseGradient, CopyWithAFactor) {
  for (const Shape& shape : kShapes) {
    Pair pair;
    pair.inputs = pair.outputs = {shape};
    pair.forward = [](Operands& in, Operands& out) {
      table.copy(Launch{}, {in[0].view(), out[0].matrix(), -1.75f});
    };
    pair.backward = [](Operands&, Operands&, Operands& dout, const auto& din) {
      if (din[0].to.data) {
        table.copy(Launch{}, {dout[0].view(), din[0].to, -1.75f, din[0].accumulate});
      }
    };
    expect_pair(pair, 14);
  }
}

TEST(PointwiseGradient, DropoutIsItsOwnBackward) {
  for (const Shape& shape : kShapes) {
    Pair pair;
    pair.inputs = pair.outputs = {shape};
    const auto run = [](ConstMatrix x, Matrix y, bool accumulate) {
      DropoutArgs args;
      args.x = x;
      args.y = y;
      args.p = 0.375f;
      args.key = 2;  // keeps element 0 of step 4, so that [1, 1] has a gradient
      args.step = 4;
      args.accumulate = accumulate;
      table.dropout(Launch{}, args);
    };
    pair.forward = [=](Operands& in, Operands& out) { run(in[0].view(), out[0].matrix(), false); };
    pair.backward = [=](Operands&, Operands&, Operands& dout, const auto& din) {
      if (din[0].to.data) run(dout[0].view(), din[0].to, din[0].accumulate);
    };
    expect_pair(pair, 15);
  }
}

TEST(PointwiseGradient, ScaleRows) {
  for (const Shape& shape : kShapes) {
    Pair pair;
    pair.inputs = {shape, {shape.rows, 1}};
    pair.outputs = {shape};
    pair.forward = [](Operands& in, Operands& out) {
      table.scale_rows_forward(Launch{}, {in[0].view(), in[1].view(), out[0].matrix()});
    };
    pair.backward = [](Operands& in, Operands&, Operands& dout, const auto& din) {
      table.scale_rows_backward(Launch{},
                                {in[0].view(), in[1].view(), dout[0].view(), din[0], din[1]});
    };
    expect_pair(pair, 16);
  }
}

}  // namespace
}  // namespace ffn::test
