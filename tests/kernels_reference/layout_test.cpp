// Where results may lie: over an input where the header promises it; nowhere for zero rows. What
// lies outside a matrix (padding, guards) is watched by every test that uses pair_check.h.
#include <gtest/gtest.h>

#include "ffn/kernels/table.h"
#include "kernels_reference/operand.h"

namespace ffn::test {
namespace {

using namespace ffn::kernels;
using Values = std::vector<double>;

const KernelTable& table = reference_table();
constexpr std::int64_t kRows = 4, kCols = 5;

class Aliasing : public testing::TestWithParam<DType> {
 protected:
  Operand fresh(std::uint64_t seed, std::int64_t rows = kRows, std::int64_t cols = kCols) const {
    std::mt19937_64 random(seed);
    return Operand(GetParam(), rows, cols,
                   random_values(random, static_cast<std::size_t>(rows * cols)));
  }
  Operand empty() const { return Operand(GetParam(), kRows, kCols); }

  // run(x, y) once with y apart from x, once with y = x: the same values.
  template <class Run>
  void expect_same(const Run& run) const {
    Operand x = fresh(91), y = empty(), both = fresh(91);
    run(x.view(), y.matrix());
    run(both.view(), both.matrix());
    EXPECT_EQ(both.values(), y.values());
    EXPECT_NE(y.values(), x.values()) << "the kernel changed nothing: nothing was compared";
    EXPECT_TRUE(both.intact());
  }
};

TEST_P(Aliasing, PointwiseForward) {
  expect_same([](ConstMatrix x, Matrix y) {
    table.activation_forward(Launch{}, {Activation::gelu, 1, x, y});
  });
  Operand other = fresh(92), row = fresh(93, 1), weights = fresh(94, kRows, 1);
  expect_same(
      [&](ConstMatrix x, Matrix y) { table.multiply_forward(Launch{}, {x, other.view(), y}); });
  expect_same(
      [&](ConstMatrix x, Matrix y) { table.multiply_forward(Launch{}, {other.view(), x, y}); });
  expect_same([&](ConstMatrix x, Matrix y) { table.add_forward(Launch{}, {x, row.view(), y}); });
  expect_same([](ConstMatrix x, Matrix y) { table.copy(Launch{}, {x, y, 3}); });
  expect_same(
      [&](ConstMatrix x, Matrix y) { table.scale_rows_forward(Launch{}, {x, weights.view(), y}); });
}

TEST_P(Aliasing, NormForward) {
  Operand weight = fresh(95, 1), bias = fresh(96, 1);
  expect_same([&](ConstMatrix x, Matrix y) {
    table.layer_norm_forward(Launch{}, {x, weight.view(), bias.view(), y, {}});
  });
  expect_same([&](ConstMatrix x, Matrix y) {
    table.rms_norm_forward(Launch{}, {x, weight.view(), y, {}});
  });
  expect_same([&](ConstMatrix x, Matrix y) {
    Operand running(DType::f64, 2, kCols, Values(2 * kCols, 1.0));
    Operand stats(DType::f64, 2, kCols), new_running(DType::f64, 2, kCols);
    table.batch_norm_forward(Launch{}, {x, weight.view(), bias.view(), running.view(), y,
                                        stats.matrix(), new_running.matrix()});
  });
  expect_same(
      [](ConstMatrix x, Matrix y) { table.softmax_forward(Launch{}, {x, y, 0.5f, true, 1, 2}); });
}

TEST_P(Aliasing, PointwiseBackward) {
  Operand x = fresh(97);
  expect_same([&](ConstMatrix dy, Matrix dx) {
    table.activation_backward(Launch{}, {Activation::gelu, 1, x.view(), dy, {dx, false}});
  });
  Operand b = fresh(98);
  Values db_values[2];
  int run = 0;
  expect_same([&](ConstMatrix dy, Matrix da) {
    Operand db = empty();
    table.multiply_backward(Launch{}, {x.view(), b.view(), dy, {da, false}, {db.matrix(), false}});
    db_values[run++] = db.values();
  });
  EXPECT_EQ(db_values[0], db_values[1]);
}

TEST_P(Aliasing, NormBackward) {
  Operand x = fresh(99), weight = fresh(100, 1), stats(DType::f64, kRows, 2), y = empty();
  table.layer_norm_forward(Launch{}, {x.view(), weight.view(), {}, y.matrix(), stats.matrix()});
  Values sums[2];
  int run = 0;
  expect_same([&](ConstMatrix dy, Matrix dx) {
    Operand dweight(DType::f64, 1, kCols), dbias(DType::f64, 1, kCols);
    table.layer_norm_backward(Launch{}, {x.view(),
                                         weight.view(),
                                         stats.view(),
                                         dy,
                                         {dx, false},
                                         {dweight.matrix(), false},
                                         {dbias.matrix(), false}});
    sums[run] = dweight.values();
    for (const double value : dbias.values()) sums[run].push_back(value);
    ++run;
  });
  EXPECT_EQ(sums[0], sums[1]);

  Operand r(DType::f64, kRows, 1);
  table.rms_norm_forward(Launch{}, {x.view(), weight.view(), y.matrix(), r.matrix()});
  run = 0;
  expect_same([&](ConstMatrix dy, Matrix dx) {
    Operand dweight(DType::f64, 1, kCols);
    table.rms_norm_backward(
        Launch{}, {x.view(), weight.view(), r.view(), dy, {dx, false}, {dweight.matrix(), false}});
    sums[run++] = dweight.values();
  });
  EXPECT_EQ(sums[0], sums[1]);
}

TEST_P(Aliasing, SoftmaxBackward) {
  Operand x = fresh(101), y = empty();
  table.softmax_forward(Launch{}, {x.view(), y.matrix()});
  expect_same([&](ConstMatrix dy, Matrix dx) {
    table.softmax_backward(Launch{}, {y.view(), dy, {dx, false}, 0.5f});
  });
  const std::int32_t targets[] = {0, -1, 4, 2};
  expect_same([&](ConstMatrix logits, Matrix dlogits) {
    Operand loss(DType::f64, 1, 1), lse(DType::f64, kRows, 1), count(DType::f64, 1, 1);
    Operand dloss(DType::f64, 1, 1, Values{1});
    table.cross_entropy_forward(Launch{},
                                {logits, targets, loss.matrix(), lse.matrix(), count.matrix()});
    table.cross_entropy_backward(
        Launch{}, {logits, targets, lse.view(), count.view(), dloss.view(), {dlogits, false}});
  });
}

INSTANTIATE_TEST_SUITE_P(Types, Aliasing, testing::Values(DType::f64, DType::f32, DType::bf16),
                         [](const auto& param) { return std::string(to_string(param.param)); });

// Weight gradients over no rows are 0 when overwriting and stay when accumulating.
TEST(ZeroRows, WeightGradients) {
  Operand x(DType::f64, 0, 3), dx(DType::f64, 0, 3), stats(DType::f64, 0, 2), r(DType::f64, 0, 1);
  Operand column_stats(DType::f64, 2, 3, Values(6, 1.0)), weight(DType::f64, 1, 3, Values(3, 2.0));
  for (const bool accumulate : {false, true}) {
    const Values expected(3, accumulate ? 5.0 : 0.0);
    const auto check = [&](const auto& backward) {
      Operand dweight(DType::f64, 1, 3, Values(3, 5.0)), dbias(DType::f64, 1, 3, Values(3, 5.0));
      const bool with_bias = backward(GradMatrix{dweight.matrix(), accumulate},
                                      GradMatrix{dbias.matrix(), accumulate});
      EXPECT_EQ(dweight.values(), expected);
      EXPECT_EQ(dbias.values(), with_bias ? expected : Values(3, 5.0));
    };
    check([&](GradMatrix dw, GradMatrix db) {
      table.layer_norm_backward(
          Launch{},
          {x.view(), weight.view(), stats.view(), x.view(), {dx.matrix(), false}, dw, db});
      return true;
    });
    check([&](GradMatrix dw, GradMatrix) {
      table.rms_norm_backward(
          Launch{}, {x.view(), weight.view(), r.view(), x.view(), {dx.matrix(), false}, dw});
      return false;
    });
    check([&](GradMatrix dw, GradMatrix db) {
      table.batch_norm_backward(
          Launch{},
          {x.view(), weight.view(), column_stats.view(), x.view(), {dx.matrix(), false}, dw, db});
      return true;
    });
  }
  EXPECT_TRUE(dx.intact());
}

TEST(ZeroRows, EverythingElse) {
  Operand x(DType::f32, 0, 3), y(DType::f32, 0, 3), w(DType::f32, 0, 1), b(DType::f32, 1, 3);
  table.activation_forward(Launch{}, {Activation::silu, 1, x.view(), y.matrix()});
  table.multiply_forward(Launch{}, {x.view(), x.view(), y.matrix()});
  table.add_forward(Launch{}, {x.view(), b.view(), y.matrix()});
  table.copy(Launch{}, {x.view(), y.matrix()});
  table.fill(Launch{}, {y.matrix(), 1});
  table.scale_rows_forward(Launch{}, {x.view(), w.view(), y.matrix()});
  table.softmax_forward(Launch{}, {x.view(), y.matrix()});
  table.softmax_backward(Launch{}, {x.view(), x.view(), {y.matrix(), false}});
  table.gather_rows(Launch{}, {b.view(), nullptr, y.matrix(), false});
  table.product(Launch{}, {ProductForm::nt, x.view(), b.view(), w.matrix(), {}, false, nullptr});
  EXPECT_TRUE(y.intact() && w.intact());

  Operand sums(DType::f32, 2, 3, Values(6, 5.0));
  Launch launch;
  table.scatter_add_rows(launch, {x.view(), nullptr, sums.matrix(), false});
  EXPECT_EQ(sums.values(), Values(6, 0.0));
  Operand loss(DType::f32, 1, 1), lse(DType::f32, 0, 1), count(DType::f32, 1, 1);
  table.cross_entropy_forward(Launch{},
                              {x.view(), nullptr, loss.matrix(), lse.matrix(), count.matrix()});
  EXPECT_EQ(loss.values()[0], 0);
  EXPECT_EQ(count.values()[0], 0);
}

TEST(ZeroRows, Routing) {
  Operand scores(DType::f32, 0, 3), load(DType::f32, 2, 3, Values(6, 5.0));
  table.choose_experts(Launch{}, {scores.view(), {}, 2, 1, 1, 1, nullptr, nullptr});
  std::int32_t offsets[4] = {9, 9, 9, 9};
  table.sort_slots(Launch{}, {nullptr, 0, 2, 3, 0, nullptr, nullptr, offsets});
  for (const std::int32_t offset : offsets) EXPECT_EQ(offset, 0);
  std::int32_t order[3] = {9, 9, 9}, token[3] = {9, 9, 9};
  table.sort_slots(Launch{}, {nullptr, 0, 2, 3, 1, order, token, offsets});
  for (std::int32_t e = 0; e < 3; ++e) {
    EXPECT_EQ(order[e], -1);
    EXPECT_EQ(token[e], -1);
    EXPECT_EQ(offsets[e], e);
  }
  table.choose_tokens(Launch{}, {scores.view(), 1, 0, nullptr, nullptr, offsets});
  for (const std::int32_t offset : offsets) EXPECT_EQ(offset, 0);
  table.expert_load(Launch{}, {nullptr, 0, 2, load.matrix()});
  EXPECT_EQ(load.values(), Values(6, 0.0));
  Operand bias(DType::f32, 1, 3, Values{1, 2, 3}), y(DType::f32, 1, 3), none(DType::f32, 0, 3);
  table.move_bias(Launch{}, {bias.view(), none.view(), y.matrix(), 0.5f});
  EXPECT_EQ(y.values(), bias.values()) << "no sequence, no load";
}

}  // namespace
}  // namespace ffn::test
