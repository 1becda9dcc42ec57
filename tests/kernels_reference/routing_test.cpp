// The choice of experts and tokens, slots and loads: by hand, and the gradient of what is chosen.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <memory>

#include "kernels_reference/pair_check.h"

namespace ffn::test {
namespace {

using namespace ffn::kernels;
using Integers = std::vector<std::int32_t>;
using Values = std::vector<double>;

const KernelTable& table = reference_table();
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

struct Options {
  std::int64_t k = 1, groups = 1, top_groups = 1, group_terms = 1;
};

// The chosen experts; that their places are n·E + expert is checked on the way.
Integers choose(Operand& scores, const ConstMatrix& bias, const Options& options) {
  const std::int64_t E = scores.cols(), K = options.k;
  Integers expert(static_cast<std::size_t>(scores.rows() * K), -7), place = expert;
  table.choose_experts(Launch{}, {scores.view(), bias, K, options.groups, options.top_groups,
                                  options.group_terms, expert.data(), place.data()});
  for (std::size_t i = 0; i < expert.size(); ++i) {
    EXPECT_EQ(place[i], static_cast<std::int64_t>(i) / K * E + expert[i]) << i;
  }
  return expert;
}
Integers choose_in_row(const Values& scores, const Options& options, const Values& bias = {}) {
  const auto E = static_cast<std::int64_t>(scores.size());
  Operand row(DType::f64, 1, E, scores);
  if (bias.empty()) return choose(row, {}, options);
  Operand added(DType::f64, 1, E, bias);
  return choose(row, added.view(), options);
}

struct Sorted {
  Integers order, token, offsets;
};
Sorted sort(const Integers& expert, std::int64_t k, std::int64_t experts, std::int64_t capacity) {
  const std::size_t slots =
      capacity > 0 ? static_cast<std::size_t>(experts * capacity) : expert.size();
  Sorted sorted{Integers(slots, -7), Integers(slots, -7),
                Integers(static_cast<std::size_t>(experts + 1), -7)};
  const auto rows = static_cast<std::int64_t>(expert.size()) / k;
  table.sort_slots(Launch{}, {expert.data(), rows, k, experts, capacity, sorted.order.data(),
                              sorted.token.data(), sorted.offsets.data()});
  return sorted;
}

TEST(Routing, TiesGoToTheLowerExpert) {
  // Row 0: ties between 1 and 3, and 0 and 2. Row 1: falling from the last. Row 2: all equal.
  Operand scores(DType::f64, 3, 4, Values{1, 5, 1, 5, 0, 1, 2, 3, -1, -1, -1, -1});
  const Integers expert = choose(scores, {}, {.k = 3});
  EXPECT_EQ(expert, (Integers{1, 3, 0, 3, 2, 1, 0, 1, 2}));
  // Slots of expert 0: 2, 6; of 1: 0, 5, 7; of 2: 4, 8; of 3: 1, 3.
  const Sorted sorted = sort(expert, 3, 4, 0);
  EXPECT_EQ(sorted.order, (Integers{2, 6, 0, 5, 7, 4, 8, 1, 3}));
  EXPECT_EQ(sorted.token, (Integers{0, 2, 0, 1, 2, 1, 2, 0, 1}));
  EXPECT_EQ(sorted.offsets, (Integers{0, 2, 5, 7, 9}));
}

TEST(Routing, TheRealPartChooses) {
  Operand scores(DType::c128, 1, 3);
  scores.set(0, 0, {1, 9});
  scores.set(0, 1, {2, -9});
  scores.set(0, 2, {1.5, 50});
  EXPECT_EQ(choose(scores, {}, {.k = 3}), (Integers{1, 2, 0}));
}

TEST(Routing, ABiasMovesTheChoice) {
  EXPECT_EQ(choose_in_row({0.5, 0.25, 0.75, 0}, {.k = 2}), (Integers{2, 0}));
  EXPECT_EQ(choose_in_row({0.5, 0.25, 0.75, 0}, {.k = 2}, {0, 1, -1, 0.5}), (Integers{1, 0}));
}

TEST(Routing, NotANumberAndInfinityAreChosenLast) {
  EXPECT_EQ(choose_in_row({kNaN, 1, -kInfinity, 2}, {.k = 4}), (Integers{3, 1, 0, 2}));
  EXPECT_EQ(choose_in_row({kInfinity, 1, kInfinity}, {.k = 2}, {-kInfinity, 0, 0}),
            (Integers{2, 1}));
}

// Three groups of two. The best of each: 5, 3, 4; the sums of both: 5, 6, 5.5.
TEST(Routing, GroupsAreRankedByTheirLargest) {
  const Values scores{5, 0, 3, 3, 4, 1.5};
  EXPECT_EQ(choose_in_row(scores, {.k = 3}), (Integers{0, 4, 2}));
  EXPECT_EQ(choose_in_row(scores, {3, 3, 2, 1}), (Integers{0, 4, 5}));
  EXPECT_EQ(choose_in_row(scores, {3, 3, 2, 2}), (Integers{4, 2, 3}));
  EXPECT_EQ(choose_in_row(scores, {2, 3, 1, 2}), (Integers{2, 3}));
  // The bias ranks groups too: 5 + 6 of the first against 6 and 5.5.
  EXPECT_EQ(choose_in_row(scores, {2, 3, 1, 2}, {0, 6, 0, 0, 0, 0}), (Integers{1, 0}));
  EXPECT_EQ(choose_in_row(Values(6, 1), {3, 3, 2, 2}), (Integers{0, 1, 2})) << "a tie of groups";
  EXPECT_EQ(choose_in_row({kInfinity, -kInfinity, 1, 1}, {1, 2, 1, 2}), Integers{2})
      << "a group whose sum is no number counts as −∞";
}

TEST(Routing, CapacityKeepsTheFirstSlots) {
  const Integers expert{1, 0, 1, 2, 1, 1, 0, 1};  // of 0: slots 1, 6; of 1: 0, 2, 4, 5, 7; of 2: 3
  const Sorted three = sort(expert, 2, 3, 3);
  EXPECT_EQ(three.order, (Integers{1, 6, -1, 0, 2, 4, 3, -1, -1}));
  EXPECT_EQ(three.token, (Integers{0, 3, -1, 0, 1, 2, 1, -1, -1}));
  EXPECT_EQ(three.offsets, (Integers{0, 3, 6, 9}));
  EXPECT_EQ(sort(expert, 2, 3, 1).order, (Integers{1, 0, 3}));
  EXPECT_EQ(sort({}, 2, 3, 2).token, Integers(6, -1));
}

struct Tokens {
  Integers token, place, offsets;
};
Tokens choose_tokens(Operand& scores, std::int64_t sequences, std::int64_t capacity) {
  const std::int64_t E = scores.cols();
  const Integers none(static_cast<std::size_t>(E * sequences * capacity), -7);
  Tokens tokens{none, none, Integers(static_cast<std::size_t>(E + 1), -7)};
  table.choose_tokens(Launch{}, {scores.view(), sequences, capacity, tokens.token.data(),
                                 tokens.place.data(), tokens.offsets.data()});
  return tokens;
}

TEST(Routing, ExpertsChooseTokensOfEverySequence) {
  // By column: 1 3 2 | NaN 5 5 and 0 0 0 | −1 −∞ NaN.
  Operand scores(DType::f64, 6, 2, Values{1, 0, 3, 0, 2, 0, kNaN, -1, 5, -kInfinity, 5, kNaN});
  const Tokens two = choose_tokens(scores, 2, 2);
  EXPECT_EQ(two.token, (Integers{1, 2, 4, 5, 0, 1, 3, 4}));
  EXPECT_EQ(two.place, (Integers{2, 4, 8, 10, 1, 3, 7, 9}));
  EXPECT_EQ(two.offsets, (Integers{0, 4, 8}));
  const Tokens all = choose_tokens(scores, 1, 6);
  EXPECT_EQ(all.token, (Integers{4, 5, 1, 2, 0, 3, 0, 1, 2, 3, 4, 5}));
  EXPECT_EQ(all.offsets, (Integers{0, 6, 12}));
}

TEST(Routing, LoadsAreCountedBySequence) {
  const Integers expert{1, 0, 1, 2, 1, 1, 0, 1};
  Operand load(DType::f32, 2, 3), whole(DType::c128, 1, 3);
  table.expert_load(Launch{}, {expert.data(), 4, 2, load.matrix()});
  EXPECT_EQ(load.values(), (Values{1, 2, 1, 1, 3, 0}));
  table.expert_load(Launch{}, {expert.data(), 4, 2, whole.matrix()});
  EXPECT_EQ(whole.values(), (Values{2, 5, 1}));
}

// Loads 4, 2, 2, 8 against a mean of 4.
TEST(Routing, TheBiasMovesTowardsTheMean) {
  Operand load(DType::f64, 2, 4, Values{3, 1, 0, 4, 1, 1, 2, 4});
  Operand bias(DType::f64, 1, 4, Values{1, -1, 0, 2}), y(DType::f64, 1, 4);
  table.move_bias(Launch{}, {bias.view(), load.view(), y.matrix(), 0.5f});
  EXPECT_EQ(y.values(), (Values{1, -0.5, 0.5, 1.5}));
  table.move_bias(Launch{}, {bias.view(), load.view(), bias.matrix(), 0.5f});
  EXPECT_EQ(bias.values(), y.values()) << "in place";
}

// softmax over the gathered scores: how weights of chosen experts get their gradient.
TEST(RoutingGradient, ReachesTheChosenScores) {
  struct Case {
    std::int64_t rows, experts;
    Options options;
  };
  for (const Case& c : {Case{1, 1, {1}}, Case{3, 5, {1}}, Case{4, 2, {2}}, Case{7, 9, {3}},
                        Case{5, 8, {3, 4, 2, 2}}}) {
    const std::int64_t E = c.experts, K = c.options.k, places = c.rows * E, slots = c.rows * K;
    auto place = std::make_shared<Integers>(static_cast<std::size_t>(slots));
    const auto column = [](Values& of, DType dtype, std::int64_t rows) {
      return Matrix{of.data(), dtype, rows, 1, 1};
    };
    Pair pair;
    pair.inputs = {{c.rows, E}};
    pair.outputs = {{c.rows, K}};
    if (K == 1) pair.zero_gradient = {0};  // the only weight is 1
    pair.forward = [=](Operands& in, Operands& out) {
      const DType dtype = in[0].view().dtype;
      Integers expert(static_cast<std::size_t>(slots));
      table.choose_experts(Launch{}, {in[0].view(),
                                      {},
                                      K,
                                      c.options.groups,
                                      c.options.top_groups,
                                      c.options.group_terms,
                                      expert.data(),
                                      place->data()});
      // Room for complex numbers; places count in packed rows.
      Values packed(static_cast<std::size_t>(2 * places)),
          chosen(static_cast<std::size_t>(2 * slots));
      table.copy(Launch{}, {in[0].view(), {packed.data(), dtype, c.rows, E, E}});
      table.gather_rows(Launch{}, {column(packed, dtype, places), place->data(),
                                   column(chosen, dtype, slots), false});
      table.softmax_forward(Launch{}, {{chosen.data(), dtype, c.rows, K, K}, out[0].matrix()});
    };
    pair.backward = [=](Operands&, Operands& out, Operands& dout, const auto& din) {
      if (din[0].to.data == nullptr) return;
      Values dchosen(static_cast<std::size_t>(slots)), dpacked(static_cast<std::size_t>(places));
      table.softmax_backward(
          Launch{},
          {out[0].view(), dout[0].view(), {{dchosen.data(), DType::f64, c.rows, K, K}, false}, 1});
      Launch launch;
      table.scatter_add_rows(launch, {column(dchosen, DType::f64, slots), place->data(),
                                      column(dpacked, DType::f64, places), false});
      table.copy(Launch{},
                 {{dpacked.data(), DType::f64, c.rows, E, E}, din[0].to, 1, din[0].accumulate});
    };
    expect_pair(pair, 53);
  }
}

}  // namespace
}  // namespace ffn::test
