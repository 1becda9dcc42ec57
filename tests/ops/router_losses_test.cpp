// Losses of a router where they are known, how they pass their input on, and jitter's numbers.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "ffn/base/philox.h"
#include "ffn/ops/arithmetic.h"
#include "ffn/ops/jitter.h"
#include "ffn/ops/normalise_rows.h"
#include "ffn/ops/rearrange.h"
#include "ffn/ops/router_losses.h"
#include "ffn/tensor/host.h"

namespace ffn::test {
namespace {

using Numbers = std::vector<double>;

Tensor tensor(Executor& ex, const Shape& shape, const Numbers& values, DType dtype = DType::f32) {
  Tensor made = ex.allocate({shape, dtype});
  set_host_values(made, values);
  return made;
}
Value numbers(Executor& ex, const Shape& shape, const Numbers& values) {
  return ex.constant(tensor(ex, shape, values));
}

std::vector<Device> devices() {
  std::vector<Device> all{reference_device()};
  for (const Isa isa : supported_isas()) all.push_back(cpu_device(serial_pool(), isa));
  return all;
}

double loss_of(const WithLoss& result) { return host_values(result.loss)[0]; }

// The coefficient as f32, which all of them start from.
constexpr float kCoefficient = 0.01f;

// f = 1 and P = 1/E everywhere: every number on the way is a power of two times the coefficient.
TEST(OpRouterLosses, PerfectBalanceCostsTheCoefficient) {
  for (const Device& device : devices()) {
    Executor ex(device);
    for (const std::int64_t S : {1, 2}) {
      const double each = 4.0 / static_cast<double>(S);  // N·K/E slots
      const Tensor load = tensor(ex, {S, 4}, Numbers(static_cast<std::size_t>(4 * S), each));
      const Value scores = numbers(ex, {8, 4}, Numbers(32, 0.25));
      EXPECT_EQ(loss_of(balance_loss(ex, scores, load, 2, false, kCoefficient)),
                static_cast<double>(kCoefficient))
          << device.name << " " << S << " sequences";
      const Value sigmoids = numbers(ex, {8, 4}, Numbers(32, 0.5));
      EXPECT_EQ(loss_of(balance_loss(ex, sigmoids, load, 2, true, kCoefficient)),
                static_cast<double>(kCoefficient))
          << device.name << " " << S << " sequences, normalised";
    }
  }
}

// Every row chooses one expert with probability 1: f = E and P = 1 there.
TEST(OpRouterLosses, CollapseCostsTheNumberOfExpertsTimesAsMuch) {
  Numbers one_hot(32, 0), quarter_hot(32, 0);
  for (std::size_t row = 0; row < 8; ++row) {
    one_hot[4 * row + 2] = 1;
    quarter_hot[4 * row + 2] = 0.25;
  }
  for (const Device& device : devices()) {
    Executor ex(device);
    const Tensor load = tensor(ex, {1, 4}, {0, 0, 8, 0});
    EXPECT_EQ(loss_of(balance_loss(ex, numbers(ex, {8, 4}, one_hot), load, 1, false, kCoefficient)),
              4 * static_cast<double>(kCoefficient))
        << device.name;
    EXPECT_EQ(
        loss_of(balance_loss(ex, numbers(ex, {8, 4}, quarter_hot), load, 1, true, kCoefficient)),
        4 * static_cast<double>(kCoefficient))
        << device.name << ", normalised";
  }
}

TEST(OpRouterLosses, ZLossOfZeroLogitsIsTheSquareOfTheLogarithmOfTheirNumber) {
  for (const Device& device : devices()) {
    Executor ex(device);
    const double found = loss_of(z_loss(ex, numbers(ex, {3, 6}, Numbers(18, 0)), kCoefficient));
    const double expected = static_cast<double>(kCoefficient) * std::log(6.0) * std::log(6.0);
    // The logarithm within 1e-10 and one rounding to f32.
    EXPECT_NEAR(found, expected, expected * (2e-10 + 0x1p-24)) << device.name;
  }
}

TEST(OpRouterLosses, EqualImportanceCostsNothing) {
  for (const Device& device : devices()) {
    Executor ex(device);
    const Value weights = numbers(ex, {6, 4}, Numbers(24, 0.25));
    for (const std::int64_t sequences : {1, 3})
      EXPECT_EQ(loss_of(importance_loss(ex, weights, {}, sequences, 0.25f, 1)), 0) << device.name;
    EXPECT_EQ(loss_of(importance_loss(ex, numbers(ex, {6, 4}, Numbers(24, 0)), {}, 2, 0, 1)), 0)
        << device.name << ": no importance at all";
  }
}

// Z = 1 ± delta, half of each: mean 1, variance 4·delta²/3. Expert 0 is of type 1, expert 1 of 0.
TEST(OpRouterLosses, TypesMoveImportanceApart) {
  for (const Device& device : devices()) {
    Executor ex(device);
    const Value weights = numbers(ex, {4, 2}, Numbers(8, 0.5));
    const Tensor same = tensor(ex, {2}, {1, 0}, DType::i32);
    const double equal = 4 * 0.25 * 0.25 / 3;
    EXPECT_NEAR(loss_of(importance_loss(ex, weights, same, 2, 0.25f, 1)), equal, equal * 0x1p-24)
        << device.name;
    // The first sequence has type 1 and uses expert 0 (type 1) alone: 2·(1 + delta), the rest is 0.
    const Value own = numbers(ex, {2, 2}, {1, 0, 1, 0});
    const Value other = numbers(ex, {2, 2}, {0, 1, 0, 1});
    const Tensor type_one = tensor(ex, {1}, {1}, DType::i32);
    // One entry of Z is 0: mean z/2, variance z²/2, so 2 whatever z is …
    EXPECT_EQ(loss_of(importance_loss(ex, own, type_one, 1, 0.5f, 1)), 2) << device.name;
    EXPECT_EQ(loss_of(importance_loss(ex, other, type_one, 1, 0.5f, 1)), 2) << device.name;
    // … and nothing where delta = 1 leaves only what is 0.
    EXPECT_EQ(loss_of(importance_loss(ex, other, type_one, 1, 1, 1)), 0) << device.name;
  }
}

TEST(OpRouterLosses, PassTheirInputOnAsAView) {
  Executor ex(cpu_device(serial_pool()));
  for (const bool recorded : {true, false}) {
    ex.set_recording(recorded);
    const Value x = ex.leaf(tensor(ex, {2, 3}, {1, 2, 3, 4, 5, 6}));
    const Tensor load = tensor(ex, {1, 3}, {1, 2, 1});
    for (const Value& y : {balance_loss(ex, x, load, 2, false, 1).value, z_loss(ex, x, 1).value,
                           importance_loss(ex, x, {}, 2, 0, 1).value}) {
      EXPECT_EQ(y.tensor.data(), x.tensor.data());
      EXPECT_EQ(y.shape(), x.shape());
      EXPECT_EQ(y.slot != nullptr, recorded);
    }
  }
}

constexpr std::int64_t N = 16, E = 32;  // N·E·4 = 2048 bytes, whole multiples of 64
constexpr std::int64_t kRows = N * E * 4;

// Dry: bytes are those of the run (plan_test.cpp).
class RouterMemory : public testing::Test {
 protected:
  Value leaf(const Shape& shape) { return ex.leaf(ex.allocate({shape, DType::f32})); }
  Tensor data(const Shape& shape) { return ex.allocate({shape, DType::f32}, Tag::data); }
  std::int64_t kept() { return ex.ledger().live_bytes(Tag::activations); }

