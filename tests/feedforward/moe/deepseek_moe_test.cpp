#include "feedforward/designs.h"
#include "feedforward/moe/made_layer.h"

namespace ffn::test {
namespace {

// As moe, and a layer beside it: 500 units.
INSTANTIATE_TEST_SUITE_P(
    deepseek_moe, Designs,
    testing::ValuesIn(design_cases(
        Tokens::plain,
        {"deepseek-moe(6, glu(silu, hidden=3), top=3, shared=2, balance=0)",
         "deepseek-moe(4, glu(silu, hidden=3), top=2, shared=1, shared_hidden=5, shared_gate=true, "
         "balance=0)",
         "deepseek-moe(6, mlp(gelu, hidden=3), top=2, shared=1, shared_gate=true, balance=0)",
         "deepseek-moe(8, glu(silu, hidden=2), top=3, shared=0, scores=sigmoid, normalise=true, "
         "scaling=2.5, groups=4, top_groups=2, balance=0)"},
        500)));

FeedForwardSite site_of_width(std::int64_t width) {
  FeedForwardSite site;
  site.width = width;
  site.bias = false;
  return site;
}

TEST(DeepSeekMoe, SharedExpertsAreOneLayer) {
  ParameterSet parameters;
  const auto layer = standard_designs().build(
      standard_designs().parse("deepseek-moe(4, glu(silu, hidden=3), top=2, shared=2)"),
      site_of_width(8), parameters);
  EXPECT_EQ(parameters.at("shared.up.weight").shape, (Shape{6, 8}));
  EXPECT_EQ(parameters.at("experts.up.weight").shape, (Shape{12, 8}));
  // Router 4·8, experts 3·8·3, shared ones twice that, by hand.
  EXPECT_EQ(layer->costs().parameters, 32 + 4 * 72 + 2 * 72);
  EXPECT_EQ(layer->costs().active_parameters, 32 + 2 * 72 + 2 * 72);
}

// All 14 tokens choose experts 0 and 1, by ties: these have more than the mean load of 7, the
// others less.
TEST(DeepSeekMoe, TheBiasMovesAgainstTheLoad) {
  MadeLayer made("deepseek-moe(4, mlp(gelu, hidden=3), top=2, shared=0, bias_rate=0.25)", true);
  set_host_values(made.parameters.at("router.weight").master, Numbers(4 * kWidth, 0.0));
  made.train_step();
  const State& bias = made.parameters.states().front();
  EXPECT_EQ(bias.row_names.front(), "router.e_score_correction_bias");
  EXPECT_EQ(host_values(bias.tensor), (Numbers{-0.25, -0.25, 0.25, 0.25}));
  made.train_step();  // now 2 and 3 are chosen
  EXPECT_EQ(host_values(bias.tensor), Numbers(4, 0.0));
}

// Weights are the scores without the bias.
TEST(DeepSeekMoe, TheBiasChoosesOnly) {
  MadeLayer made("deepseek-moe(2, mlp(gelu, hidden=3), top=1, shared=0, bias_rate=0.5)", true);
  set_host_values(made.parameters.at("router.weight").master, Numbers(2 * kWidth, 0.0));
  set_host_values(made.parameters.states().front().tensor, Numbers{-1, 1});
  MadeLayer dense("mlp(gelu, hidden=3)", true);
  dense.take_expert(made.parameters, 1);
  Numbers half = dense.output();
  for (double& value : half) value /= 2;  // softmax of two equal logits
  EXPECT_EQ(made.output(), half);
}

TEST(DeepSeekMoe, WhatCannotBeIsRefused) {
  expect_refused("deepseek-moe(6, mlp(gelu), top=2, shared=0, shared_hidden=5)",
                 "shared_hidden= without shared experts");
  expect_refused("deepseek-moe(6, mlp(gelu), top=2, groups=4)", "cannot be split into 4 groups");
  expect_refused("deepseek-moe(6, mlp(gelu), top=3, groups=3, top_groups=1)",
                 "top 3 of the 2 experts in the best 1 groups");
  expect_refused("deepseek-moe(6, mlp(gelu), groups=2, top_groups=3)", "the best 3 of 2 groups");
  expect_refused("deepseek-moe(6, mlp(gelu), shared=0, shared_gate=true)",
                 "without shared experts");
}

}  // namespace
}  // namespace ffn::test
