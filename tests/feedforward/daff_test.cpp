#include "feedforward/convolutional_layer.h"
#include "feedforward/designs.h"

namespace ffn::test {

// Units as leff's.
INSTANTIATE_TEST_SUITE_P(
    daff, Designs,
    testing::ValuesIn(design_cases(Tokens::grid,
                                   {"daff(gelu, hidden=6)", "daff(silu, gate=no, x2)",
                                    "daff(gelu, shortcut=no, x2)", "daff(gelu, norm=none, x2)",
                                    "daff(gelu, norm=none, shortcut=no, gate=no, x2)"},
                                   2000)));

TEST(Daff, RefusesWhatItCannotDo) {
  expect_refused("daff(gelu, gate=maybe)", "gate is maybe; expected yes or no");
  expect_refused("daff(gelu)", grid_site({}, 8), "mixes neighbours on a grid of tokens");
}

// Without shortcut and gate nothing is left that leff does not have: the same weights by name give
// the same numbers to the bit.
TEST(Daff, WithoutItsPartsIsLeff) {
  Executor ex(cpu_device(serial_pool()));
  for (const std::string norm : {"batch", "none"}) {
    GridLayer daff(ex, "daff(gelu, shortcut=no, gate=no, norm=" + norm + ")",
                   grid_site({2, 3, 1}, 4), DType::f32);
    daff.draw();
    GridLayer leff(ex, "leff(gelu, norm=" + norm + ")", grid_site({2, 3, 1}, 4), DType::f32);
    leff.draw();
    const Numbers x = normals("x", 14 * 4);
    EXPECT_EQ(daff.train(x, 2), leff.train(x, 2)) << norm;
  }
}

// A kernel of zeros leaves act(0) = 0 and the shortcut: the layer is down(act(up)).
TEST(Daff, TheShortcutStartsBeforeTheConvolution) {
  constexpr std::int64_t D = 4;
  const FeedForwardSite site = grid_site({2, 3, 0}, D);
  Executor ex(reference_device());
  GridLayer daff(ex, "daff(gelu, norm=none)", site, DType::f64);
  daff.draw();
  set_host_values(daff.parameters.at("dwconv.weight").master, Numbers(16 * 9, 0.0));
  set_host_values(daff.parameters.at("dwconv.bias").master, Numbers(16, 0.0));
  GridLayer mlp(ex, "mlp(gelu)", site, DType::f64);
  mlp.draw();
  const Numbers x = normals("x", 6 * D);
  EXPECT_EQ(daff.eval(x, 1), mlp.eval(x, 1));
}

TEST(Daff, NoClassTokenNoGate) {
  Executor ex(reference_device());
  GridLayer none(ex, "daff(gelu)", grid_site({2, 2, 0}, 8), DType::f64);
  EXPECT_EQ(none.parameters.find("squeeze.weight"), nullptr);
  GridLayer one(ex, "daff(gelu)", grid_site({2, 2, 1}, 8), DType::f64);
  EXPECT_EQ(one.parameters.at("squeeze.weight").shape, (Shape{2, 8}));
}

}  // namespace ffn::test
