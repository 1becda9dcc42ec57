// The whole layer beside its composition, over several blocks of rows and strips of hidden units.
#include "ffn/ops/fused/dense_layer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "ffn/base/cpu_features.h"
#include "ffn/base/philox.h"
#include "ffn/ops/arithmetic.h"
#include "ffn/ops/linear.h"
#include "ffn/tensor/host.h"

namespace ffn::test {
namespace {

constexpr std::int64_t kWidth = 40;

struct Case {
  std::int64_t rows, hidden;
  bool gated;
};
// More than a block of 2,048 rows and a strip of 384 units, with rests of several kinds: one that
// joins the block before, and one of a whole piece of the sum over rows.
constexpr Case kCases[] = {
    {2065, 800, false}, {2065, 800, true}, {4500, 400, false}, {9, 385, true}};

class DenseLayer : public testing::TestWithParam<Case> {
 protected:
  // y and every gradient, in the order x, gate, up, down, their biases.
  struct Results {
    std::vector<std::vector<double>> values;
    std::int64_t peak_bytes = 0;
  };
  using Run = Value (*)(Executor&, Value, const LayerWeights&);

  static Value made(Executor& ex, const char* name, const Shape& shape, double scale) {
    const RandomStream stream(3, name);
    std::vector<double> values;
    for (std::int64_t i = 0; i < shape.count(); ++i)
      values.push_back(static_cast<double>(
          static_cast<float>(scale * stream.normal(0, static_cast<std::uint64_t>(i)))));
    const Tensor tensor = ex.allocate_persistent({shape, DType::f32}, Tag::data);
    set_host_values(tensor, values);
    return ex.leaf(tensor);
  }

  Results results(ThreadPool& pool, Run run) const {
    const Case& c = GetParam();
    Executor ex(cpu_device(pool));
    const Value x = made(ex, "x", {c.rows, kWidth}, 1);
    LayerWeights weights;
    if (c.gated) weights.gate = made(ex, "gate", {c.hidden, kWidth}, 0.2);
    weights.up = made(ex, "up", {c.hidden, kWidth}, 0.2);
    weights.down = made(ex, "down", {kWidth, c.hidden}, 0.05);
    if (c.gated) weights.gate_bias = made(ex, "gate_bias", {c.hidden}, 1);
    weights.up_bias = made(ex, "up_bias", {c.hidden}, 1);
    weights.down_bias = made(ex, "down_bias", {kWidth}, 1);
    const Tensor dy = made(ex, "dy", {c.rows, kWidth}, 1).tensor;
    const Value y = run(ex, x, weights);
    Results all{{host_values(y.tensor)}, 0};
    ex.backward(y, dy);
    const Value* const inputs[] = {&x,
                                   &weights.gate,
                                   &weights.up,
                                   &weights.down,
                                   &weights.gate_bias,
                                   &weights.up_bias,
                                   &weights.down_bias};
    for (const Value* value : inputs)
      all.values.push_back(value->defined() ? host_values(ex.gradient(*value))
                                            : std::vector<double>{});
    all.peak_bytes = ex.report().peak_bytes;
    return all;
  }

