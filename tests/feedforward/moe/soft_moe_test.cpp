#include "feedforward/designs.h"
#include "feedforward/moe/made_layer.h"

namespace ffn::test {
namespace {

// Two attentions and two norms around two products and a function: 800 units. Seven slots for seven
// tokens make the flops of a token a whole number.
INSTANTIATE_TEST_SUITE_P(
    soft_moe, Designs,
    testing::ValuesIn(design_cases(
        Tokens::plain,
        {"soft-moe(7, mlp(gelu, hidden=5))", "soft-moe(7, glu(silu, hidden=4), slots=2)"}, 800)));

// Both mixtures are means: an expert that gives 1 for everything makes every output 1.
TEST(SoftMoe, WeightsSumToOne) {
  MadeLayer made("soft-moe(3, mlp(gelu, hidden=4), slots=2)", true);
  set_host_values(made.parameters.at("experts.down.weight").master, Numbers(3 * kWidth * 4, 0.0));
  set_host_values(made.parameters.at("experts.down.bias").master, Numbers(3 * kWidth, 1.0));
  for (const double value : made.output()) EXPECT_NEAR(value, 1, 4 * 0x1p-24);
}

// The tokens' weights too: of a sequence whose tokens are all alike, every slot is that token.
TEST(SoftMoe, SlotsAreMeansOfTokens) {
  MadeLayer made("soft-moe(3, mlp(gelu, hidden=4), slots=2)", true);
  Numbers token{0.5, -1, 2, 0.25, -0.75}, slots;
  const Tensor x = made.rows("x");
  Numbers same;
  for (std::int64_t row = 0; row < x.rows(); ++row)
    same.insert(same.end(), token.begin(), token.end());
  set_host_values(x, same);
  made.ex.taps().set("slots", {[&](const Tensor& value) { slots = host_values(value); }, {}});
  const EvalScope scope(made.ex);
  made.layer->forward(made.ex, made.ex.constant(x), MadeLayer::kSequences);
  ASSERT_EQ(slots.size(), MadeLayer::kSequences * 6u * kWidth);
  for (std::size_t i = 0; i < slots.size(); ++i)
    EXPECT_NEAR(slots[i], token[i % kWidth], 16 * 0x1p-24 * std::abs(token[i % kWidth])) << i;
}

TEST(SoftMoe, IsRefusedWhereItCannotStand) {
  FeedForwardSite site;
  site.width = 8;
  expect_refused("soft-moe(2, mlp(gelu))", site, "does not say how many tokens");
  site.tokens = 4;
  site.causal = true;
  expect_refused("soft-moe(2, mlp(gelu))", site, "a token must not see later ones");
}

}  // namespace
}  // namespace ffn::test
