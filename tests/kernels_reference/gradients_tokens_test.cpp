#include <gtest/gtest.h>

#include "kernels_reference/pair_check.h"

namespace ffn::test {
namespace {

using namespace ffn::kernels;

const KernelTable& table = reference_table();

Pair conv_pair(std::int64_t B, const TokenGrid& grid, std::int64_t k, std::int64_t C) {
  Pair pair;
  pair.inputs = {{B * grid.rows(), C}, {C, k * k}, {1, C}};
  pair.outputs = {{B * grid.rows(), C}};
  pair.forward = [=](Operands& in, Operands& out) {
    table.depthwise_conv_forward(
        Launch{}, {in[0].view(), in[1].view(), in[2].view(), out[0].matrix(), grid, k});
  };
  pair.backward = [=](Operands& in, Operands&, Operands& dout, const auto& din) {
    table.depthwise_conv_backward(
        Launch{}, {in[0].view(), in[1].view(), dout[0].view(), din[0], din[1], din[2], grid, k});
  };
  return pair;
}

TEST(TokenGradient, DepthwiseConv) {
  expect_pair(conv_pair(1, {1, 1, 0}, 1, 1), 61);
  expect_pair(conv_pair(2, {1, 1, 1}, 3, 2), 62);
  expect_pair(conv_pair(2, {3, 5, 1}, 3, 3), 63);
  expect_pair(conv_pair(1, {4, 2, 0}, 5, 2), 64);
  expect_pair(conv_pair(3, {2, 3, 2}, 1, 4), 65);
}

Pair causal_conv_pair(std::int64_t B, std::int64_t T, std::int64_t k, std::int64_t C) {
  Pair pair;
  pair.inputs = {{B * T, C}, {C, k}, {1, C}};
  pair.outputs = {{B * T, C}};
  pair.forward = [=](Operands& in, Operands& out) {
    table.causal_conv_forward(Launch{},
                              {in[0].view(), in[1].view(), in[2].view(), out[0].matrix(), T, k});
  };
  pair.backward = [=](Operands& in, Operands&, Operands& dout, const auto& din) {
    table.causal_conv_backward(
        Launch{}, {in[0].view(), in[1].view(), dout[0].view(), din[0], din[1], din[2], T, k});
  };
  return pair;
}

TEST(TokenGradient, CausalConv) {
  expect_pair(causal_conv_pair(1, 1, 1, 1), 71);
  expect_pair(causal_conv_pair(2, 5, 4, 3), 72);
  expect_pair(causal_conv_pair(3, 4, 2, 5), 73);
  expect_pair(causal_conv_pair(1, 9, 3, 1), 74);
}

TEST(TokenGradient, RopeTurnsBack) {
  for (const RopeStyle style : {RopeStyle::half, RopeStyle::interleaved}) {
    for (const std::int64_t R : {2, 4, 6}) {
      Pair pair;
      pair.inputs = pair.outputs = {{3 * 4, 2 * 7}};
      const auto run = [=](const ConstMatrix& x, const GradMatrix& y, bool back) {
        RopeArgs args{x, y.to, 4, 2, R, 3, 50, nullptr, style, back, y.accumulate};
        table.rope(Launch{}, args);
      };
      pair.forward = [=](Operands& in, Operands& out) {
        run(in[0].view(), {out[0].matrix(), false}, false);
      };
      pair.backward = [=](Operands&, Operands&, Operands& dout, const auto& din) {
        if (din[0].to.data) run(dout[0].view(), din[0], true);
      };
      expect_pair(pair, 75);
    }
  }
}

TEST(TokenGradient, Patchify) {
  for (const PatchGrid& grid :
       {PatchGrid{1, 1, 1, 1}, PatchGrid{3, 4, 6, 2}, PatchGrid{2, 3, 3, 3}}) {
    Pair pair;
    pair.inputs = {{2, grid.picture()}};
    pair.outputs = {{2 * grid.tokens(), grid.token()}};
    pair.forward = [=](Operands& in, Operands& out) {
      table.patchify_forward(Launch{}, {in[0].view(), out[0].matrix(), grid});
    };
    pair.backward = [=](Operands&, Operands&, Operands& dout, const auto& din) {
      table.patchify_backward(Launch{}, {dout[0].view(), din[0], grid});
    };
    expect_pair(pair, 66);
  }
}

TEST(TokenGradient, MeanTokens) {
  struct Rows {
    std::int64_t B, T, first, count;
  };
  for (const auto& [B, T, first, count] : {Rows{1, 1, 0, 1}, {3, 4, 1, 3}, {2, 5, 0, 2}}) {
    Pair pair;
    pair.inputs = {{B * T, 5}};
    pair.outputs = {{B, 5}};
    pair.forward = [from = first, n = count](Operands& in, Operands& out) {
      table.mean_tokens_forward(Launch{}, {in[0].view(), out[0].matrix(), from, n});
    };
    pair.backward = [from = first, n = count](Operands&, Operands&, Operands& dout,
                                              const auto& din) {
      table.mean_tokens_backward(Launch{}, {dout[0].view(), din[0], from, n});
    };
    expect_pair(pair, 67);
  }
}

TEST(TokenGradient, GateTokens) {
  struct Rows {
    std::int64_t B, T, first, count;
  };
  for (const auto& [B, T, first, count] : {Rows{1, 1, 0, 1}, {3, 4, 1, 3}, {2, 5, 0, 1}}) {
    Pair pair;
    pair.inputs = {{B * T, 5}, {B, 5}};
    pair.outputs = {{B * T, 5}};
    pair.forward = [from = first, n = count](Operands& in, Operands& out) {
      table.gate_tokens_forward(Launch{}, {in[0].view(), in[1].view(), out[0].matrix(), from, n});
    };
    pair.backward = [from = first, n = count](Operands& in, Operands&, Operands& dout,
                                              const auto& din) {
      table.gate_tokens_backward(
          Launch{}, {in[0].view(), in[1].view(), dout[0].view(), din[0], din[1], from, n});
    };
    expect_pair(pair, 69);
  }
}

// Key 2 keeps sequence 0 of step 4.
TEST(TokenGradient, DroppedRowsAreTheirOwnBackward) {
  Pair pair;
  pair.inputs = pair.outputs = {{12, 5}};
  const auto run = [](const ConstMatrix& x, const Matrix& y, bool accumulate) {
    table.dropout(Launch{}, {x, y, 0.375f, 2, 4, accumulate, 3});
  };
  pair.forward = [=](Operands& in, Operands& out) { run(in[0].view(), out[0].matrix(), false); };
  pair.backward = [=](Operands&, Operands&, Operands& dout, const auto& din) {
    if (din[0].to.data) run(dout[0].view(), din[0].to, din[0].accumulate);
  };
  expect_pair(pair, 68);
}

Pair smoothed_pair(const std::vector<std::int32_t>& targets, std::int64_t V, float smoothing) {
  const auto rows = static_cast<std::int64_t>(targets.size());
  Pair pair;
  pair.inputs = {{rows, V}};
  pair.outputs = {{1, 1}, {rows, 1}, {1, 1}};
  pair.forward = [=](Operands& in, Operands& out) {
    table.cross_entropy_forward(Launch{}, {in[0].view(), targets.data(), out[0].matrix(),
                                           out[1].matrix(), out[2].matrix(), smoothing});
  };
  pair.backward = [=](Operands& in, Operands& out, Operands& dout, const auto& din) {
    table.cross_entropy_backward(Launch{}, {in[0].view(), targets.data(), out[1].view(),
                                            out[2].view(), dout[0].view(), din[0], smoothing});
  };
  return pair;
}

TEST(CrossEntropyGradient, Smoothed) {
  expect_pair(smoothed_pair({2}, 5, 0.125f), 71);
  expect_pair(smoothed_pair({0, 32, -1, 7, 7}, 33, 0.25f), 72);
  expect_pair(smoothed_pair({1, 0}, 4, 1), 73);
}

Pair soft_pair(const std::vector<float>& targets, std::int64_t V, float smoothing, bool zero) {
  const auto rows = static_cast<std::int64_t>(targets.size()) / V;
  const auto view = [=](const std::vector<float>& weights) {
    return ConstMatrix{weights.data(), DType::f32, rows, V, V};
  };
  Pair pair;
  pair.inputs = {{rows, V}};
  pair.outputs = {{1, 1}, {rows, 1}, {1, 1}};
  if (zero) pair.zero_gradient = {0};
  pair.forward = [=](Operands& in, Operands& out) {
    table.soft_cross_entropy_forward(Launch{}, {in[0].view(), view(targets), out[0].matrix(),
                                                out[1].matrix(), out[2].matrix(), smoothing});
  };
  pair.backward = [=](Operands& in, Operands& out, Operands& dout, const auto& din) {
    table.soft_cross_entropy_backward(Launch{}, {in[0].view(), view(targets), out[1].view(),
                                                 out[2].view(), dout[0].view(), din[0], smoothing});
  };
  return pair;
}

TEST(CrossEntropyGradient, SoftTargets) {
  expect_pair(soft_pair({0.5f, 0, 0.25f, 0, 0, 0, 0, 1.5f, 0}, 3, 0, false), 74);
  expect_pair(soft_pair({0.5f, 0, 0.25f, 0, 0, 0, 0, 1.5f, 0}, 3, 0.125f, false), 75);
  expect_pair(soft_pair({2, 0.5f}, 1, 0.125f, true), 76);   // one class: loss 0
  expect_pair(soft_pair({0, 0, 0, 0}, 2, 0.5f, true), 77);  // nothing counted
}

}  // namespace
}  // namespace ffn::test
