#include "feedforward/designs.h"

namespace ffn::test {

INSTANTIATE_TEST_SUITE_P(mlp, Designs,
                         testing::ValuesIn(design_cases(
                             Tokens::plain, {"mlp(gelu)", "mlp(silu, hidden=9)", "mlp(tanh, x1.4)",
                                             "mlp(gelu, x1.5, multiple=6, bias=true)",
                                             "mlp(silu, multiple=3, bias=false)"})));

TEST(Mlp, MultipleRoundsTheHiddenWidthUp) {
  EXPECT_EQ(hidden_width("mlp(gelu, multiple=128)", 192), 768);
  EXPECT_EQ(hidden_width("mlp(gelu, multiple=100)", 192), 800);
  // int(2.67·100) = 267, then up.
  EXPECT_EQ(hidden_width("mlp(gelu, x2.67, multiple=4)", 100), 268);
  EXPECT_EQ(hidden_width("mlp(gelu, x1.39, multiple=1)", 5), 6);
  EXPECT_EQ(hidden_width("mlp(gelu, x1.39)", 5), 7);  // rounded to the nearest without multiple=
}

}  // namespace ffn::test
