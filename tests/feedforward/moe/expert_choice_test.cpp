#include "feedforward/designs.h"
#include "feedforward/moe/made_layer.h"

namespace ffn::test {
namespace {

// As moe. Seven tokens: with seven experts a capacity of 1 or 2 is that many tokens of a sequence.
INSTANTIATE_TEST_SUITE_P(
    expert_choice, Designs,
    testing::ValuesIn(design_cases(Tokens::plain,
                                   {"expert-choice(7, mlp(gelu, hidden=5))",
                                    "expert-choice(7, glu(silu, hidden=4), capacity=1)"},
                                   400)));

// Experts with equal scores take the first tokens of each sequence; the others get 0.
TEST(ExpertChoice, TokensThatNoExpertTakesGetNothing) {
  MadeLayer made("expert-choice(7, mlp(gelu, hidden=4), capacity=2)", true);
  set_host_values(made.parameters.at("router.weight").master, Numbers(7 * kWidth, 0.0));
  const Numbers y = made.output();
  for (std::size_t i = 0; i < y.size(); ++i) {
    const std::size_t token = i / kWidth % MadeLayer::kTokens;
    EXPECT_EQ(y[i] != 0, token < 2) << i;
  }
}

TEST(ExpertChoice, OneExpertTakesAll) {
  MadeLayer made("expert-choice(1, mlp(gelu, hidden=4))", true);
  MadeLayer dense("mlp(gelu, hidden=4)", true);
  dense.take_expert(made.parameters, 0);
  EXPECT_EQ(made.output(), dense.output());
}

TEST(ExpertChoice, IsRefusedWhereTheFutureIsHidden) {
  FeedForwardSite causal;
  causal.width = 8;
  causal.causal = true;
  expect_refused("expert-choice(2, mlp(gelu))", causal, "a token must not see later ones");
  expect_refused("expert-choice(2, mlp(gelu), capacity=0)", "capacity is 0; expected a number");
}

}  // namespace
}  // namespace ffn::test