  Executor ex{dry_device(reference_device())};
};

TEST_F(RouterMemory, WhatIsSaved) {
  balance_loss(ex, leaf({N, E}), data({2, E}), 2, true, 1);
  EXPECT_EQ(kept(), kRows) << "the scores";
  ex.clear_tape();
  z_loss(ex, leaf({N, E}), 1);
  EXPECT_EQ(kept(), kRows) << "the logits";
  ex.clear_tape();
  importance_loss(ex, leaf({N, E}), {}, 2, 0, 1);
  EXPECT_EQ(kept(), 2 * E * 4) << "the importance alone";
  ex.clear_tape();
  normalise_rows(ex, leaf({N, E}));
  EXPECT_EQ(kept(), 2 * kRows) << "x and y";
  ex.clear_tape();
  jitter(ex, leaf({N, E}), 0.5f, RandomStream(1));
  repeat_rows(ex, leaf({N, E}), 3);
  swap_blocks(ex, leaf({N, E}), 2, 4);
  EXPECT_EQ(kept(), 0);
}

// The caller's seed, and one copy that becomes dx on its way down.
TEST_F(RouterMemory, TheGradientStaysWhereItIs) {
  const Value x = leaf({N, E});
  Value y = importance_loss(ex, x, {}, 4, 0, 1).value;
  y = z_loss(ex, std::move(y), 1).value;
  y = scale(ex, balance_loss(ex, std::move(y), data({1, E}), 1, false, 1).value, 2);
  ex.reset_report();
  ex.backward(y, ex.allocate({y.shape(), DType::f32}, Tag::gradients));
  EXPECT_EQ(ex.ledger().peak_bytes(Tag::gradients), 2 * kRows);
}

// Gradients of a segment with random numbers and losses inside, stored or run again.
Numbers gradients_of_segment(const Device& device, MemoryMode memory) {
  Executor ex(device, memory);
  ex.set_step(11);
  const Value x = ex.leaf(tensor(ex, {2, 3}, {0.5, 1, 1.5, 0.25, 2, 1}));
  Values inputs;
  inputs.push_back(x);
  Values outputs = ex.segment(std::move(inputs), [](Executor& e, std::span<const Value> in) {
    Value noisy = jitter(e, in[0], 0.5f, RandomStream(3, "router"));
    noisy = z_loss(e, std::move(noisy), 0.5f).value;
    noisy = importance_loss(e, std::move(noisy), {}, 2, 0, 0.5f).value;
    Values out;
    out.push_back(normalise_rows(e, std::move(noisy)));
    return out;
  });
  const Tensor seed = tensor(ex, {2, 3}, {1, -1, 2, 0.5, 1, -2});
  ex.backward(outputs[0], seed);
  return host_values(ex.gradient(x));
}

TEST(OpRouterLosses, AReplayAddsTheSameGradientOnce) {
  for (const Device& device : devices()) {
    const Numbers stored = gradients_of_segment(device, MemoryMode::store);
    EXPECT_EQ(gradients_of_segment(device, MemoryMode::recompute), stored) << device.name;
  }
}

// Element i is x·(1 + amount·(2·word/2^32 − 1)) of word i at the executor's step.
TEST(OpJitter, FollowsTheStream) {
  constexpr float amount = 0.125f;
  const RandomStream stream(5, "router.jitter");
  for (const Device& device : devices()) {
    Executor ex(device);
    for (const std::uint64_t step : {std::uint64_t{0}, std::uint64_t{7}}) {
      ex.set_step(step);
      const Value y = jitter(ex, numbers(ex, {5, 13}, Numbers(65, 3)), amount, stream);
      const Numbers values = host_values(y.tensor);
      for (std::size_t i = 0; i < values.size(); ++i) {
        const double u = stream.word(step, i) * 0x1p-32;
        const double expected = 3 * (1 + static_cast<double>(amount) * (2 * u - 1));
        // Roundings of u, the factor and the product.
        EXPECT_NEAR(values[i], expected, 3 * 0x1p-24 * 3.375)
            << device.name << " step " << step << " element " << i;
      }
    }
  }
}

TEST(OpJitter, StaysWithinTheAmountAroundOne) {
  constexpr std::size_t kCount = 64 * 100;
  for (const Device& device : devices()) {
    Executor ex(device);
    for (const float amount : {0.01f, 0.5f}) {
      const Value y =
          jitter(ex, numbers(ex, {64, 100}, Numbers(kCount, 1)), amount, RandomStream(8, "jitter"));
      const Numbers values = host_values(y.tensor);
      const auto [least, most] = std::ranges::minmax(values);
      EXPECT_GE(least, static_cast<double>(1 - amount)) << device.name;
      EXPECT_LT(most, static_cast<double>(1 + amount)) << device.name;
      double mean = 0;
      for (const double value : values) mean += value / static_cast<double>(kCount);
      // A uniform number on [−a, a) has a deviation of a/√3; five of the mean's.
      const double deviation = static_cast<double>(amount) / std::sqrt(3.0 * kCount);
      EXPECT_NEAR(mean, 1, 5 * deviation) << device.name;
      EXPECT_LT(least, 1 - 0.99 * static_cast<double>(amount)) << "and uses all of it";
      EXPECT_GT(most, 1 + 0.99 * static_cast<double>(amount)) << "and uses all of it";
    }
  }
}

TEST(OpJitter, IsTheIdentityInEvalAndAtZero) {
  Executor ex(reference_device());
  const Value x = ex.leaf(tensor(ex, {2, 2}, {1, 2, 3, 4}));
  EXPECT_EQ(jitter(ex, x, 0, RandomStream(1)).slot, x.slot);
  ex.set_training(false);
  const Value y = jitter(ex, x, 0.5f, RandomStream(1));
  EXPECT_EQ(y.tensor.data(), x.tensor.data());
  EXPECT_EQ(y.slot, x.slot);
}

// x/x is 1 to the bit, and a row of zeros stays one.
TEST(OpNormaliseRows, OneColumnGivesTheScale) {
  for (const Device& device : devices()) {
    Executor ex(device);
    const Value x = numbers(ex, {4, 1}, {0.3, 1.7, 1e-3, 0});
    EXPECT_EQ(host_values(normalise_rows(ex, x).tensor), (Numbers{1, 1, 1, 0})) << device.name;
    EXPECT_EQ(host_values(normalise_rows(ex, x, 4).tensor), (Numbers{4, 4, 4, 0})) << device.name;
  }
}

TEST(OpRearrange, BlocksChangePlacesWhole) {
  for (const Device& device : devices()) {
    Executor ex(device);
    // Two sequences of three experts, two rows each: row = 100·sequence + 10·expert + row.
    Numbers by_sequence, by_expert;
    for (int s = 0; s < 2; ++s)
      for (int e = 0; e < 3; ++e)
        for (int row = 0; row < 2; ++row) by_sequence.push_back(100 * s + 10 * e + row);
    for (int e = 0; e < 3; ++e)
      for (int s = 0; s < 2; ++s)
        for (int row = 0; row < 2; ++row) by_expert.push_back(100 * s + 10 * e + row);
    const Value y = swap_blocks(ex, numbers(ex, {12, 1}, by_sequence), 2, 3);
    EXPECT_EQ(host_values(y.tensor), by_expert) << device.name;
    EXPECT_EQ(host_values(swap_blocks(ex, y, 3, 2).tensor), by_sequence) << device.name;
    const Value twice = repeat_rows(ex, numbers(ex, {2, 2}, {1, 2, 3, 4}), 2);
    EXPECT_EQ(host_values(twice.tensor), (Numbers{1, 2, 3, 4, 1, 2, 3, 4})) << device.name;
  }
}

}  // namespace
}  // namespace ffn::test
