#include "feedforward/designs.h"
#include "feedforward/moe/made_layer.h"

namespace ffn::test {
namespace {

// Two products and a function behind a choice by softmax: 400 units.
INSTANTIATE_TEST_SUITE_P(
    moe, Designs,
    testing::ValuesIn(
        design_cases(Tokens::plain,
                     {"moe(4, mlp(gelu, hidden=7), balance=0)",
                      "moe(3, glu(silu, hidden=6), top=3, weights=all, balance=0)",
                      "moe(5, lowrank(mlp(tanh, hidden=6), rank=2), top=2, balance=0)",
                      "moe(2, mlp(silu, hidden=3), top=1, weights=all, capacity=1, balance=0)"},
                     400)));

// The layer inside alone, with one expert's weights.
TEST(Moe, OneExpertIsTheDesignInside) {
  for (const bool bias : {false, true}) {
    MadeLayer experts("moe(1, glu(gelu, hidden=7), top=1)", bias);
    MadeLayer dense("glu(gelu, hidden=7)", bias);
    for (Parameter& parameter : dense.parameters.all())
      set_host_values(parameter.master,
                      host_values(experts.parameters.at("experts." + parameter.name).master));
    EXPECT_EQ(experts.output(), dense.output());
  }
}

// With K = E and equal logits y is the mean of the experts.
TEST(Moe, EqualLogitsMeanTheExperts) {
  MadeLayer made("moe(3, mlp(gelu, hidden=4), top=3)", true);
  set_host_values(made.parameters.at("router.weight").master, Numbers(3 * kWidth, 0.0));
  Numbers mean(made.output().size(), 0.0);
  for (std::int64_t e = 0; e < 3; ++e) {
    MadeLayer dense("mlp(gelu, hidden=4)", true);
    dense.take_expert(made.parameters, e);
    const Numbers y = dense.output();
    for (std::size_t i = 0; i < y.size(); ++i) mean[i] += y[i] / 3;
  }
  expect_near(made.output(), mean, 1e-6);
}

TEST(Moe, ExpertsInAnotherOrderWithTheirRouterRowsChangeNothing) {
  MadeLayer made("moe(4, glu(silu, hidden=5), top=2)", true);
  const Numbers before = made.output();
  for (Parameter& parameter : made.parameters.all()) {
    Numbers values = host_values(parameter.master);
    const auto block = static_cast<std::ptrdiff_t>(values.size() / 4);
    std::rotate(values.begin(), values.begin() + block, values.end());
    set_host_values(parameter.master, values);
  }
  // The same sums of two products, in the other order where the experts changed sides.
  expect_near(made.output(), before, 1e-6);
}

// Tokens 0 … 13 all choose expert 0 first: with two slots only the first two are served.
TEST(Moe, AFullExpertServesTheFirstTokens) {
  MadeLayer made("moe(7, mlp(gelu, hidden=4), top=1, capacity=1)", true);
  MadeLayer all("moe(7, mlp(gelu, hidden=4), top=1)", true);
  for (MadeLayer* layer : {&made, &all}) {
    Numbers router(7 * kWidth, 0.0);
    set_host_values(layer->parameters.at("router.weight").master, router);  // ties: the lower one
  }
  const Numbers some = made.output(), whole = all.output();
  for (std::size_t i = 0; i < some.size(); ++i)
    EXPECT_NEAR(some[i], i < 2 * kWidth ? whole[i] : 0.0, i < 2 * kWidth ? 1e-6 : 0) << i;
}

// Copies of one layer whose weights sum to 1: bit for bit for one, within 4·K ulp for more. On the
// reference, where a sum is the same for any number of rows.
TEST(Moe, CopiesOfOneLayerAreThatLayer) {
  MadeLayer dense("glu(silu, hidden=6)", true, DType::f64);
  for (const int K : {1, 2, 3}) {
    const std::string text = "moe(4, glu(silu, hidden=6), top=" + std::to_string(K) + ")";
    MadeLayer made(text, true, DType::f64);
    for (Parameter& parameter : dense.parameters.all()) {
      const Numbers one = host_values(parameter.master);
      Numbers all;
      for (int e = 0; e < 4; ++e) all.insert(all.end(), one.begin(), one.end());
      set_host_values(made.parameters.at("experts." + parameter.name).master, all);
    }
    const Numbers y = made.output(), expected = dense.output();
    for (std::size_t i = 0; i < y.size(); ++i) {
      const double allowed = K == 1 ? 0 : 4 * K * 0x1p-52 * std::abs(expected[i]);
      EXPECT_NEAR(y[i], expected[i], allowed) << "K = " << K;
    }
  }
}

// In f32 too where every expert has as many rows as need packing: here all of them.
TEST(Moe, OneOfTwoCopiesIsTheLayerBitForBit) {
  MadeLayer made("moe(2, glu(silu, hidden=6), top=1)", true);
  set_host_values(made.parameters.at("router.weight").master, Numbers(2 * kWidth, 0.0));
  MadeLayer dense("glu(silu, hidden=6)", true);
  dense.take_expert(made.parameters, 0);
  EXPECT_EQ(made.output(), dense.output());
}

TEST(Moe, CountsWhatATokenMeets) {
  FeedForwardSite site;
  site.width = 8;
  site.bias = false;
  const FeedForwardCosts costs = standard_designs().costs(
      standard_designs().parse("moe(4, glu(silu, hidden=6), top=2)"), site);
  // Router 4·8, an expert 3·8·6 by hand.
  EXPECT_EQ(costs.parameters, 32 + 4 * 144);
  EXPECT_EQ(costs.active_parameters, 32 + 2 * 144);
  EXPECT_EQ(costs.flops_per_token, 2 * (32 + 2 * 144));
  EXPECT_EQ(costs.hidden, 24);
}

TEST(Moe, WhatCannotBeIsRefused) {
  expect_refused("moe(mlp(gelu))", "a number of experts and one design, as in moe(8, mlp(gelu))");
  expect_refused("moe(8)", "a number of experts and one design");
  expect_refused("moe(none, mlp(gelu))", "no number of experts");
  expect_refused("moe(0, mlp(gelu))", "expected 1 to 4096");
  expect_refused("moe(2, mlp(gelu), top=3)", "top 3 of 2 experts");
  expect_refused("moe(2, mlp(gelu), x4)", "the ratio belongs to the design inside");
  expect_refused("moe(2, dwconv(gelu))", "cannot be an expert: experts are linear maps");
  expect_refused("moe(2, tiny(gelu))", "cannot be an expert");
  expect_refused("moe(2, moe(2, mlp(gelu)))", "cannot be an expert");
  expect_refused("moe(2, mlp(gelu), balance=much)", "balance is much; expected a number");
}

}  // namespace
}  // namespace ffn::test
