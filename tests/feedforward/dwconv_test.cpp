#include "feedforward/designs.h"

namespace ffn::test {

INSTANTIATE_TEST_SUITE_P(dwconv, Designs,
                         testing::ValuesIn(design_cases(Tokens::grid,
                                                        {"dwconv(gelu, hidden=6)",
                                                         "dwconv(silu, k=1)", "dwconv(gelu, k=5)",
                                                         "dwconv(gelu, linear=true)", "mixffn"})));

TEST(DwConv, NeedsAGrid) {
  FeedForwardSite none;
  none.width = 8;
  expect_refused("dwconv(gelu)", none, "mixes neighbours on a grid of tokens");
}

TEST(DwConv, MixFfnIsItsOtherName) {
  EXPECT_EQ(to_string(standard_designs().parse("mixffn(linear=true, x8)")),
            "dwconv(gelu, x8, linear=true)");
}

}  // namespace ffn::test
