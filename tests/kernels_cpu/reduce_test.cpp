// Sums of squares on every ISA against the reference. Both add n positive numbers in double, in
// other orders: each errs by at most n·2^-53 of the sum.
#include <gtest/gtest.h>

#include <cmath>
#include <memory>
#include <vector>

#include "kernels_cpu/kernel_check.h"

namespace ffn::test {
namespace {

double sum_squares(const kernels::KernelTable& table, ThreadPool* threads,
                   const kernels::ConstMatrix& x) {
  const std::int64_t bytes = table.sum_squares_workspace(x.rows, x.cols);
  std::vector<double> workspace(static_cast<std::size_t>(bytes) / sizeof(double), NAN);
  double sum = NAN;
  table.sum_squares({threads, reinterpret_cast<std::byte*>(workspace.data()), bytes},
                    {x, {&sum, DType::f64, 1, 1, 1}});
  return sum;
}

TEST(CpuReduce, SumSquaresEqualsTheReferenceForAnyThreads) {
  std::mt19937_64 random(3);
  std::vector<Size> sizes = usual_sizes();
  // Around a chunk of 4096, several chunks, and an arena.
  for (const std::int64_t cols : {4095, 4096, 4097, 12289, 300'000}) sizes.push_back({1, cols});
  for (const Size size : sizes) {
    for (const DType dtype : {DType::f32, DType::bf16}) {
      for (const std::int64_t padding : {0, 5}) {
        Operand x(dtype, size.rows, size.cols, padding);
        x.set(random_values(random, dtype, size.rows * size.cols, 100));
        const double expected = sum_squares(kernels::reference_table(), nullptr, x.matrix());
        const auto terms = static_cast<double>(size.rows * size.cols);
        for (const Isa isa : supported_isas()) {
          const kernels::KernelTable& table = kernels::cpu_table(isa);
          const double serial = sum_squares(table, nullptr, x.matrix());
          EXPECT_NEAR(serial, expected, 2 * terms * 0x1p-53 * expected)
              << to_string(isa) << " " << describe("sum of squares", size, {dtype});
          for (const int threads : {1, 2, 3, 5}) {
            const auto pool = make_thread_pool(threads);
            EXPECT_EQ(sum_squares(table, pool.get(), x.matrix()), serial);
          }
        }
        EXPECT_TRUE(x.intact());
      }
    }
  }
}

TEST(CpuReduce, HugeValuesDoNotOverflowAndBadOnesShow) {
  for (const Isa isa : supported_isas()) {
    const kernels::KernelTable& table = kernels::cpu_table(isa);
    std::vector<float> x(5000, 3e38f);
    const kernels::ConstMatrix matrix{x.data(), DType::f32, 1, 5000, 5000};
    const double square = static_cast<double>(3e38f) * static_cast<double>(3e38f);
    EXPECT_NEAR(sum_squares(table, nullptr, matrix) / (5000 * square), 1, 5000 * 0x1p-53);
    x[4999] = HUGE_VALF;
    EXPECT_EQ(sum_squares(table, nullptr, matrix), HUGE_VAL);
    x[17] = NAN;
    EXPECT_TRUE(std::isnan(sum_squares(table, nullptr, matrix)));
  }
}

}  // namespace
}  // namespace ffn::test
