// Gather, scatter and routing on every ISA against the reference.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "kernels_cpu/kernel_check.h"

namespace ffn::test {
namespace {

std::mt19937_64& generator() {
  static std::mt19937_64 random(6);
  return random;
}

OperandSpec input(DType dtype, Size size) {
  return {dtype, size.rows, size.cols, Role::input,
          random_values(generator(), dtype, size.rows * size.cols)};
}
OperandSpec output(DType dtype, Size size, std::function<double(double)> bound) {
  OperandSpec spec = input(dtype, size);
  spec.role = Role::output;
  spec.bound = std::move(bound);
  return spec;
}

// `count` indices in [−1, rows); none but −1 where there are no rows.
std::vector<std::int32_t> random_index(std::int64_t count, std::int64_t rows) {
  std::vector<std::int32_t> index;
  for (std::int64_t i = 0; i < count; ++i) {
    const auto choices = static_cast<std::uint64_t>(rows + 1);
    index.push_back(static_cast<std::int32_t>(generator()() % choices) - 1);
  }
  return index;
}

TEST(CpuIndexing, GatherRows) {
  for (const Size size : usual_sizes()) {
    for (const std::vector<DType>& types : storage_types(2, size)) {
      for (const bool accumulate : {false, true}) {
        const std::vector<std::int32_t> index = random_index(size.rows, 5);
        KernelCase c;
        c.name = describe("gather", size, types);
        c.operands = {input(types[0], {5, size.cols}),
                      output(types[1], size, within(accumulate ? 1 : 0, 0))};
        c.run = [&](const auto& table, const auto& ctx, auto m) {
          table.gather_rows(ctx, {m[0], index.data(), m[1], accumulate});
        };
        check_kernel(c);
      }
    }
  }
}

TEST(CpuIndexing, ScatterAddRows) {
  for (const Size size : usual_sizes()) {
    for (const std::vector<DType>& types : storage_types(2, size)) {
      for (const bool accumulate : {false, true}) {
        for (const std::int64_t targets : {4, 90}) {
          const std::vector<std::int32_t> index = random_index(size.rows, targets);
          // A row of y takes at most all rows of x, each below 2, and its old value.
          const auto chain = static_cast<double>(size.rows + 1);
          KernelCase c;
          c.name = describe("scatter", size, types);
          c.operands = {input(types[0], size), output(types[1], {targets, size.cols},
                                                      within(4 * std::sqrt(chain), 2 * chain))};
          c.run = [&](const auto& table, const auto& ctx, auto m) {
            table.scatter_add_rows(ctx, {m[0], index.data(), m[1], accumulate});
          };
          c.workspace_bytes = [=](const auto& table) {
            return table.scatter_add_rows_workspace(targets, size.cols, types[1]);
          };
          check_kernel(c);
        }
      }
    }
  }
}

std::int32_t* integers(const kernels::Matrix& m) { return static_cast<std::int32_t*>(m.data); }

const std::function<double(double)> kExact = [](double) { return 0.0; };

TEST(CpuRouting, TopKForward) {
  for (const Size size : {Size{0, 4}, {1, 1}, {7, 3}, {33, 8}, {200, 64}, {3, 700}}) {
    for (const std::vector<DType>& types : storage_types(2, size)) {
      for (const std::int64_t K :
           {std::int64_t{1}, std::min<std::int64_t>(2, size.cols), size.cols}) {
        OperandSpec logits = input(types[0], size);
        // Many ties: a third of the logits come from five values.
        for (double& value : logits.values) {
          if (generator()() % 3 == 0) value = static_cast<double>(generator()() % 5) / 4 - 0.5;
        }
        const std::int64_t slots = size.rows * K;
        // exp within 2.4 + 4 units of its argument's rounding, a sum of K such terms.
        const double error = 2 * (2.4 + 4 + 2) + static_cast<double>(K);
        KernelCase c;
        c.name = describe("top-" + std::to_string(K), size, types);
        c.operands = {logits,
                      output(types[1], {size.rows, K}, within(error, 0)),
                      {DType::i32, 1, slots, Role::output, {}, kExact},
                      {DType::i32, 1, slots, Role::output, {}, kExact},
                      {DType::i32, 1, slots, Role::output, {}, kExact},
                      {DType::i32, 1, size.cols + 1, Role::output, {}, kExact}};
        c.run = [=](const auto& table, const auto& ctx, auto m) {
          table.route_top_k_forward(
              ctx, {m[0], K, m[1], integers(m[2]), integers(m[3]), integers(m[4]), integers(m[5])});
        };
        check_kernel(c);
      }
    }
  }
}

TEST(CpuRouting, NotANumberStillRoutes) {
  for (const Isa isa : supported_isas()) {
    const float nan = std::nanf("");
    float logits[4] = {nan, 1, nan, 2}, weights[4];
    std::int32_t expert[4], order[4], token[4], offsets[5];
    kernels::cpu_table(isa).route_top_k_forward({}, {{logits, DType::f32, 1, 4, 4},
                                                     4,
                                                     {weights, DType::f32, 1, 4, 4},
                                                     expert,
                                                     order,
                                                     token,
                                                     offsets});
    EXPECT_EQ(std::vector<std::int32_t>(expert, expert + 4),
              (std::vector<std::int32_t>{3, 1, 0, 2}));
    EXPECT_EQ(offsets[4], 4);
  }
}

TEST(CpuRouting, TopKBackward) {
  for (const Size size : {Size{0, 4}, {1, 1}, {7, 3}, {33, 8}, {300, 64}, {3, 700}}) {
    for (const std::vector<DType>& types : storage_types(3, size)) {
      for (const bool accumulate : {false, true}) {
        const std::int64_t K = std::min<std::int64_t>(2, size.cols);
        std::vector<std::int32_t> expert;
        for (std::int64_t row = 0; row < size.rows; ++row) {
          for (std::int64_t k = 0; k < K; ++k) {
            expert.push_back(static_cast<std::int32_t>((row * 5 + k) % size.cols));
          }
        }
        // w·(dw − Σ w·dw): values below 2, a dot product of two terms below 4.
        KernelCase c;
        c.name = describe("top-k backward", size, types);
        c.operands = {input(types[0], {size.rows, K}), input(types[1], {size.rows, K}),
                      output(types[2], size, within(8, 20))};
        c.run = [&](const auto& table, const auto& ctx, auto m) {
          table.route_top_k_backward(ctx, {m[0], m[1], expert.data(), {m[2], accumulate}});
        };
        check_kernel(c);
      }
    }
  }
}

}  // namespace
}  // namespace ffn::test
