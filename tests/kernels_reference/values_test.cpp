// Values known without the kernels: closed forms, hand computation, 25-digit arithmetic (mpmath).
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <cstring>

#include "ffn/base/philox.h"
#include "ffn/kernels/table.h"
#include "kernels_reference/operand.h"

namespace ffn::test {
namespace {

using namespace ffn::kernels;

const KernelTable& table = reference_table();

// A handful of double roundings on numbers of size 1.
constexpr double kFewUlps = 1e-15;

TEST(ReferenceTable, EveryEntryIsFilled) {
  static_assert(sizeof(KernelTable) % sizeof(void*) == 0);
  std::array<void*, sizeof(KernelTable) / sizeof(void*)> entries;
  std::memcpy(entries.data(), &table, sizeof table);
  for (std::size_t i = 0; i < entries.size(); ++i) EXPECT_NE(entries[i], nullptr) << i;
}

TEST(Values, Activations) {
  struct Case {
    Activation kind;
    double at_1, at_minus_2;
  };
  const Case cases[] = {{Activation::relu, 1, 0},
                        {Activation::gelu, 0.8413447460685429486, -0.04550026389635841440},
                        {Activation::gelu_tanh, 0.8411919906082767048, -0.04540230591222498122},
                        {Activation::quick_gelu, 0.8457957659328212957, -0.06434137685579185019},
                        {Activation::silu, 0.7310585786300048793, -0.2384058440442351119},
                        {Activation::swish, 0.8807970779778824441, -0.03597241992418311606},
                        {Activation::relu2, 1, 0},
                        {Activation::sigmoid, 0.7310585786300048793, 0.1192029220221175559},
                        {Activation::tanh, 0.7615941559557648881, -0.9640275800758168839},
                        {Activation::hardswish, 4.0 / 6, -2.0 / 6},
                        {Activation::hardsigmoid, 4.0 / 6, 1.0 / 6},
                        {Activation::identity, 1, -2}};
  for (const Case& c : cases) {
    Operand x(DType::f64, 1, 2, std::vector{1.0, -2.0}), y(DType::f64, 1, 2);
    ActivationForwardArgs args;
    args.kind = c.kind;
    args.beta = 2;
    args.x = x.view();
    args.y = y.matrix();
    table.activation_forward(Launch{}, args);
    EXPECT_NEAR(y.values()[0], c.at_1, kFewUlps) << static_cast<int>(c.kind);
    EXPECT_NEAR(y.values()[1], c.at_minus_2, kFewUlps) << static_cast<int>(c.kind);
  }
}

std::vector<double> slopes_of(Activation kind, const std::vector<double>& points) {
  const auto count = static_cast<std::int64_t>(points.size());
  Operand x(DType::f64, 1, count, points), dx(DType::f64, 1, count);
  Operand dy(DType::f64, 1, count, std::vector<double>(points.size(), 1.0));
  ActivationBackwardArgs args;
  args.kind = kind;
  args.x = x.view();
  args.dy = dy.view();
  args.dx.to = dx.matrix();
  table.activation_backward(Launch{}, args);
  return dx.values();
}

TEST(Values, SlopesAtKinks) {
  EXPECT_EQ(slopes_of(Activation::relu, {0}), std::vector{0.0});
  EXPECT_EQ(slopes_of(Activation::relu2, {0}), std::vector{0.0});
  EXPECT_EQ(slopes_of(Activation::hardswish, {-3, 3}), (std::vector{0.0, 1.0}));
  EXPECT_EQ(slopes_of(Activation::hardsigmoid, {-3, 3}), (std::vector{0.0, 0.0}));
}

// Far from 0 every activation is 0, 1 or x: no overflow, no NaN, with complex arguments too.
TEST(Values, ActivationsFarOut) {
  for (int kind = 0; kind <= static_cast<int>(Activation::identity); ++kind) {
    for (const DType dtype : {DType::f64, DType::c128}) {
      Operand x(dtype, 1, 2), y(dtype, 1, 2), dx(dtype, 1, 2);
      x.set(0, 0, {800, 1e-20});
      x.set(0, 1, {-800, 1e-20});
      ActivationForwardArgs forward;
      forward.kind = static_cast<Activation>(kind);
      forward.x = x.view();
      forward.y = y.matrix();
      table.activation_forward(Launch{}, forward);
      ActivationBackwardArgs backward;
      backward.kind = forward.kind;
      backward.x = backward.dy = x.view();
      backward.dx.to = dx.matrix();
      table.activation_backward(Launch{}, backward);
      for (const Number& number : y.numbers()) {
        EXPECT_TRUE(std::isfinite(number.real()) && std::isfinite(number.imag())) << kind;
      }
      for (const Number& number : dx.numbers()) {
        EXPECT_TRUE(std::isfinite(number.real()) && std::isfinite(number.imag())) << kind;
      }
    }
  }
}

TEST(Values, SoftmaxRowsSumToOne) {
  std::mt19937_64 random(71);
  Operand x(DType::f64, 4, 9, random_values(random, 36)), y(DType::f64, 4, 9);
  table.softmax_forward(Launch{}, {x.view(), y.matrix(), 2, false, 0, 0});
  for (std::int64_t row = 0; row < 4; ++row) {
    double sum = 0;
    for (std::int64_t col = 0; col < 9; ++col) sum += y.get(row, col).real();
    EXPECT_NEAR(sum, 1, kFewUlps);
    // s·(x₁ − x₀) is at most 8: a few roundings of that size.
    const double log_ratio = std::log(y.get(row, 1).real() / y.get(row, 0).real());
    EXPECT_NEAR(log_ratio, 2 * (x.get(row, 1) - x.get(row, 0)).real(), 8 * kFewUlps);
  }
}

// e^1000 overflows and e^-1000 vanishes: only differences to the largest logit may be
// exponentiated.
TEST(Values, LargeLogits) {
  const double high = 1 / (1 + std::exp(-1.0)), low = std::exp(-1.0) / (1 + std::exp(-1.0));
  for (const double shift : {0.0, -2500.0}) {
    const std::vector<double> values = {-1000 + shift, 999 + shift, 1000 + shift};
    Operand logits(DType::f64, 1, 3, values), y(DType::f64, 1, 3);
    table.softmax_forward(Launch{}, {logits.view(), y.matrix()});
    EXPECT_EQ(y.values()[0], 0);
    EXPECT_NEAR(y.values()[1], low, kFewUlps);
    EXPECT_NEAR(y.values()[2], high, kFewUlps);

    Operand loss(DType::f64, 1, 1), lse(DType::f64, 1, 1), count(DType::f64, 1, 1);
    const std::int32_t target = 1;
    table.cross_entropy_forward(
        Launch{}, {logits.view(), &target, loss.matrix(), lse.matrix(), count.matrix()});
    // log-sum-exp is at most 3500: half a unit in its last place is 2⁻⁴².
    EXPECT_NEAR(loss.values()[0], -std::log(low), 0x1p-42);
  }
}

TEST(Values, CausalSoftmaxOfEqualLogits) {
  // Period 2, offset 1: rows 0, 2 see two columns, rows 1, 3 see three.
  Operand x(DType::f64, 4, 4, std::vector<double>(16, 7.0)), y(DType::f64, 4, 4);
  table.softmax_forward(Launch{}, {x.view(), y.matrix(), 1, true, 1, 2});
  const double third = 1.0 / 3;
  const std::vector<double> two = {0.5, 0.5, 0, 0}, three = {third, third, third, 0};
  std::vector<double> expected;
  for (const auto& row : {two, three, two, three}) {
    expected.insert(expected.end(), row.begin(), row.end());
  }
  EXPECT_EQ(y.values(), expected);
  // A negative offset leaves the first row nothing to see: zeros, not NaN.
  table.softmax_forward(Launch{}, {x.view(), y.matrix(), 1, true, -1, 4});
  EXPECT_EQ(y.get(0, 0), 0.0);
  EXPECT_EQ(y.get(1, 0), 1.0);
}

TEST(Values, CrossEntropyOfUniformLogitsIsLogV) {
  constexpr std::int64_t V = 10;
  Operand logits(DType::f64, 3, V, std::vector<double>(3 * V, -4.0));
  Operand loss(DType::f64, 1, 1), lse(DType::f64, 3, 1), count(DType::f64, 1, 1);
  const std::int32_t targets[] = {0, -1, 9};
  table.cross_entropy_forward(
      Launch{}, {logits.view(), targets, loss.matrix(), lse.matrix(), count.matrix()});
  EXPECT_NEAR(loss.values()[0], std::log(10.0), 4 * kFewUlps);  // −4 + log 10 − (−4)
  EXPECT_EQ(count.values()[0], 2);
  for (const double value : lse.values()) EXPECT_NEAR(value, std::log(10.0) - 4, 4 * kFewUlps);

  Operand dloss(DType::f64, 1, 1, std::vector{3.0}), dlogits(DType::f64, 3, V);
  table.cross_entropy_backward(
      Launch{},
      {logits.view(), targets, lse.view(), count.view(), dloss.view(), {dlogits.matrix(), false}});
  EXPECT_NEAR(dlogits.get(0, 0).real(), 1.5 * (0.1 - 1), 4 * kFewUlps);
  EXPECT_NEAR(dlogits.get(0, 1).real(), 1.5 * 0.1, 4 * kFewUlps);
  EXPECT_EQ(dlogits.get(1, 3), 0.0);

  const std::int32_t ignored[] = {-1, -1, -1};
  table.cross_entropy_forward(
      Launch{}, {logits.view(), ignored, loss.matrix(), lse.matrix(), count.matrix()});
  EXPECT_EQ(loss.values()[0], 0);
  EXPECT_EQ(count.values()[0], 0);
}

TEST(Values, LayerNormHasMeanZeroAndVarianceOne) {
  std::mt19937_64 random(72);
  constexpr std::int64_t cols = 12;
  Operand x(DType::f64, 3, cols, random_values(random, 36)), y(DType::f64, 3, cols);
  Operand stats(DType::f64, 3, 2);
  LayerNormForwardArgs args;
  args.x = x.view();
  args.y = y.matrix();
  args.stats = stats.matrix();
  args.eps = 0;
  table.layer_norm_forward(Launch{}, args);
  for (std::int64_t row = 0; row < 3; ++row) {
    double sum = 0, squares = 0, raw = 0;
    for (std::int64_t col = 0; col < cols; ++col) {
      sum += y.get(row, col).real();
      squares += std::norm(y.get(row, col));
      raw += x.get(row, col).real();
    }
    EXPECT_NEAR(sum / cols, 0, kFewUlps);
    EXPECT_NEAR(squares / cols, 1, kFewUlps);
    EXPECT_NEAR(stats.get(row, 0).real(), raw / cols, kFewUlps);
  }
}

TEST(Values, NormsByHand) {
  // x = (3, 4), eps 0: rms = √12.5. Gemma's offset makes a weight of 1 count as 2.
  Operand x(DType::f64, 1, 2, std::vector{3.0, 4.0}), y(DType::f64, 1, 2), r(DType::f64, 1, 1);
  Operand weight(DType::f64, 1, 2, std::vector{1.0, -1.0});
  RmsNormForwardArgs rms;
  rms.x = x.view();
  rms.weight = weight.view();
  rms.y = y.matrix();
  rms.stats = r.matrix();
  rms.eps = 0;
  rms.weight_offset = 1;
  table.rms_norm_forward(Launch{}, rms);
  EXPECT_NEAR(r.values()[0], 1 / std::sqrt(12.5), kFewUlps);
  EXPECT_NEAR(y.values()[0], 6 / std::sqrt(12.5), 2 * kFewUlps);
  EXPECT_EQ(y.values()[1], 0);
  rms.weight = {};
  table.rms_norm_forward(Launch{}, rms);
  EXPECT_NEAR(y.values()[1], 4 / std::sqrt(12.5), kFewUlps);
}

TEST(Values, BatchNormStatistics) {
  // Column (1, 3, 5): μ = 3, σ² = 8/3, unbiased 4. Running (10, 20), momentum ¼.
  Operand x(DType::f64, 3, 1, std::vector{1.0, 3.0, 5.0}), y(DType::f64, 3, 1);
  Operand running(DType::f64, 2, 1, std::vector{10.0, 20.0});
  Operand stats(DType::f64, 2, 1), new_running(DType::f64, 2, 1);
  BatchNormForwardArgs args;
  args.x = x.view();
  args.running = running.view();
  args.y = y.matrix();
  args.stats = stats.matrix();
  args.new_running = new_running.matrix();
  args.eps = 0;
  args.momentum = 0.25f;
  table.batch_norm_forward(Launch{}, args);
  EXPECT_NEAR(y.values()[2], 2 / std::sqrt(8.0 / 3), kFewUlps);
  EXPECT_EQ(stats.values()[0], 3);
  EXPECT_NEAR(new_running.values()[0], 7.5 + 0.75, 8 * kFewUlps);
  EXPECT_NEAR(new_running.values()[1], 15 + 1, 16 * kFewUlps);

  // One row: the biased variance, 0. No row: the running statistics stay.
  args.x.rows = args.y.rows = 1;
  table.batch_norm_forward(Launch{}, args);
  EXPECT_EQ(new_running.values(), (std::vector{7.75, 15.0}));
  args.x.rows = args.y.rows = 0;
  table.batch_norm_forward(Launch{}, args);
  EXPECT_EQ(new_running.values(), (std::vector{10.0, 20.0}));

  // Inference: (5 − 10)/√20.
  args.x.rows = args.y.rows = 3;
  args.stats = args.new_running = {};
  table.batch_norm_forward(Launch{}, args);
  EXPECT_NEAR(y.values()[2], -5 / std::sqrt(20.0), kFewUlps);
}

TEST(Values, AdamWStepByHand) {
  // t = 1, w = 1, g = 2 · ¼: m = 0.05, m/c1 = ½; v = 2.5e-4, √(v/c2) = ½.
  Operand weight(DType::f64, 1, 1, std::vector{1.0}), gradient(DType::f64, 1, 1, std::vector{2.0});
  Operand first(DType::f64, 1, 1, std::vector{0.0}), second(DType::f64, 1, 1, std::vector{0.0});
  Operand shadow(DType::bf16, 1, 1);
  AdamWArgs args;
  args.weight = weight.matrix();
  args.first_moment = first.matrix();
  args.second_moment = second.matrix();
  args.gradient = gradient.view();
  args.shadow = shadow.matrix();
  args.learning_rate = 0.1;
  args.weight_decay = 0.01;
  args.correction1 = 1 - 0.9;
  args.correction2 = 1 - 0.999;
  args.gradient_scale = 0.25;
  table.adamw(Launch{}, args);
  EXPECT_NEAR(first.values()[0], 0.05, kFewUlps);
  EXPECT_NEAR(second.values()[0], 2.5e-4, kFewUlps);
  const double after = 1 - 0.1 * (0.01 + 0.5 / (0.5 + 1e-8));
  EXPECT_NEAR(weight.values()[0], after, kFewUlps);
  // 0.899…: bf16 has 8 bits there, steps of 2⁻⁸; 230/256 = 0.8984 is the nearest.
  EXPECT_EQ(shadow.values()[0], 230.0 / 256);

  // t = 2 with the same gradient, no shadow: both corrected moments stay what they were.
  args.shadow = {};
  args.correction1 = 1 - 0.9 * 0.9;
  args.correction2 = 1 - 0.999 * 0.999;
  table.adamw(Launch{}, args);
  // √v̂ carries the rounding of c2 = 0.002 (1e-16/0.002): 1e-13.
  EXPECT_NEAR(weight.values()[0], after - 0.1 * (0.01 * after + 0.5 / (0.5 + 1e-8)), 1e-13);
}

std::vector<double> dropped(float p, std::uint64_t step, std::int64_t rows, std::int64_t cols) {
  const std::vector<double> values(static_cast<std::size_t>(rows * cols), 3.0);
  Operand x(DType::f64, rows, cols, values), y(DType::f64, rows, cols);
  DropoutArgs args;
  args.x = x.view();
  args.y = y.matrix();
  args.p = p;
  args.key = 77;
  args.step = step;
  table.dropout(Launch{}, args);
  return y.values();
}

TEST(Values, DropoutKeepsTheStatedElements) {
  const std::vector<double> y = dropped(0.25f, 9, 100, 101);
  std::size_t kept = 0;
  for (std::size_t i = 0; i < y.size(); ++i) {
    // p·2³² = 2³⁰, counted over columns, not over the leading dimension.
    const bool keep = RandomStream(77).word(9, i) >= 0x40000000u;
    EXPECT_EQ(y[i], keep ? 4.0 : 0.0);
    kept += keep;
  }
  // Binomial(10100, ¾) has σ = √(10100·3/16) = 43.5: five of them.
  EXPECT_NEAR(static_cast<double>(kept), 0.75 * 10100, 5 * 43.5);
  EXPECT_EQ(dropped(0.25f, 9, 100, 101), y);
  EXPECT_NE(dropped(0.25f, 10, 100, 101), y);
  EXPECT_EQ(dropped(0, 9, 3, 3), std::vector<double>(9, 3.0));
  EXPECT_EQ(dropped(1, 9, 3, 3), std::vector<double>(9, 0.0));
}

// An element whose word equals p·2³² is kept; at the next larger p it is dropped.
TEST(Values, DropoutThreshold) {
  const RandomStream stream(77);
  std::int64_t element = 0;  // f32 holds words whose low 8 bits are 0: one of 256
  while ((stream.word(9, static_cast<std::uint64_t>(element)) & 0xff) != 0) ++element;
  const std::uint32_t word = stream.word(9, static_cast<std::uint64_t>(element));
  const float p = std::ldexp(static_cast<float>(word), -32);
  EXPECT_NE(dropped(p, 9, 1, element + 1).back(), 0);
  EXPECT_EQ(dropped(std::nextafter(p, 1.0f), 9, 1, element + 1).back(), 0);
}

TEST(Values, FillAndScaledCopy) {
  Operand y(DType::bf16, 2, 3), wide(DType::f32, 2, 3);
  table.fill(Launch{}, {y.matrix(), 1.5f});
  EXPECT_EQ(y.values(), std::vector<double>(6, 1.5));
  table.copy(Launch{}, {y.view(), wide.matrix(), -2});
  table.copy(Launch{}, {y.view(), wide.matrix(), 1, true});
  EXPECT_EQ(wide.values(), std::vector<double>(6, -1.5));
  std::int32_t integers[] = {5, 5};
  table.fill(Launch{}, {{integers, DType::i32, 1, 2, 2}, -1});
  EXPECT_EQ(integers[0] + integers[1], -2);
}

TEST(Values, GatherAndScatter) {
  Operand x(DType::f64, 3, 2, std::vector<double>{1, 2, 3, 4, 5, 6});
  const std::int32_t index[] = {2, -1, 2};
  Operand gathered(DType::f64, 3, 2), sums(DType::f64, 3, 2);
  table.gather_rows(Launch{}, {x.view(), index, gathered.matrix(), false});
  EXPECT_EQ(gathered.values(), (std::vector<double>{5, 6, 0, 0, 5, 6}));
  Launch launch;
  table.scatter_add_rows(launch, {x.view(), index, sums.matrix(), false});
  EXPECT_EQ(sums.values(), (std::vector<double>{0, 0, 0, 0, 6, 8}));
  table.scatter_add_rows(launch, {x.view(), index, sums.matrix(), true});
  EXPECT_EQ(sums.values(), (std::vector<double>{0, 0, 0, 0, 12, 16}));
  // bf16 is rounded once: 256 + 1 + 1 = 258, while 256 + 1 alone would go back to 256.
  Operand terms(DType::bf16, 3, 1, std::vector<double>{256, 1, 1}), total(DType::bf16, 1, 1);
  const std::int32_t same[] = {0, 0, 0};
  table.scatter_add_rows(launch, {terms.view(), same, total.matrix(), false});
  EXPECT_EQ(total.values()[0], 258);
}

}  // namespace
}  // namespace ffn::test
