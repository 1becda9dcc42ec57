#include "feedforward/convolutional_layer.h"
#include "feedforward/designs.h"

namespace ffn::test {

// 2000: behind each of three norms an error is 1/σ times as large, and a column of twelve numbers
// of order 1 has a σ of a third or so at worst. A kernel of one place is left out: the norm takes
// its scale out again, so that its gradient cancels to nothing that could be compared.
INSTANTIATE_TEST_SUITE_P(leff, Designs,
                         testing::ValuesIn(design_cases(Tokens::grid,
                                                        {"leff(gelu, hidden=6)", "leff(silu, x3)",
                                                         "leff(gelu, k=5, x2)",
                                                         "leff(gelu, norm=none, x2)"},
                                                        2000)));

TEST(Leff, RefusesWhatItCannotDo) {
  expect_refused("leff(gelu, k=4)", "k is 4; expected an odd number");
  expect_refused("leff(gelu, norm=layer)", "norm is layer; expected batch or none");
  expect_refused("leff(gelu)", grid_site({}, 8), "mixes neighbours on a grid of tokens");
}

// Class tokens pass to the bit, and whatever stands there, the grid's rows and the running
// statistics are the same.
TEST(Leff, ClassTokensPassAndLeaveTheStatisticsAlone) {
  constexpr std::int64_t D = 4, T = 8;
  Executor ex(cpu_device(serial_pool()));
  GridLayer one(ex, "leff(gelu, x2)", grid_site({2, 3, 2}, D), DType::f32);
  one.draw();
  GridLayer other(ex, "leff(gelu, x2)", grid_site({2, 3, 2}, D), DType::f32);
  other.draw();
  Numbers x = normals("x", 2 * T * D);
  const Numbers y = one.train(x, 2);
  Numbers changed = x;
  for (const std::int64_t row : {0, 1, 8, 9})
    for (std::int64_t i = 0; i < D; ++i) changed[static_cast<std::size_t>(row * D + i)] = 100;
  const Numbers z = other.train(changed, 2);
  for (std::int64_t row = 0; row < 2 * T; ++row) {
    if (row % T < 2) {
      EXPECT_EQ(row_of(y, D, row), row_of(x, D, row)) << row;
      EXPECT_EQ(row_of(z, D, row), row_of(changed, D, row)) << row;
    } else {
      EXPECT_EQ(row_of(y, D, row), row_of(z, D, row)) << row;
    }
  }
  for (std::size_t i = 0; i < 3; ++i)
    EXPECT_EQ(host_values(one.parameters.states()[i].tensor),
              host_values(other.parameters.states()[i].tensor));
}

// Running statistics stand under the names that PyTorch gives them, and move by a tenth.
TEST(Leff, RunningStatisticsMove) {
  Executor ex(reference_device());
  GridLayer made(ex, "leff(gelu, hidden=3)", grid_site({2, 2, 0}, 2), DType::f64);
  const State& state = made.parameters.states()[0];
  EXPECT_EQ(state.row_names,
            (std::vector<std::string>{"up_norm.running_mean", "up_norm.running_var"}));
  EXPECT_EQ(host_values(state.tensor), (Numbers{0, 0, 0, 1, 1, 1}));
  // Weights 0: up is its bias, which has mean bias and variance 0.
  set_host_values(made.parameters.at("up.bias").master, Numbers{1, 2, -4});
  made.train(normals("x", 8), 1);
  const Numbers moved = host_values(state.tensor), expected{0.1, 0.2, -0.4, 0.9, 0.9, 0.9};
  for (std::size_t i = 0; i < 6; ++i) EXPECT_NEAR(moved[i], expected[i], 1e-7) << i;
}

}  // namespace ffn::test
