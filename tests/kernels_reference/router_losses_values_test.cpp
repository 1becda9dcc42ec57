// Losses of a router, normalised rows and jitter: values by hand.
#include <gtest/gtest.h>

#include <cmath>

#include "ffn/base/philox.h"
#include "ffn/kernels/table.h"
#include "kernels_reference/operand.h"

namespace ffn::test {
namespace {

using namespace ffn::kernels;
using Values = std::vector<double>;

const KernelTable& table = reference_table();

// A handful of double roundings on numbers of size 1.
constexpr double kFewUlps = 1e-15;

void expect_values(Operand& found, const Values& expected, const char* what) {
  const Values values = found.values();
  ASSERT_EQ(values.size(), expected.size()) << what;
  for (std::size_t i = 0; i < values.size(); ++i) {
    EXPECT_NEAR(values[i], expected[i], kFewUlps) << what << ' ' << i;
  }
  EXPECT_TRUE(found.intact()) << what;
}

// One sequence of two rows: f = (2·2/(1·2), 0) = (2, 0), P = (0.625, 0.375).
TEST(RouterLossValues, Balance) {
  Operand load(DType::f64, 1, 2, Values{2, 0}), loss(DType::f64, 1, 1);
  Operand p(DType::f64, 2, 2, Values{0.75, 0.25, 0.5, 0.5});
  table.balance_loss_forward(Launch{}, {p.view(), load.view(), 1, false, 0.5f, loss.matrix()});
  expect_values(loss, {0.625}, "loss");
  Operand dp(DType::f64, 2, 2);
  table.balance_loss_backward(Launch{}, {p.view(), load.view(), {}, 1, false, 0.5f, {dp.matrix()}});
  expect_values(dp, {0.5, 0, 0.5, 0}, "gradient");

  // The same probabilities out of scores: d(x/Σx) of rows with sums 4 and 2.
  Operand scores(DType::f64, 2, 2, Values{3, 1, 1, 1}), dy(DType::f64, 2, 2, Values{1, 2, 3, 4});
  table.balance_loss_forward(Launch{}, {scores.view(), load.view(), 1, true, 0.5f, loss.matrix()});
  expect_values(loss, {0.625}, "loss of scores");
  // In the place of dy.
  table.balance_loss_backward(
      Launch{}, {scores.view(), load.view(), dy.view(), 1, true, 0.5f, {dy.matrix()}});
  expect_values(dy, {1 + (0.5 - 0.375) / 4, 2 - 0.375 / 4, 3 + (0.5 - 0.25) / 2, 4 - 0.25 / 2},
                "gradient of scores");
}

// Two sequences of one row, two choices each: f = load·3/2; the mean over the sequences.
TEST(RouterLossValues, BalanceBySequence) {
  Operand load(DType::f32, 2, 3, Values{1, 1, 0, 0, 1, 1}), loss(DType::f64, 1, 1);
  Operand p(DType::f64, 2, 3, Values{0.5, 0.25, 0.25, 0.125, 0.375, 0.5});
  table.balance_loss_forward(Launch{}, {p.view(), load.view(), 2, false, 1, loss.matrix()});
  expect_values(loss, {0.5 * 1.5 * (0.75 + 0.875)}, "loss");
}

// exp = (1, 3): lse = ln 4.
TEST(RouterLossValues, Z) {
  const double lse = std::log(4.0);
  Operand logits(DType::f64, 1, 2, Values{0, std::log(3.0)}), loss(DType::f64, 1, 1);
  table.z_loss_forward(Launch{}, {logits.view(), 0.5f, loss.matrix()});
  expect_values(loss, {0.5 * lse * lse}, "loss");
  Operand gradient(DType::f64, 1, 2, Values{10, 20}), dy(DType::f64, 1, 2, Values{1, 2});
  table.z_loss_backward(Launch{}, {logits.view(), dy.view(), 0.5f, {gradient.matrix(), true}});
  for (std::size_t e = 0; e < 2; ++e) {
    const double expected = e == 0 ? 11 + lse * 0.25 : 22 + lse * 0.75;
    EXPECT_NEAR(gradient.values()[e], expected, 32 * kFewUlps) << e;
  }
}

// Only differences to the largest logit may be exponentiated.
TEST(RouterLossValues, ZOfLargeLogits) {
  Operand logits(DType::f64, 1, 2, Values{1000, 1000}), loss(DType::f64, 1, 1);
  const double lse = 1000 + std::log(2.0);
  table.z_loss_forward(Launch{}, {logits.view(), 1, loss.matrix()});
  EXPECT_NEAR(loss.values()[0], lse * lse, 4 * 0x1p-53 * lse * lse);
}

// Z = (3, 1): mean 2, variance 2, dloss/dZ = (1/4, −3/4)·coefficient.
TEST(RouterLossValues, Importance) {
  Operand weights(DType::f64, 2, 2, Values{1, 0, 2, 1}), z(DType::f64, 1, 2);
  Operand loss(DType::f64, 1, 1), gradient(DType::f64, 2, 2);
  table.importance_loss_forward(
      Launch{}, {weights.view(), nullptr, 1, 0.5f, 0.5f, z.matrix(), loss.matrix()});
  expect_values(z, {3, 1}, "importance");
  expect_values(loss, {0.25}, "loss");
  table.importance_loss_backward(Launch{},
                                 {z.view(), {}, nullptr, 0.5f, 0.5f, {gradient.matrix()}});
  expect_values(gradient, {0.125, -0.375, 0.125, -0.375}, "gradient");

  // Types 0 and 1 of two sequences: expert 0 is of type 1, expert 1 of type 0; delta = 1/2.
  const std::int32_t types[] = {0, 1};
  Operand by_sequence(DType::f64, 2, 2);
  table.importance_loss_forward(
      Launch{}, {weights.view(), types, 2, 0.5f, 1, by_sequence.matrix(), loss.matrix()});
  expect_values(by_sequence, {0.5, 0, 3, 0.5}, "importance by type");
  // Mean 1, variance (0.25 + 1 + 4 + 0.25)/3.
  expect_values(loss, {5.5 / 3}, "loss by type");
  Operand typed(DType::f64, 2, 2);
  table.importance_loss_backward(Launch{},
                                 {by_sequence.view(), {}, types, 0.5f, 1, {typed.matrix()}});
  // I·2·((Z − 1)/3 − (5.5/3)/4).
  const double pull = 5.5 / 12;
  expect_values(typed,
                {0.5 * 2 * (-0.5 / 3 - pull), 1.5 * 2 * (-1.0 / 3 - pull),
                 1.5 * 2 * (2.0 / 3 - pull), 0.5 * 2 * (-0.5 / 3 - pull)},
                "gradient by type");
}

TEST(RouterLossValues, NoImportanceAndOneEntryHaveNoLoss) {
  Operand loss(DType::f64, 1, 1);
  for (const std::int64_t E : {1, 3}) {
    Operand weights(DType::f64, 2, E, Values(static_cast<std::size_t>(2 * E), E == 1 ? 4 : 0));
    Operand z(DType::f64, 1, E), gradient(DType::f64, 2, E);
    table.importance_loss_forward(Launch{},
                                  {weights.view(), nullptr, 1, 0, 1, z.matrix(), loss.matrix()});
    EXPECT_EQ(loss.values()[0], 0) << E;
    table.importance_loss_backward(Launch{}, {z.view(), {}, nullptr, 0, 1, {gradient.matrix()}});
    EXPECT_EQ(gradient.values(), Values(static_cast<std::size_t>(2 * E), 0)) << E;
  }
}

TEST(RouterLossValues, NoRowsHaveNoLoss) {
  Operand none(DType::f64, 0, 3), load(DType::f64, 2, 3, Values(6, 0)), loss(DType::f64, 1, 1);
  Operand z(DType::f64, 2, 3);
  loss.set<double>(Values{9});
  table.balance_loss_forward(Launch{}, {none.view(), load.view(), 2, true, 1, loss.matrix()});
  EXPECT_EQ(loss.values()[0], 0);
  loss.set<double>(Values{9});
  table.z_loss_forward(Launch{}, {none.view(), 1, loss.matrix()});
  EXPECT_EQ(loss.values()[0], 0);
  loss.set<double>(Values{9});
  table.importance_loss_forward(Launch{},
                                {none.view(), nullptr, 2, 0, 1, z.matrix(), loss.matrix()});
  EXPECT_EQ(loss.values()[0], 0);
  EXPECT_EQ(z.values(), Values(6, 0));
}

TEST(RouterLossValues, NormaliseRows) {
  Operand x(DType::f64, 2, 2, Values{1, 3, 0, 0}), y(DType::f64, 2, 2);
  table.normalise_rows_forward(Launch{}, {x.view(), 2, 1e-20f, y.matrix()});
  expect_values(y, {0.5, 1.5, 0, 0}, "y");
  Operand row(DType::f64, 1, 2, Values{1, 3}), normal(DType::f64, 1, 2, Values{0.5, 1.5});
  Operand dy(DType::f64, 1, 2, Values{1, 0});
  table.normalise_rows_backward(Launch{},
                                {row.view(), normal.view(), dy.view(), 2, 1e-20f, {dy.matrix()}});
  expect_values(dy, {0.375, -0.125}, "dx in the place of dy");
}

TEST(RouterLossValues, JitterFollowsTheStream) {
  Operand x(DType::f64, 2, 5, Values(10, 3)), y(DType::f64, 2, 5, Values(10, 1));
  const RandomStream stream(77);
  table.jitter(Launch{}, {x.view(), y.matrix(), 0.25f, 77, 5, true});
  for (std::size_t i = 0; i < 10; ++i) {
    const double u = stream.word(5, i) * 0x1p-32;
    EXPECT_EQ(y.values()[i], 1 + 3 * (1 + 0.25 * (2 * u - 1))) << i;
  }
  EXPECT_TRUE(y.intact());
}

}  // namespace
}  // namespace ffn::test
