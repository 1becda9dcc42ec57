// The one pass beside its composition, and what it refuses.
#include "ffn/ops/expert_layer.h"

#include <gtest/gtest.h>

#include "ffn/base/philox.h"
#include "ffn/ops/arithmetic.h"
#include "ffn/ops/grouped_linear.h"
#include "ffn/tensor/host.h"
#include "ops/wrong_input.h"

namespace ffn::test {
namespace {

// Both reductions, over the width and over the hidden units, have two pieces.
constexpr std::int64_t kExperts = 3, kWidth = 400, kHidden = 520, kRows = 130;

class ExpertLayer : public testing::Test {
 protected:
  Value made(const char* name, const Shape& shape, double scale) {
    const RandomStream stream(3, name);
    std::vector<double> values;
    for (std::int64_t i = 0; i < shape.count(); ++i)
      values.push_back(static_cast<double>(
          static_cast<float>(scale * stream.normal(0, static_cast<std::uint64_t>(i)))));
    const Tensor tensor = ex_.allocate_persistent({shape, DType::f32}, Tag::data);
    set_host_values(tensor, values);
    return ex_.constant(tensor);
  }
  Tensor offsets() {
    const Tensor tensor = ex_.allocate_persistent({{kExperts + 1}, DType::i32}, Tag::data);
    set_host_values(tensor, std::vector<double>{0, 100, 105, kRows});
    return tensor;
  }

  Executor ex_{cpu_device(serial_pool())};
  Value x_ = made("x", {kRows, kWidth}, 1);
  Tensor offsets_ = offsets();
  LayerWeights weights_{made("gate", {kExperts * kHidden, kWidth}, 0.2),
                        made("up", {kExperts * kHidden, kWidth}, 0.2),
                        made("down", {kExperts * kWidth, kHidden}, 0.05),
                        made("gate_bias", {kExperts, kHidden}, 1),
                        made("up_bias", {kExperts, kHidden}, 1),
                        made("down_bias", {kExperts, kWidth}, 1)};
};

TEST_F(ExpertLayer, EqualsItsComposition) {
  const NoTape no_tape(ex_);
  const auto map = [&](Value x, const Value& weight, const Value& bias) {
    return grouped_linear(ex_, std::move(x), weight, offsets_, kExperts, bias);
  };
  Value act = silu(ex_, map(x_, weights_.gate, weights_.gate_bias));
  Value neuron = multiply(ex_, std::move(act), map(x_, weights_.up, weights_.up_bias));
  const auto expected =
      host_values(map(std::move(neuron), weights_.down, weights_.down_bias).tensor);
  const auto found =
      host_values(expert_layer(ex_, x_, weights_, offsets_, kExperts, Activation::silu).tensor);
  EXPECT_EQ(found, expected);
}

// The scratch is of tiles: twice the hidden width costs not a byte more.
TEST_F(ExpertLayer, MemoryDoesNotGrowWithTheHiddenWidth) {
  const auto peak = [](std::int64_t hidden) {
    Executor ex(dry_device(cpu_device(serial_pool())));
    const NoTape no_tape(ex);
    const auto empty = [&](const Shape& shape, DType dtype = DType::f32) {
      return ex.constant(ex.allocate_persistent({shape, dtype}, Tag::parameters));
    };
    LayerWeights weights;
    weights.up = empty({2 * hidden, 64});
    weights.down = empty({2 * 64, hidden});
    const Tensor groups = empty({3}, DType::i32).tensor;
    const Value x = empty({500, 64});
    const std::int64_t before = ex.report().peak_bytes;
    expert_layer(ex, x, weights, groups, 2, Activation::gelu);
    return ex.report().peak_bytes - before;
  };
  EXPECT_EQ(peak(1024), peak(2048));
}

TEST_F(ExpertLayer, RefusesATape) {
  const Value leaf = ex_.leaf(x_.tensor);
  try {
    expert_layer(ex_, leaf, weights_, offsets_, kExperts, Activation::silu);
    ADD_FAILURE() << "recorded";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::config);
  }
}

}  // namespace
}  // namespace ffn::test
