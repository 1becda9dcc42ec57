// The losses of a router pass dy on and add their own gradient: that of Σ dy·y + loss with y = x.
#include <gtest/gtest.h>

#include <memory>

#include "kernels_reference/pair_check.h"

namespace ffn::test {
namespace {

using namespace ffn::kernels;

const KernelTable& table = reference_table();

void pass_on(Operands& in, Operands& out) {
  table.copy(Launch{}, {in[0].view(), out[0].matrix(), 1, false});
}

// Outputs: y, the loss, then what the loss keeps.
Pair loss_pair(Shape shape) {
  Pair pair;
  pair.inputs = {shape};
  pair.outputs = {shape, {1, 1}};
  pair.differentiable = 2;
  pair.unit_weight = {1};
  return pair;
}

struct Loads {
  std::int64_t sequences, k;
};

Pair balance_pair(Shape shape, const Loads& loads, bool normalised) {
  auto load = std::make_shared<Operand>(DType::f64, loads.sequences, shape.cols);
  for (std::int64_t s = 0; s < loads.sequences; ++s) {
    for (std::int64_t e = 0; e < shape.cols; ++e) {
      load->set(s, e, static_cast<double>((3 * s + 2 * e + 1) % 4));
    }
  }
  Pair pair = loss_pair(shape);
  pair.positive = true;  // scores
  pair.forward = [=](Operands& in, Operands& out) {
    pass_on(in, out);
    table.balance_loss_forward(
        Launch{}, {in[0].view(), load->view(), loads.k, normalised, 0.75f, out[1].matrix()});
  };
  pair.backward = [=](Operands& in, Operands&, Operands& dout, const auto& din) {
    table.balance_loss_backward(
        Launch{}, {in[0].view(), load->view(), dout[0].view(), loads.k, normalised, 0.75f, din[0]});
  };
  return pair;
}

TEST(RouterLossGradient, Balance) {
  for (const bool normalised : {false, true}) {
    for (const Shape& shape : kShapes) {
      expect_pair(balance_pair(shape, {1, 1}, normalised), 91);
      expect_pair(balance_pair(shape, {shape.rows, 3}, normalised), 92);
    }
    expect_pair(balance_pair({6, 4}, {2, 2}, normalised), 93);
  }
}

TEST(RouterLossGradient, Z) {
  for (const Shape& shape : kShapes) {
    Pair pair = loss_pair(shape);
    pair.forward = [](Operands& in, Operands& out) {
      pass_on(in, out);
      table.z_loss_forward(Launch{}, {in[0].view(), 0.75f, out[1].matrix()});
    };
    pair.backward = [](Operands& in, Operands&, Operands& dout, const auto& din) {
      table.z_loss_backward(Launch{}, {in[0].view(), dout[0].view(), 0.75f, din[0]});
    };
    expect_pair(pair, 94);
  }
}

Pair importance_pair(Shape shape, std::int64_t sequences, const std::int32_t* types) {
  Pair pair = loss_pair(shape);
  pair.outputs.push_back({sequences, shape.cols});  // Z
  pair.positive = true;
  pair.forward = [=](Operands& in, Operands& out) {
    pass_on(in, out);
    table.importance_loss_forward(
        Launch{}, {in[0].view(), types, sequences, 0.25f, 0.75f, out[2].matrix(), out[1].matrix()});
  };
  pair.backward = [=](Operands&, Operands& out, Operands& dout, const auto& din) {
    table.importance_loss_backward(Launch{},
                                   {out[2].view(), dout[0].view(), types, 0.25f, 0.75f, din[0]});
  };
  return pair;
}

TEST(RouterLossGradient, Importance) {
  static constexpr std::int32_t kTypes[] = {1, 0, 0, 1, 1, 0, 1};
  for (const Shape& shape : kShapes) {
    for (const std::int32_t* types : {static_cast<const std::int32_t*>(nullptr), kTypes}) {
      expect_pair(importance_pair(shape, 1, types), 95);
      expect_pair(importance_pair(shape, shape.rows, types), 96);
    }
  }
  expect_pair(importance_pair({6, 4}, 3, kTypes), 97);
}

TEST(RouterLossGradient, NormaliseRows) {
  for (const Shape& shape : kShapes) {
    Pair pair;
    pair.inputs = pair.outputs = {shape};
    pair.positive = true;
    pair.forward = [](Operands& in, Operands& out) {
      table.normalise_rows_forward(Launch{}, {in[0].view(), 1.5f, 0.25f, out[0].matrix()});
    };
    pair.backward = [](Operands& in, Operands& out, Operands& dout, const auto& din) {
      table.normalise_rows_backward(
          Launch{}, {in[0].view(), out[0].view(), dout[0].view(), 1.5f, 0.25f, din[0]});
    };
    expect_pair(pair, 98);
  }
}

TEST(RouterLossGradient, Jitter) {
  for (const Shape& shape : kShapes) {
    Pair pair;
    pair.inputs = pair.outputs = {shape};
    pair.forward = [](Operands& in, Operands& out) {
      table.jitter(Launch{}, {in[0].view(), out[0].matrix(), 0.5f, 7, 3, false});
    };
    pair.backward = [](Operands&, Operands&, Operands& dout, const auto& din) {
      if (din[0].to.data == nullptr) return;
      table.jitter(Launch{}, {dout[0].view(), din[0].to, 0.5f, 7, 3, din[0].accumulate});
    };
    expect_pair(pair, 99);
  }
}

}  // namespace
}  // namespace ffn::test
