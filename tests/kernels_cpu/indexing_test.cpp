// Gather and scatter on every ISA against the reference.
#include <gtest/gtest.h>

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

}  // namespace
}  // namespace ffn::test