  static Value composed(Executor& ex, Value x, const LayerWeights& w) {
    if (!w.gate.defined())
      return linear(ex, gelu(ex, linear(ex, std::move(x), w.up, w.up_bias)), w.down, w.down_bias);
    Value act = gelu(ex, linear(ex, x, w.gate, w.gate_bias));
    Value neuron = multiply(ex, std::move(act), linear(ex, std::move(x), w.up, w.up_bias));
    return linear(ex, std::move(neuron), w.down, w.down_bias);
  }
  static Value stored(Executor& ex, Value x, const LayerWeights& w) {
    return dense_layer(ex, std::move(x), w, Activation::gelu);
  }
  static Value recomputed(Executor& ex, Value x, const LayerWeights& w) {
    return dense_layer(ex, std::move(x), w, Activation::gelu, 1, HiddenMemory::recompute);
  }
  static Value without_tape(Executor& ex, Value x, const LayerWeights& w) {
    const NoTape no_tape(ex);
    return dense_layer(ex, std::move(x), w, Activation::gelu);
  }
};

// x, and the biases of gate and up, are summed in another order: the former tile by tile over both
// maps, the latter block by block of rows.
TEST_P(DenseLayer, EqualsItsComposition) {
  const auto pool = make_thread_pool(2);
  const Results expected = results(*pool, composed), found = results(*pool, stored);
  for (std::size_t i = 0; i < expected.values.size(); ++i) {
    const bool exact = i != 5 && i != 6 && !(i == 1 && GetParam().gated);
    if (exact) {
      EXPECT_EQ(found.values[i], expected.values[i]) << i;
      continue;
    }
    double largest = 0;
    for (const double v : expected.values[i]) largest = std::max(largest, std::abs(v));
    for (std::size_t j = 0; j < expected.values[i].size(); ++j)
      EXPECT_NEAR(found.values[i][j], expected.values[i][j], 1e-5 * largest) << i << " " << j;
  }
  EXPECT_LT(found.peak_bytes, expected.peak_bytes);
}

TEST_P(DenseLayer, IsTheSameStoredRecomputedAndForAnyThreads) {
  const auto two = make_thread_pool(2), three = make_thread_pool(3);
  const Results expected = results(*two, stored), again = results(*two, recomputed);
  EXPECT_EQ(again.values, expected.values);
  EXPECT_EQ(results(*three, recomputed).values, expected.values);
  if (GetParam().hidden > 400) {
    EXPECT_LT(again.peak_bytes, expected.peak_bytes);
  }
}

TEST_P(DenseLayer, WithoutATapeYIsTheSame) {
  const Case& c = GetParam();
  Executor ex(cpu_device(serial_pool()));
  const Value x = made(ex, "x", {c.rows, kWidth}, 1);
  LayerWeights weights;
  weights.up = made(ex, "up", {c.hidden, kWidth}, 0.2);
  weights.down = made(ex, "down", {kWidth, c.hidden}, 0.05);
  if (c.gated) weights.gate = made(ex, "gate", {c.hidden, kWidth}, 0.2);
  EXPECT_EQ(host_values(without_tape(ex, x, weights).tensor),
            host_values(stored(ex, x, weights).tensor));
}

INSTANTIATE_TEST_SUITE_P(Sizes, DenseLayer, testing::ValuesIn(kCases), [](const auto& tested) {
  const Case& c = tested.param;
  return std::to_string(c.rows) + "x" + std::to_string(c.hidden) + (c.gated ? "_gated" : "");
});

// Rows of x that lie a multiple of 4 KiB apart are copied to be read, whole, where nothing is kept:
// no bit changes, for one block of rows or several.
TEST(DenseLayerRows, OfWholePagesChangeNoBit) {
  for (const Isa isa : supported_isas()) {
    for (const DType dtype : {DType::f32, DType::bf16}) {
      const std::int64_t width = dtype == DType::f32 ? 1024 : 2048;
      for (const std::int64_t rows : {20, 150}) {
        Executor ex(cpu_device(serial_pool(), isa));
        const auto made = [&](const char* name, const Shape& shape, double scale) {
          const RandomStream stream(4, name);
          std::vector<double> values;
          for (std::int64_t i = 0; i < shape.count(); ++i)
            values.push_back(scale *
                             static_cast<double>(stream.normal(0, static_cast<std::uint64_t>(i))));
          const Tensor tensor = ex.allocate_persistent({shape, dtype}, Tag::data);
          set_host_values(tensor, values);
          return ex.leaf(tensor);
        };
        const Value x = made("x", {rows, width}, 1);
        LayerWeights weights;
        weights.gate = made("gate", {40, width}, 0.05);
        weights.up = made("up", {40, width}, 0.05);
        weights.down = made("down", {width, 40}, 0.2);
        const std::vector<double> kept =
            host_values(dense_layer(ex, x, weights, Activation::silu).tensor);
        const NoTape no_tape(ex);
        EXPECT_EQ(host_values(dense_layer(ex, x, weights, Activation::silu).tensor), kept)
            << to_string(isa) << " " << to_string(dtype) << " " << rows;
      }
    }
  }
}

// Beyond input, output, weights and what store keeps, memory is of tiles: a hidden layer twice as
// wide costs nothing more to train when it is computed again, and nothing to run.
TEST(DenseLayerMemory, DoesNotGrowWithTheHiddenWidth) {
  struct Peaks {
    std::int64_t inference, training;
  };
  const auto peaks = [](std::int64_t hidden, bool gated) {
    Executor ex(dry_device(cpu_device(serial_pool())));
    const auto empty = [&](const Shape& shape) {
      return ex.leaf(ex.allocate_persistent({shape, DType::f32}, Tag::parameters));
    };
    LayerWeights weights;
    if (gated) weights.gate = empty({hidden, 64});
    weights.up = empty({hidden, 64});
    weights.down = empty({64, hidden});
    const Value x = empty({5000, 64});
    const std::int64_t before = ex.report().peak_bytes;
    Peaks all{};
    {
      const NoTape no_tape(ex);
      dense_layer(ex, x, weights, Activation::gelu);
      all.inference = ex.report().peak_bytes - before;
    }
    const std::int64_t gradients = ((gated ? 3 : 2) * hidden * 64 + 5000 * 64) * 4;
    const Value y = dense_layer(ex, x, weights, Activation::gelu, 1, HiddenMemory::recompute);
    ex.backward(y, ex.allocate({{5000, 64}, DType::f32}));
    all.training = ex.report().peak_bytes - before - gradients;
    return all;
  };
  for (const bool gated : {false, true}) {
    const Peaks narrow = peaks(768, gated), wide = peaks(6144, gated);
    EXPECT_EQ(narrow.inference, wide.inference);
    EXPECT_EQ(narrow.training, wide.training);
  }
}

}  // namespace
}  // namespace ffn::test
