#include "feedforward/convolutional_layer.h"
#include "feedforward/designs.h"

namespace ffn::test {

// Units as leff's.
INSTANTIATE_TEST_SUITE_P(localvit, Designs,
                         testing::ValuesIn(design_cases(Tokens::grid,
                                                        {"localvit(gelu, hidden=6)",
                                                         "localvit(hardswish, se=2, x2)",
                                                         "localvit(silu, norm=none, x2)"},
                                                        2000)));

TEST(LocalVit, RefusesWhatItCannotDo) {
  expect_refused("localvit(gelu, se=0)", "se is 0; expected an integer from 1");
  expect_refused("localvit(gelu)", grid_site({}, 8), "mixes neighbours on a grid of tokens");
}

// The block adds h to 0 where the source leaves the class token alone; it neither normalises h nor
// drops the layer.
TEST(LocalVit, ClassTokensGetNothing) {
  const BlockRule rule = standard_designs().at("localvit").block;
  EXPECT_FALSE(rule.norm);
  EXPECT_FALSE(rule.drop_path);
  constexpr std::int64_t D = 4, T = 7;
  Executor ex(cpu_device(serial_pool()));
  GridLayer made(ex, "localvit(hardswish, se=4)", grid_site({2, 3, 1}, D), DType::f32);
  made.draw();
  const Numbers y = made.train(normals("x", 2 * T * D), 2);
  for (const std::int64_t row : {0, 7}) EXPECT_EQ(row_of(y, D, row), Numbers(D, 0.0)) << row;
  for (const std::int64_t row : {1, 13}) EXPECT_NE(row_of(y, D, row), Numbers(D, 0.0)) << row;
}

TEST(LocalVit, ConvolutionsHaveNoBiasesBeforeANorm) {
  Executor ex(reference_device());
  GridLayer normed(ex, "localvit(hardswish, se=4)", grid_site({2, 2, 1}, 4), DType::f64);
  for (const char* map : {"up.bias", "dwconv.bias", "down.bias"})
    EXPECT_EQ(normed.parameters.find(map), nullptr) << map;
  GridLayer plain(ex, "localvit(hardswish, norm=none)", grid_site({2, 2, 1}, 4), DType::f64);
  for (const char* map : {"up.bias", "dwconv.bias", "down.bias"})
    EXPECT_NE(plain.parameters.find(map), nullptr) << map;
}

// With excite's weights 0 and biases 0 the gate is h_sigmoid(0) = ½ everywhere: half the output of
// the layer without it, when down has no norm and no bias.
TEST(LocalVit, AGateOfOneHalfHalves) {
  constexpr std::int64_t D = 4;
  const FeedForwardSite site = grid_site({3, 3, 0}, D, false);
  Executor ex(reference_device());
  GridLayer gated(ex, "localvit(hardswish, se=4, norm=none)", site, DType::f64);
  gated.draw();
  set_host_values(gated.parameters.at("excite.weight").master, Numbers(16 * 4, 0.0));
  set_host_values(gated.parameters.at("excite.bias").master, Numbers(16, 0.0));
  GridLayer plain(ex, "localvit(hardswish, norm=none)", site, DType::f64);
  plain.draw();
  const Numbers x = normals("x", 9 * D), half = gated.eval(x, 1), whole = plain.eval(x, 1);
  for (std::size_t i = 0; i < half.size(); ++i) EXPECT_NEAR(half[i], whole[i] / 2, 1e-14) << i;
}

}  // namespace ffn::test
