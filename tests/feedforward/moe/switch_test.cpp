#include "feedforward/designs.h"
#include "feedforward/moe/made_layer.h"

namespace ffn::test {
namespace {

// A function of the logits times two products and a function: 400 units.
INSTANTIATE_TEST_SUITE_P(
    switch_, Designs,
    testing::ValuesIn(design_cases(Tokens::plain,
                                   {"switch(4, mlp(gelu, hidden=7), capacity=0, balance=0)",
                                    "switch(7, glu(silu, hidden=4), capacity=1.5, balance=0)"},
                                   400)));

// Where all tokens choose one expert, its share of them is served and the others get 0.
TEST(Switch, OverflowPassesBy) {
  MadeLayer made("switch(2, mlp(gelu, hidden=4), capacity=1)", true);
  set_host_values(made.parameters.at("router.weight").master, Numbers(2 * kWidth, 0.0));
  const Numbers y = made.output();
  for (std::size_t i = 0; i < y.size(); ++i)
    EXPECT_EQ(y[i] != 0, i < y.size() / 2) << i;  // ⌈1·14·1/2⌉ = 7 tokens of 14
}

// y = p·expert(x), with p = ½ for two equal logits.
TEST(Switch, WeighsByTheProbability) {
  MadeLayer made("switch(2, mlp(gelu, hidden=4), capacity=0)", true);
  set_host_values(made.parameters.at("router.weight").master, Numbers(2 * kWidth, 0.0));
  MadeLayer dense("mlp(gelu, hidden=4)", true);
  dense.take_expert(made.parameters, 0);
  Numbers half = dense.output();
  for (double& value : half) value /= 2;
  EXPECT_EQ(made.output(), half);
}

TEST(Switch, JitterIsOfTrainingAlone) {
  MadeLayer made("switch(3, mlp(gelu, hidden=4), jitter=0.3, balance=0)", true);
  MadeLayer plain("switch(3, mlp(gelu, hidden=4), balance=0)", true);
  EXPECT_EQ(made.output(), plain.output());
  made.train_step();
  plain.train_step();
  EXPECT_NE(host_values(made.parameters.gradients()), host_values(plain.parameters.gradients()));
}

}  // namespace
}  // namespace ffn::test
