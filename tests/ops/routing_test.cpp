// What the choices, slots and loads contain, and what follows from them for the rows they move.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "ffn/base/philox.h"
#include "ffn/ops/indexing.h"
#include "ffn/ops/routing.h"
#include "ffn/ops/view.h"
#include "ffn/tensor/host.h"

namespace ffn::test {
namespace {

using Numbers = std::vector<double>;

Tensor tensor(Executor& ex, const Shape& shape, const Numbers& values, DType dtype = DType::f32) {
  const Tensor result = ex.allocate({shape, dtype});
  set_host_values(result, values);
  return result;
}
Value numbers(Executor& ex, const Shape& shape, const Numbers& values) {
  return ex.constant(tensor(ex, shape, values));
}
Numbers random_numbers(std::int64_t count, std::string_view name) {
  const RandomStream stream(19, name);
  Numbers values;
  for (std::int64_t i = 0; i < count; ++i) {
    values.push_back(static_cast<double>(stream.uniform(0, static_cast<std::uint64_t>(i))) - 0.5);
  }
  return values;
}

std::vector<Device> devices() {
  std::vector<Device> all{reference_device()};
  for (const Isa isa : supported_isas()) all.push_back(cpu_device(serial_pool(), isa));
  return all;
}

// Ties go to the lower index; slots are sorted by (expert, slot); an expert without rows is empty.
TEST(OpRouting, ListsSlotsByExpert) {
  for (const Device& device : devices()) {
    Executor ex(device);
    const Value logits = numbers(ex, {3, 4}, {1, 3, 3, 0, 5, 1, 1, 1, 0, 2, 1, 2});
    const Routing routing = route_top_k(ex, logits, 2);
    EXPECT_EQ(host_values(routing.expert), (Numbers{1, 2, 0, 1, 1, 3})) << device.name;
    EXPECT_EQ(host_values(routing.order), (Numbers{2, 0, 3, 4, 1, 5})) << device.name;
    EXPECT_EQ(host_values(routing.token), (Numbers{1, 0, 1, 2, 0, 2})) << device.name;
    EXPECT_EQ(host_values(routing.offsets), (Numbers{0, 1, 4, 5, 6})) << device.name;
    const Numbers weights = host_values(routing.weights.tensor);
    EXPECT_EQ(weights[0], 0.5) << device.name;
    EXPECT_EQ(weights[4], 0.5) << device.name;
  }
}

// K = 1 gives weight 1 whatever the logit.
TEST(OpRouting, OneExpertPerTokenHasWeightOne) {
  Executor ex(reference_device());
  const Routing routing = route_top_k(ex, numbers(ex, {2, 3}, {1, 7, 2, -5, -9, -7}), 1);
  EXPECT_EQ(host_values(routing.weights.tensor), (Numbers{1, 1}));
  EXPECT_EQ(host_values(routing.expert), (Numbers{1, 0}));
}

// Identity experts: dispatch, then combine with weights that sum to 1, gives x back. Tolerance: one
// weight product each, K = 2 sums: 4 roundings of 2^-24 of |x| ≤ 4.
TEST(OpRouting, CombineUndoesDispatch) {
  for (const Device& device : devices()) {
    Executor ex(device);
    const Numbers x{1, -2, 3, 4, 0.5, -0.25};
    const Routing routing =
        route_top_k(ex, numbers(ex, {3, 4}, {1, 3, 3, 0, 5, 1, 1, 1, 0, 2, 1, 2}), 2);
    const Value rows = gather_rows(ex, numbers(ex, {3, 2}, x), routing.token);
    const Value flat = {routing.weights.tensor.reshape({6, 1}), nullptr};
    const Value weighted = scale_rows(ex, rows, gather_rows(ex, flat, routing.order));
    const Numbers back = host_values(scatter_add_rows(ex, weighted, routing.token, 3).tensor);
    for (std::size_t i = 0; i < x.size(); ++i)
      EXPECT_NEAR(back[i], x[i], 4 * 0x1p-24 * 4) << device.name;
  }
}

// Without weights every row comes back K times, exactly: whole numbers below 2^24.
TEST(OpRouting, EveryRowIsDispatchedToKExperts) {
  constexpr std::int64_t N = 37, E = 9, K = 4, D = 3;
  for (const Device& device : devices()) {
    Executor ex(device);
    const Tensor scores = tensor(ex, {N, E}, random_numbers(N * E, "scores"));
    Numbers x, expected;
    for (std::int64_t i = 0; i < N * D; ++i) {
      x.push_back(static_cast<double>(i - 50));
      expected.push_back(static_cast<double>(K * (i - 50)));
    }
    const Chosen chosen = choose_experts(ex, scores, {}, {K, 3, 2, 2});
    const Slots slots = sort_slots(ex, chosen.expert, E);
    const Value rows = gather_rows(ex, numbers(ex, {N, D}, x), slots.token);
    EXPECT_EQ(host_values(scatter_add_rows(ex, rows, slots.token, N).tensor), expected)
        << device.name;
  }
}

// The first C of the sorted slots of every expert, then −1.
TEST(OpRouting, CapacityKeepsTheFirstSlots) {
  constexpr std::int64_t N = 23, E = 5, K = 2, C = 6;
  for (const Device& device : devices()) {
    Executor ex(device);
    const Tensor scores = tensor(ex, {N, E}, random_numbers(N * E, "scores"));
    const Tensor expert = choose_experts(ex, scores, {}, {.k = K}).expert;
    const Slots all = sort_slots(ex, expert, E), some = sort_slots(ex, expert, E, C);
    const Numbers order = host_values(all.order), offsets = host_values(all.offsets);
    const Numbers kept = host_values(some.order), token = host_values(some.token);
    ASSERT_EQ(some.order.shape(), (Shape{E * C}));
    std::int64_t dropped = 0, empty = 0;
    for (std::size_t e = 0; e < E; ++e) {
      EXPECT_EQ(host_values(some.offsets)[e + 1], static_cast<double>((e + 1) * C));
      const auto begin = static_cast<std::size_t>(offsets[e]);
      const auto count = static_cast<std::size_t>(offsets[e + 1]) - begin;
      for (std::size_t c = 0; c < C; ++c) {
        const double slot = c < count ? order[begin + c] : -1;
        EXPECT_EQ(kept[e * C + c], slot) << device.name << " expert " << e << " place " << c;
        EXPECT_EQ(token[e * C + c], std::floor(slot / K));
        empty += slot < 0;
      }
      dropped += static_cast<std::int64_t>(count > C ? count - C : 0);
    }
    EXPECT_GT(dropped, 0) << "no expert was full: nothing was tested";
    EXPECT_GT(empty, 0) << "every expert was full";
  }
}

// A bias chooses, but the weights are those of the scores alone.
TEST(OpRouting, ABiasChoosesAndDoesNotWeigh) {
  for (const Device& device : devices()) {
    Executor ex(device);
    const Value scores = numbers(ex, {2, 3}, {0.5, 0.25, 0.125, 0.5, 0.25, 0.125});
    const Tensor bias = tensor(ex, {1, 3}, {-1, 0, 2});
    const Chosen chosen = choose_experts(ex, scores.tensor, bias, {.k = 2});
    EXPECT_EQ(host_values(chosen.expert), (Numbers{2, 1, 2, 1})) << device.name;
    EXPECT_EQ(host_values(chosen.place), (Numbers{2, 1, 5, 4})) << device.name;
    const Value weights = chosen_scores(ex, scores, chosen);
    EXPECT_EQ(weights.shape(), (Shape{2, 2}));
    EXPECT_EQ(host_values(weights.tensor), (Numbers{0.125, 0.25, 0.125, 0.25})) << device.name;
  }
}

// The bias that each load moves brings the experts' loads together: a choice that always falls on
// the same experts ends up spread over all. 16 rows, 2 of 8 experts each: the mean load is 4.
TEST(OpRouting, MovingTheBiasBalancesTheLoad) {
  constexpr std::int64_t N = 16, E = 8, K = 2;
  for (const Device& device : devices()) {
    Executor ex(device);
    Numbers values = random_numbers(N * E, "scores");
    for (std::size_t i = 0; i < values.size(); ++i) values[i] += i % E < 2 ? 2 : 0;
    const Tensor scores = tensor(ex, {N, E}, values);
    Tensor bias = tensor(ex, {1, E}, Numbers(E, 0));
    Numbers first, last;
    for (int step = 0; step < 100; ++step) {
      const Tensor expert = choose_experts(ex, scores, bias, {.k = K}).expert;
      const Tensor load = expert_load(ex, expert, E, 4, DType::f32);
      last = Numbers(E, 0);
      const Numbers by_sequence = host_values(load);
      for (std::size_t i = 0; i < by_sequence.size(); ++i) last[i % E] += by_sequence[i];
      if (step == 0) first = last;
      bias = move_bias(ex, bias, load, 0.03125f);
    }
    EXPECT_EQ(*std::ranges::max_element(first), 16) << device.name;
    EXPECT_LE(*std::ranges::max_element(last), 6) << device.name;
    EXPECT_GE(*std::ranges::min_element(last), 2) << device.name;
  }
}

TEST(OpRouting, ExpertsChooseTokens) {
  for (const Device& device : devices()) {
    Executor ex(device);
    const Tensor scores =
        tensor(ex, {6, 2}, {1, 0, 3, 0, 2, 0, std::nan(""), -1, 5, -2, 5, std::nan("")});
    const Slots slots = choose_tokens(ex, scores, 2, 2);
    EXPECT_EQ(host_values(slots.token), (Numbers{1, 2, 4, 5, 0, 1, 3, 4})) << device.name;
    EXPECT_EQ(host_values(slots.order), (Numbers{2, 4, 8, 10, 1, 3, 7, 9})) << device.name;
    EXPECT_EQ(host_values(slots.offsets), (Numbers{0, 4, 8})) << device.name;
  }
}

// Indices are not recorded: the tape holds what the weights need, and nothing else.
TEST(OpRouting, ChoicesLeaveNoNode) {
  Executor ex(dry_device(reference_device()));
  constexpr std::int64_t N = 64, E = 16, K = 4;  // sizes without rounding to 64 bytes
  const Value logits = ex.leaf(ex.allocate({{N, E}, DType::f32}, Tag::data));
  choose_experts(ex, logits.tensor, {}, {.k = K});
  choose_tokens(ex, logits.tensor, 2, 8);
  EXPECT_EQ(ex.ledger().live_bytes(Tag::activations), 0);
  const Value weights = route_top_k(ex, logits, K).weights;
  // softmax keeps its output, the gather its places.
  EXPECT_EQ(ex.ledger().live_bytes(Tag::activations), 2 * N * K * 4);
}

}  // namespace
}  // namespace ffn::test
