// What operations on tokens do beyond their gradients: masks of whole sequences, views, the class
// token, flops, and identities against other operations.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "ffn/base/philox.h"
#include "ffn/ops/causal_conv.h"
#include "ffn/ops/cross_entropy.h"
#include "ffn/ops/depthwise_conv.h"
#include "ffn/ops/drop_path.h"
#include "ffn/ops/patchify.h"
#include "ffn/ops/rope.h"
#include "ffn/ops/tokens.h"
#include "ffn/ops/view.h"
#include "ffn/tensor/host.h"

namespace ffn::test {
namespace {

using Numbers = std::vector<double>;

Value numbers(Executor& ex, const Shape& shape, const Numbers& values) {
  const Tensor tensor = ex.allocate({shape, DType::f32});
  set_host_values(tensor, values);
  return ex.constant(tensor);
}

Numbers counting(std::int64_t count) {
  Numbers values;
  for (std::int64_t i = 0; i < count; ++i) values.push_back(static_cast<double>(i));
  return values;
}

std::vector<Device> devices() {
  std::vector<Device> all{reference_device()};
  for (const Isa isa : supported_isas()) all.push_back(cpu_device(serial_pool(), isa));
  return all;
}

// Sequence b lives exactly where word b of the stream at the executor's step reaches the threshold.
TEST(OpTokens, DropPathFollowsTheStream) {
  constexpr float p = 0.25f;
  const RandomStream stream(5, "block.drop_path");
  for (const Device& device : devices()) {
    Executor ex(device);
    for (const std::uint64_t step : {std::uint64_t{0}, std::uint64_t{7}}) {
      ex.set_step(step);
      const Value y = drop_path(ex, numbers(ex, {40, 3}, Numbers(120, 3)), p, stream, 20);
      const Numbers values = host_values(y.tensor);
      for (std::size_t i = 0; i < values.size(); ++i) {
        const bool kept = stream.word(step, i / 6) >= 0x40000000u;
        EXPECT_EQ(values[i], kept ? 4 : 0) << device.name << " step " << step << " element " << i;
      }
    }
  }
}

TEST(OpTokens, DropPathIsTheIdentityInEvalAndAtZero) {
  Executor ex(reference_device());
  const Value x = numbers(ex, {2, 2}, {1, 2, 3, 4});
  EXPECT_EQ(drop_path(ex, x, 0, RandomStream(1), 2).tensor.storage(), x.tensor.storage());
  ex.set_training(false);
  EXPECT_EQ(drop_path(ex, x, 0.5f, RandomStream(1), 2).tensor.storage(), x.tensor.storage());
}

// Two channels of 2 × 4, patches of 2: columns run over (channel, row, column).
TEST(OpTokens, PatchesKeepTheOrderOfAConvolutionsWeight) {
  for (const Device& device : devices()) {
    Executor ex(device);
    const Value y = patchify(ex, numbers(ex, {1, 16}, counting(16)), 2, 2, 4, 2);
    EXPECT_EQ(y.shape(), (Shape{2, 8}));
    EXPECT_EQ(host_values(y.tensor),
              (Numbers{0, 1, 4, 5, 8, 9, 12, 13, 2, 3, 6, 7, 10, 11, 14, 15}))
        << device.name;
  }
}

// The token stands first in every sequence, and comes back as a view. −0 stays −0.
TEST(OpTokens, FirstTokenUndoesPrependToken) {
  for (const Device& device : devices()) {
    Executor ex(device);
    const Value x = numbers(ex, {4, 2}, counting(8)), token = numbers(ex, {1, 2}, {-0.0, 9});
    const Value y = prepend_token(ex, token, x, 2);
    EXPECT_EQ(y.shape(), (Shape{6, 2}));
    const Numbers values = host_values(y.tensor);
    EXPECT_EQ(values, (Numbers{0, 9, 0, 1, 2, 3, 0, 9, 4, 5, 6, 7})) << device.name;
    EXPECT_TRUE(std::signbit(values[0]) && std::signbit(values[6])) << device.name;
    const Value first = first_token(ex, y, 2);
    EXPECT_EQ(first.tensor.storage(), y.tensor.storage());
    EXPECT_EQ(first.shape(), (Shape{2, 2}));
    EXPECT_EQ(host_values(first.tensor), (Numbers{0, 9, 0, 9})) << device.name;
  }
}

TEST(OpTokens, MeanSkipsTheClassToken) {
  for (const Device& device : devices()) {
    Executor ex(device);
    const Value y = mean_tokens(ex, numbers(ex, {6, 2}, counting(12)), 2, 1, 2);
    EXPECT_EQ(host_values(y.tensor), (Numbers{3, 4, 9, 10})) << device.name;
  }
}

// A sequence's first row and its others, apart and together again; zeros take the first one's
// place.
TEST(OpTokens, PartsOfSequences) {
  for (const Device& device : devices()) {
    Executor ex(device);
    const Value x = numbers(ex, {6, 2}, counting(12));
    const Value first = take_tokens(ex, x, 2, 0, 1), others = take_tokens(ex, x, 2, 1, 2);
    EXPECT_EQ(host_values(first.tensor), (Numbers{0, 1, 6, 7})) << device.name;
    EXPECT_EQ(host_values(others.tensor), (Numbers{2, 3, 4, 5, 8, 9, 10, 11})) << device.name;
    EXPECT_EQ(host_values(join_tokens(ex, first, others, 2).tensor), counting(12)) << device.name;
    EXPECT_EQ(host_values(pad_tokens(ex, others, 2, 1, 0).tensor),
              (Numbers{0, 0, 2, 3, 4, 5, 0, 0, 8, 9, 10, 11}))
        << device.name;
    EXPECT_EQ(host_values(gate_tokens(ex, x, numbers(ex, {2, 2}, {2, 0, -1, 3}), 2, 0, 1).tensor),
              (Numbers{0, 0, 2, 3, 4, 5, -6, 21, 8, 9, 10, 11}))
        << device.name;
  }
}

TEST(OpTokens, AllRowsAreTheSameBuffer) {
  Executor ex(reference_device());
  const Value x = numbers(ex, {4, 2}, counting(8));
  EXPECT_EQ(take_tokens(ex, x, 2, 0, 2).tensor.storage(), x.tensor.storage());
  EXPECT_EQ(pad_tokens(ex, x, 2, 0, 0).tensor.storage(), x.tensor.storage());
}

// A window of one place is a factor per channel, whatever the grid; prefix rows stay.
TEST(OpTokens, AWindowOfOnePlaceScales) {
  for (const Device& device : devices()) {
    Executor ex(device);
    const Value y = depthwise_conv(ex, numbers(ex, {6, 2}, counting(12)),
                                   numbers(ex, {2, 1}, {2, -1}), {}, {1, 2, 1});
    EXPECT_EQ(host_values(y.tensor), (Numbers{0, 1, 4, -3, 8, -5, 6, 7, 16, -9, 20, -11}))
        << device.name;
  }
}

TEST(OpTokens, DepthwiseConvCountsItsFlops) {
  Executor ex(dry_device(reference_device()));
  const auto leaf = [&](const Shape& shape) { return ex.leaf(ex.allocate({shape, DType::f32})); };
  const std::int64_t flops = 2 * 3 * (4 * 5) * 9 * 8;  // 2·B·h·w·k²·C
  const Value y =
      depthwise_conv(ex, leaf({3 * 21, 8}), leaf({8, 9}), leaf({8}), TokenGrid{4, 5, 1});
  EXPECT_EQ(ex.report().forward_flops, flops);
  ex.backward(y, ex.allocate({y.shape(), DType::f32}));
  EXPECT_EQ(ex.report().backward_flops, 2 * flops);
}

// Two sequences of three rows: a difference to the row before, which the first row does not have.
TEST(OpTokens, ACausalWindowStaysInItsSequence) {
  for (const Device& device : devices()) {
    Executor ex(device);
    const Value y = causal_conv(ex, numbers(ex, {6, 1}, {1, 3, 9, 20, 30, 50}),
                                numbers(ex, {1, 2}, {-1, 1}), numbers(ex, {1}, {100}), 2);
    EXPECT_EQ(host_values(y.tensor), (Numbers{101, 102, 106, 120, 110, 120})) << device.name;
  }
}

TEST(OpTokens, CausalConvCountsItsFlops) {
  Executor ex(dry_device(reference_device()));
  const auto leaf = [&](const Shape& shape) { return ex.leaf(ex.allocate({shape, DType::f32})); };
  const Value y = causal_conv(ex, leaf({3 * 21, 8}), leaf({8, 4}), leaf({8}), 3);
  const std::int64_t flops = 2 * 3 * 21 * 4 * 8;  // 2·B·T·k·C
  EXPECT_EQ(ex.report().forward_flops, flops);
  ex.backward(y, ex.allocate({y.shape(), DType::f32}));
  EXPECT_EQ(ex.report().backward_flops, 2 * flops);
}

// The rows that a cache holds already and the rows that come: as if all came at once, to a rounding
// of cosines and products of numbers below 12.
TEST(OpTokens, RopeGoesOnFromACache) {
  for (const Device& device : devices()) {
    for (const RopeStyle style : {RopeStyle::half, RopeStyle::interleaved}) {
      Executor ex(device);
      RopeOptions options{.heads = 2, .theta = 100, .style = style};
      const Value x = numbers(ex, {3, 4}, counting(12));
      const Numbers all = host_values(rope(ex, x, 1, options).tensor);
      EXPECT_EQ(Numbers(all.begin(), all.begin() + 4), counting(4)) << device.name;
      options.first_position = 2;
      const Numbers last = host_values(rope(ex, slice_rows(ex, x, 2, 1), 1, options).tensor);
      for (std::size_t i = 0; i < 4; ++i) {
        EXPECT_NEAR(last[i], all[8 + i], 4 * 0x1p-24 * 12) << device.name;
      }
    }
  }
}

// theta 16 and 8 columns: 1, 1/2, 1/4, 1/8 per position, which make 8.0, 4.0, 2.0 and 1.0 turns
// within 50 positions: more than 6 keep the angle, less than 3/2 have a quarter of it, others lie
// between.
TEST(OpTokens, RopeFrequenciesAreScaled) {
  const double pi = std::acos(-1.0);
  const std::vector<double> plain = rope_frequencies(16, 8, {});
  const std::vector<double> linear = rope_frequencies(16, 8, {RopeScaling::Kind::linear, 4});
  RopeScaling llama3{RopeScaling::Kind::llama3, 4, 1.5, 6, 50};
  const std::vector<double> scaled = rope_frequencies(16, 8, llama3);
  ASSERT_EQ(scaled.size(), 4u);
  const double expected[] = {1, 0.5, 0.25, 0.125};
  for (std::size_t i = 0; i < 4; ++i) {
    EXPECT_DOUBLE_EQ(plain[i], expected[i]);
    EXPECT_DOUBLE_EQ(linear[i], expected[i] / 4);
    const double turns = 50 * expected[i] / (2 * pi);
    const double share = std::clamp((turns - 1.5) / 4.5, 0.0, 1.0);
    EXPECT_DOUBLE_EQ(scaled[i], expected[i] * (share + (1 - share) / 4));
  }
  EXPECT_DOUBLE_EQ(scaled[0], 1);
  EXPECT_DOUBLE_EQ(scaled[3], 0.125 / 4);
}

// The second pair makes a quarter turn per position: (a, b) → (−b, a).
TEST(OpTokens, RopePairsColumnsByStyle) {
  const double pi = std::acos(-1.0);
  for (const Device& device : devices()) {
    Executor ex(device);
    RopeOptions options{.theta = 4 / (pi * pi)};  // theta^(−2/4) = π/2
    const auto second_row = [&](RopeStyle style) {
      options.style = style;
      return host_values(
          rope(ex, numbers(ex, {2, 4}, {0, 0, 0, 0, 1, 2, 3, 5}), 1, options).tensor);
    };
    const Numbers half = second_row(RopeStyle::half);
    EXPECT_NEAR(half[5], -5, 8 * 0x1p-24 * 5) << device.name;
    EXPECT_NEAR(half[7], 2, 8 * 0x1p-24 * 5) << device.name;
    const Numbers neighbours = second_row(RopeStyle::interleaved);
    EXPECT_NEAR(neighbours[6], -5, 8 * 0x1p-24 * 5) << device.name;
    EXPECT_NEAR(neighbours[7], 3, 8 * 0x1p-24 * 5) << device.name;
  }
}

// Rows of weights that are one-hot are classes: the same loss, on every device. Tolerance: 8
// roundings of a loss below 8, as both sum over 4 classes.
TEST(OpTokens, OneHotRowsAreClasses) {
  for (const Device& device : devices()) {
    for (const float smoothing : {0.0f, 0.125f}) {
      Executor ex(device);
      const Value logits = numbers(ex, {3, 4}, {1, 3, -2, 0, 5, 1, 1, 2, 0, 2, 1, -1});
      const Tensor classes = ex.allocate({{3}, DType::i32});
      set_host_values(classes, Numbers{2, -1, 0});
      const Value rows = numbers(ex, {3, 4}, {0, 0, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0});
      const double hard = host_values(cross_entropy(ex, logits, classes, smoothing).tensor)[0];
      const double soft =
          host_values(soft_cross_entropy(ex, logits, rows.tensor, smoothing).tensor)[0];
      EXPECT_NEAR(soft, hard, 8 * 0x1p-24 * 8) << device.name;
    }
  }
}

// A logit of −inf is a class that cannot be: without weight it adds nothing.
TEST(OpTokens, AMaskedClassWithoutWeightAddsNothing) {
  for (const Device& device : devices()) {
    Executor ex(device);
    const double masked = -std::numeric_limits<double>::infinity();
    const Value logits = numbers(ex, {1, 3}, {0, masked, 0});
    const Value rows = numbers(ex, {1, 3}, {0.5, 0, 0.5});
    const double loss = host_values(soft_cross_entropy(ex, logits, rows.tensor).tensor)[0];
    EXPECT_NEAR(loss, std::log(2.0), 4 * 0x1p-24) << device.name;
  }
}

}  // namespace
}  // namespace ffn::test
