#include "feedforward/convolutional_layer.h"
#include "feedforward/designs.h"

namespace ffn::test {

INSTANTIATE_TEST_SUITE_P(causal_dwconv, Designs,
                         testing::ValuesIn(design_cases(Tokens::causal,
                                                        {"causal-dwconv(gelu, hidden=6)",
                                                         "causal-dwconv(silu, k=1)",
                                                         "causal-dwconv(gelu, k=9, x2)"})));

TEST(CausalDwConv, RefusesWhatItCannotDo) {
  expect_refused("causal-dwconv(gelu, k=65)", "k is 65; expected an integer from 1 to 64");
}

// A token changes its own row and the k − 1 behind it in its sequence, and nothing else to the bit.
TEST(CausalDwConv, ATokenReachesTheNextOnesOnly) {
  constexpr std::int64_t D = 4, T = 6;
  Executor ex(cpu_device(serial_pool()));
  GridLayer made(ex, "causal-dwconv(gelu, k=3)", grid_site({}, D), DType::f32);
  made.draw();
  const Numbers x = normals("x", 2 * T * D);
  const Numbers y = made.eval(x, 2);
  for (std::int64_t moved = 0; moved < 2 * T; ++moved) {
    Numbers changed = x;
    for (std::int64_t i = 0; i < D; ++i) changed[static_cast<std::size_t>(moved * D + i)] = 2;
    const Numbers z = made.eval(changed, 2);
    for (std::int64_t row = 0; row < 2 * T; ++row) {
      const bool reached = row >= moved && row < moved + 3 && row / T == moved / T;
      EXPECT_EQ(row_of(y, D, row) != row_of(z, D, row), reached) << moved << " → " << row;
    }
  }
}

}  // namespace ffn::test
