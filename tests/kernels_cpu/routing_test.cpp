// The choice of experts and tokens, slots, loads and the moved bias: on every ISA exactly what the
// reference gives.
#include <gtest/gtest.h>

#include <algorithm>
#include <limits>

#include "kernels_cpu/kernel_check.h"

namespace ffn::test {
namespace {

std::mt19937_64& generator() {
  static std::mt19937_64 random(8);
  return random;
}
std::int64_t below(std::int64_t bound) {
  return static_cast<std::int64_t>(generator()() % static_cast<std::uint64_t>(bound));
}

std::int32_t* integers(const kernels::Matrix& m) { return static_cast<std::int32_t*>(m.data); }

const std::function<double(double)> kExact = [](double) { return 0.0; };

OperandSpec index_output(std::int64_t count) {
  return {DType::i32, 1, count, Role::output, {}, kExact};
}

// Scores with many ties, some of them without a number or infinite.
OperandSpec scores(DType dtype, Size size) {
  OperandSpec spec{dtype, size.rows, size.cols, Role::input,
                   random_values(generator(), dtype, size.rows * size.cols)};
  constexpr double kOdd[] = {std::numeric_limits<double>::quiet_NaN(),
                             std::numeric_limits<double>::infinity(),
                             -std::numeric_limits<double>::infinity(), -0.0, 0.0};
  for (double& value : spec.values) {
    if (below(3) == 0) value = static_cast<double>(below(5)) / 4 - 0.5;
    if (below(20) == 0) value = kOdd[below(5)];
  }
  return spec;
}

// Differences far below an f32 ulp of the scores: they decide between equal ones.
OperandSpec tiny_bias(std::int64_t experts) {
  OperandSpec spec{DType::f32, 1, experts, Role::input, {}};
  for (std::int64_t e = 0; e < experts; ++e) {
    spec.values.push_back(static_cast<double>(below(7) - 3) * 0x1p-40);
  }
  return spec;
}

struct Choice {
  std::int64_t k, groups = 1, top_groups = 1, group_terms = 1;
};

void check_choice(Size size, DType dtype, const Choice& choice, bool with_bias) {
  const std::int64_t slots = size.rows * choice.k;
  KernelCase c;
  c.name = describe("top-" + std::to_string(choice.k) + " of the best " +
                        std::to_string(choice.top_groups) + " of " + std::to_string(choice.groups) +
                        " groups" + (with_bias ? ", bias" : ""),
                    size, {dtype});
  c.operands = {scores(dtype, size), tiny_bias(size.cols), index_output(slots),
                index_output(slots)};
  c.run = [=](const auto& table, const auto& ctx, auto m) {
    const kernels::ConstMatrix bias = with_bias ? m[1] : kernels::ConstMatrix{};
    table.choose_experts(ctx, {m[0], bias, choice.k, choice.groups, choice.top_groups,
                               choice.group_terms, integers(m[2]), integers(m[3])});
  };
  check_kernel(c);
}

TEST(CpuRouting, ChooseExperts) {
  for (const Size size : {Size{0, 4}, {1, 1}, {7, 3}, {33, 8}, {200, 64}, {500, 17}, {3, 700}}) {
    for (const std::int64_t k :
         {std::int64_t{1}, std::min<std::int64_t>(2, size.cols), size.cols}) {
      for (const DType dtype : {DType::f32, DType::bf16}) {
        for (const bool with_bias : {false, true}) check_choice(size, dtype, {k}, with_bias);
      }
    }
  }
}

TEST(CpuRouting, ChooseExpertsInGroups) {
  struct Case {
    Size size;
    Choice choice;
  };
  for (const Case& c : {Case{{33, 8}, {3, 4, 2, 2}},
                        {{200, 64}, {6, 8, 4, 2}},
                        {{200, 64}, {8, 8, 3, 1}},
                        {{50, 12}, {4, 3, 1, 4}},
                        {{9, 9}, {4, 9, 4, 1}},
                        {{20, 6}, {3, 2, 2, 2}},
                        {{0, 8}, {2, 4, 2, 2}},
                        {{5, 700}, {20, 70, 11, 3}}}) {
    for (const DType dtype : {DType::f32, DType::bf16}) {
      for (const bool with_bias : {false, true}) check_choice(c.size, dtype, c.choice, with_bias);
    }
  }
}

std::vector<std::int32_t> random_experts(std::int64_t slots, std::int64_t experts) {
  std::vector<std::int32_t> expert;
  for (std::int64_t slot = 0; slot < slots; ++slot) {
    // Uneven, so that some are full while others stay empty.
    expert.push_back(static_cast<std::int32_t>(below(below(experts) + 1)));
  }
  return expert;
}

TEST(CpuRouting, SortSlots) {
  struct Case {
    std::int64_t rows, k, experts;
  };
  for (const Case& s :
       {Case{0, 2, 4}, {1, 1, 1}, {7, 2, 3}, {33, 4, 9}, {500, 2, 64}, {50, 5, 5}}) {
    const std::vector<std::int32_t> expert = random_experts(s.rows * s.k, s.experts);
    for (const std::int64_t capacity : {0, 1, 5, 600}) {
      const std::int64_t positions = capacity > 0 ? s.experts * capacity : s.rows * s.k;
      KernelCase c;
      c.name = describe("slots, capacity " + std::to_string(capacity), {s.rows, s.k}, {});
      c.operands = {index_output(positions), index_output(positions), index_output(s.experts + 1)};
      c.run = [&](const auto& table, const auto& ctx, auto m) {
        table.sort_slots(ctx, {expert.data(), s.rows, s.k, s.experts, capacity, integers(m[0]),
                               integers(m[1]), integers(m[2])});
      };
      check_kernel(c);
    }
  }
}

void check_tokens(const OperandSpec& from, std::int64_t sequences, std::int64_t capacity) {
  const std::int64_t positions = from.cols * sequences * capacity;
  KernelCase c;
  c.name = describe("the best " + std::to_string(capacity) + " of each of " +
                        std::to_string(sequences) + " sequences",
                    {from.rows, from.cols}, {from.dtype});
  c.operands = {from, index_output(positions), index_output(positions),
                index_output(from.cols + 1)};
  c.run = [=](const auto& table, const auto& ctx, auto m) {
    table.choose_tokens(
        ctx, {m[0], sequences, capacity, integers(m[1]), integers(m[2]), integers(m[3])});
  };
  check_kernel(c);
}

TEST(CpuRouting, ChooseTokens) {
  struct Case {
    Size size;
    std::int64_t sequences;
    std::vector<std::int64_t> capacities;
  };
  const std::vector<Case> cases = {{{0, 3}, 0, {0}},
                                   {{0, 4}, 2, {0}},
                                   {{1, 1}, 1, {1}},
                                   {{6, 2}, 2, {1, 2, 3}},
                                   {{33, 5}, 1, {1, 7, 33}},
                                   {{12, 3}, 12, {1}},
                                   {{300, 8}, 3, {1, 2, 64, 99, 100}},
                                   {{2500, 17}, 1, {3, 200}}};
  for (const Case& c : cases) {
    for (const std::int64_t capacity : c.capacities) {
      for (const DType dtype : {DType::f32, DType::bf16}) {
        check_tokens(scores(dtype, c.size), c.sequences, capacity);
      }
    }
  }
}

// Every row displaces the worst that is kept, or none does.
TEST(CpuRouting, ChooseTokensOfSortedColumns) {
  constexpr std::int64_t N = 600;
  OperandSpec from{DType::f32, N, 2, Role::input, {}};
  for (std::int64_t n = 0; n < N; ++n) {
    from.values.push_back(static_cast<double>(n));
    from.values.push_back(static_cast<double>(N - n));
  }
  for (const std::int64_t capacity : {1, 50, 600}) check_tokens(from, 1, capacity);
}

TEST(CpuRouting, ExpertLoad) {
  struct Case {
    std::int64_t rows, k, experts, sequences;
  };
  for (const Case& s : {Case{0, 2, 4, 0},
                        {0, 2, 4, 3},
                        {1, 1, 1, 1},
                        {12, 2, 7, 4},
                        {900, 3, 33, 9},
                        {900, 3, 64, 1}}) {
    const std::vector<std::int32_t> expert = random_experts(s.rows * s.k, s.experts);
    KernelCase c;
    c.name = describe("load", {s.rows, s.k}, {});
    c.operands = {{DType::f32, s.sequences, s.experts, Role::output, {}, kExact}};
    c.run = [&](const auto& table, const auto& ctx, auto m) {
      table.expert_load(ctx, {expert.data(), s.rows, s.k, m[0]});
    };
    check_kernel(c);
  }
}

TEST(CpuRouting, MoveBias) {
  for (const Size size : {Size{0, 4}, {1, 1}, {1, 7}, {3, 17}, {9, 64}}) {
    OperandSpec load{DType::f32, size.rows, size.cols, Role::input, {}};
    for (std::int64_t i = 0; i < size.rows * size.cols; ++i) {
      load.values.push_back(static_cast<double>(below(4)));
    }
    const std::vector<double> bias = random_values(generator(), DType::f32, size.cols);
    KernelCase c;
    c.name = describe("moved bias", size, {});
    c.operands = {{DType::f32, 1, size.cols, Role::input, bias},
                  load,
                  {DType::f32, 1, size.cols, Role::output, {}, kExact}};
    c.alias_output = 2;
    c.alias_input = 0;
    c.run = [](const auto& table, const auto& ctx, auto m) {
      table.move_bias(ctx, {m[0], m[1], m[2], 0.001f});
    };
    check_kernel(c);
  }
}

}  // namespace
}  // namespace ffn::test
