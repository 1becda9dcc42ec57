// Sums over rows, with integers (exact) and with reals (bounded).
#include "kernels_product/matrix.h"

namespace ffn::test {
namespace {

using kernels::cpu_table;

struct SumSize {
  std::int64_t period, repeats, cols;
};
constexpr SumSize kSizes[] = {{1, 0, 5},    {1, 1, 1},   {1, 63, 7},   {1, 64, 8},   {1, 65, 9},
                              {1, 129, 33}, {3, 20, 65}, {0, 0, 4},    {7, 1, 16},   {1, 300, 130},
                              {2, 70, 15},  {1, 10, 0},  {5, 130, 31}, {1, 500, 300}};

class RowSum : public testing::TestWithParam<Isa> {
 protected:
  Stored run(const Stored& x, const Stored& y, bool accumulate, ThreadPool* pool) const {
    Stored out = y;
    Workspace workspace(table_.row_sum_workspace(x.rows(), x.cols(), y.rows()));
    table_.row_sum(workspace.context(pool), {x.view(), out.matrix(), accumulate});
    EXPECT_TRUE(workspace.guards_intact());
    EXPECT_TRUE(out.gaps_untouched());
    return out;
  }
  const KernelTable& table_ = cpu_table(GetParam());
};
INSTANTIATE_TEST_SUITE_P(Isas, RowSum, testing::ValuesIn(supported_isas()), isa_name);

// y, or 0, plus the rows of x of each expert.
std::vector<double> by_expert(const Stored& x, const Stored& y,
                              const std::vector<std::int32_t>& offsets, bool accumulate) {
  const std::vector<double> xv = x.values();
  std::vector<double> sums = y.values();
  if (!accumulate) std::fill(sums.begin(), sums.end(), 0.0);
  const std::int64_t cols = x.cols();
  for (std::size_t e = 0; e + 1 < offsets.size(); ++e) {
    for (std::int64_t row = offsets[e]; row < offsets[e + 1]; ++row) {
      for (std::int64_t col = 0; col < cols; ++col) {
        sums[e * static_cast<std::size_t>(cols) + static_cast<std::size_t>(col)] +=
            xv[static_cast<std::size_t>(row * cols + col)];
      }
    }
  }
  return sums;
}

TEST_P(RowSum, Exact) {
  std::mt19937 random(7);
  const std::unique_ptr<ThreadPool> pool = make_thread_pool(3);
  for (const DType from : {DType::f32, DType::bf16}) {
    for (const DType to : {DType::f32, DType::bf16}) {
      for (const SumSize& size : kSizes) {
        for (const bool accumulate : {false, true}) {
          Stored x(from, size.period * size.repeats, size.cols, 3),
              y(to, size.period, size.cols, 2);
          x.fill_integers(random);
          if (accumulate) y.fill_integers(random);
          const std::vector<double> xv = x.values();
          std::vector<double> expected = y.values();
          if (!accumulate) std::fill(expected.begin(), expected.end(), 0.0);
          for (std::size_t i = 0; i < xv.size(); ++i) expected[i % expected.size()] += xv[i];
          const std::vector<double> got = run(x, y, accumulate, pool.get()).values();
          ASSERT_EQ(got.size(), expected.size());
          for (std::size_t i = 0; i < got.size(); ++i) {
            ASSERT_EQ(got[i], stored_value(to, expected[i]))
                << size.period << "x" << size.repeats << "x" << size.cols << " element " << i;
          }
        }
      }
    }
  }
}

// Runs of 64 rows are summed, then the runs: |error| ≤ γ(64 + rows/64 + 1)·Σ|x|. Summing 20,000
// rows one after the other would exceed it.
TEST_P(RowSum, ErrorGrowsWithTheSquareRootOfRows) {
  constexpr std::int64_t kRows = 20000;
  Stored x(DType::f32, kRows, 3, 0), y(DType::f32, 1, 3, 0);
  for (std::int64_t r = 0; r < kRows; ++r) {
    for (std::int64_t c = 0; c < 3; ++c) x.put(r, c, 1.0f / 3.0f + static_cast<float>(c));
  }
  const std::vector<double> xv = x.values(), got = run(x, y, false, nullptr).values();
  const double n = (64 + kRows / 64.0 + 1) * 0x1p-24, gamma = n / (1 - n);
  for (std::size_t c = 0; c < 3; ++c) {
    const double exact = xv[c] * kRows;
    EXPECT_LE(std::abs(got[c] - exact), gamma * exact) << "column " << c;
  }
}

// Experts without rows get zero, or keep what they have.
TEST_P(RowSum, ByExpertExact) {
  std::mt19937 random(13);
  const std::unique_ptr<ThreadPool> pool = make_thread_pool(3);
  const std::vector<std::vector<std::int32_t>> ends = {
      {0, 0}, {0, 5}, {0, 3, 3, 4}, {0, 0, 65, 130, 130, 500}};
  for (const DType from : {DType::f32, DType::bf16}) {
    for (const DType to : {DType::f32, DType::bf16}) {
      for (const std::int64_t cols : {1, 7, 16, 65, 300}) {
        for (const std::vector<std::int32_t>& offsets : ends) {
          for (const bool accumulate : {false, true}) {
            const auto experts = static_cast<std::int64_t>(offsets.size()) - 1;
            Stored x(from, offsets.back(), cols, 3), y(to, experts, cols, 2);
            x.fill_integers(random);
            y.fill_integers(random);
            const std::vector<double> expected = by_expert(x, y, offsets, accumulate);
            table_.grouped_row_sum({pool.get(), nullptr, 0},
                                   {x.view(), offsets.data(), y.matrix(), accumulate});
            EXPECT_TRUE(y.gaps_untouched());
            const std::vector<double> got = y.values();
            ASSERT_EQ(got.size(), expected.size());
            for (std::size_t i = 0; i < got.size(); ++i) {
              ASSERT_EQ(got[i], stored_value(to, expected[i]))
                  << experts << " experts, " << cols << " columns, element " << i;
            }
          }
        }
      }
    }
  }
}

TEST_P(RowSum, SameBitsForAnyNumberOfThreads) {
  std::mt19937 random(11);
  Stored x(DType::f32, 900, 333, 1), y(DType::f32, 3, 333, 0);
  x.fill_reals(random);
  const std::vector<std::int32_t> offsets = {0, 300, 301, 900};
  const auto sum_experts = [&](ThreadPool* pool) {
    Stored out = y;
    table_.grouped_row_sum({pool, nullptr, 0}, {x.view(), offsets.data(), out.matrix(), false});
    return out.bytes();
  };
  const std::vector<std::byte> serial = run(x, y, false, nullptr).bytes();
  const std::vector<std::byte> serial_by_expert = sum_experts(nullptr);
  for (const int threads : {2, 3, 5}) {
    const std::unique_ptr<ThreadPool> pool = make_thread_pool(threads);
    EXPECT_EQ(run(x, y, false, pool.get()).bytes(), serial) << threads << " threads";
    EXPECT_EQ(sum_experts(pool.get()), serial_by_expert) << threads << " threads, by expert";
  }
}

}  // namespace
}  // namespace ffn::test
