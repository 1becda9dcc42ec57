// Products of blocks with rows of 8 bits, of every instruction set: exactly, where everything is an
// integer, and beside the reference.
#include <cmath>

#include "kernels_product/matrix.h"

namespace ffn::test {
namespace {

using kernels::cpu_table;

constexpr DType kBlockTypes[] = {DType::q4_0, DType::q4_1, DType::q5_0,
                                 DType::q8_0, DType::q4_k, DType::q6_k};

// blocks: of the type. 1; odd, for vectors hold two groups of 32; columns (4) and rows (2, 4) ± 1;
// more rows than pass at once (64); nothing at all.
struct BlockSizes {
  std::int64_t m, n, blocks;
};
constexpr BlockSizes kBlockSizes[] = {{1, 1, 1}, {1, 7, 2},  {2, 4, 3}, {3, 5, 0}, {0, 4, 1},
                                      {4, 9, 5}, {5, 33, 2}, {8, 6, 1}, {67, 3, 3}};

class BlockOperands {
 public:
  BlockOperands(BlockSizes size, DType rows, DType blocks, DType result, bool accumulate_)
      : m(size.m),
        n(size.n),
        k(size.blocks * block_elements(blocks)),
        accumulate(accumulate_),
        a(rows, m, k, 3),
        b(blocks, n, k, 1),
        c(result, m, n, 2),
        bias(rows, 1, n, 0) {}

  // Weights of any bits and small factors; rows whose groups have the scale 1 exactly.
  void fill_integers(std::mt19937& random) {
    b.fill_integers(random);
    bias.fill_integers(random);
    if (accumulate) c.fill_integers(random);
    for (std::int64_t r = 0; r < m; ++r) {
      for (std::int64_t i = 0; i < k; ++i) {
        const int value = static_cast<int>(random() % 9) - 4;
        a.put(r, i, static_cast<float>(i % kQuantBlock == 5 ? 127 : value));
      }
    }
  }
  // Rows of random numbers; `extreme`: of ±1 only, so that integers are as large as they get.
  void fill_reals(std::mt19937& random, bool extreme) {
    b.fill_integers(random);
    if (extreme) b.fill_extremes(random);
    a.fill_reals(random);
    bias.fill_reals(random);
    if (accumulate) c.fill_reals(random);
    if (!extreme) return;
    for (std::int64_t r = 0; r < m; ++r) {
      const bool turns = random() % 2 == 0;
      for (std::int64_t i = 0; i < k; ++i) a.put(r, i, turns && random() % 2 == 0 ? -1.0f : 1.0f);
    }
  }

  Stored run(const KernelTable& table, ThreadPool* pool = nullptr) const {
    Stored out = c;
    multiply(table, pool, a.view(), out.matrix());
    EXPECT_TRUE(out.gaps_untouched()) << *this;
    return out;
  }
  std::vector<double> reference() const {
    std::vector<double> out = c.values();
    if (!accumulate) out.assign(static_cast<std::size_t>(m * n), 0);
    multiply(kernels::reference_table(), nullptr, a.view(), {out.data(), DType::f64, m, n, n});
    return out;
  }
  // Row `row` by itself.
  std::vector<std::byte> run_row(const KernelTable& table, std::int64_t row) const {
    Stored out(c.view().dtype, 1, n, 0);
    ConstMatrix one = a.view();
    one.data = static_cast<const std::byte*>(one.data) + dtype_bytes(one.dtype, row * one.ld);
    one.rows = 1;
    multiply(table, nullptr, one, out.matrix());
    return out.bytes();
  }
  // Σ of(a·b) + of(bias) + of(old), in f64, with a and b as stored.
  template <class Of>
  std::vector<double> sums(const Of& of) const {
    const std::vector<double> av = a.values(), bv = b.values(), cv = c.values(),
                              biases = bias.values();
    std::vector<double> all;
    for (std::int64_t r = 0; r < m; ++r) {
      for (std::int64_t col = 0; col < n; ++col) {
        double sum = of(biases[static_cast<std::size_t>(col)]);
        if (accumulate) sum += of(cv[static_cast<std::size_t>(r * n + col)]);
        for (std::int64_t i = 0; i < k; ++i)
          sum += of(av[static_cast<std::size_t>(r * k + i)] *
                    bv[static_cast<std::size_t>(col * k + i)]);
        all.push_back(sum);
      }
    }
    return all;
  }

  friend std::ostream& operator<<(std::ostream& out, const BlockOperands& o) {
    return out << o.m << "x" << o.n << "x" << o.k << ", " << to_string(o.b.view().dtype)
               << (o.accumulate ? ", accumulate" : "");
  }

  std::int64_t m, n, k;
  bool accumulate;
  Stored a, b, c, bias;

 private:
  void multiply(const KernelTable& table, ThreadPool* pool, const ConstMatrix& rows,
                const Matrix& out) const {
    const int threads = pool == nullptr ? 1 : pool->size();
    Workspace workspace(table.block_product_workspace({rows.rows, n, k}, threads));
    table.block_product(workspace.context(pool), {rows, b.view(), out, bias.view(), accumulate});
    EXPECT_TRUE(workspace.guards_intact()) << *this;
  }
};

class BlockProduct : public testing::TestWithParam<Isa> {
 protected:
  template <class Check>
  void for_all(const Check& check) {
    unsigned turn = 0;
    for (const DType type : kBlockTypes) {
      for (const BlockSizes& size : kBlockSizes) {
        const DType a = turn % 2 == 0 ? DType::f32 : DType::bf16;
        const DType c = turn % 4 < 2 ? DType::f32 : DType::bf16;
        BlockOperands operands(size, a, type, c, ++turn % 3 == 0);
        check(operands);
      }
    }
  }

  const KernelTable& table_ = cpu_table(GetParam());
  std::mt19937 random_{23};
};
INSTANTIATE_TEST_SUITE_P(Isas, BlockProduct, testing::ValuesIn(supported_isas()), isa_name);

// Scales are 1 and factors powers of two, so that no sum is rounded.
TEST_P(BlockProduct, ExactOnIntegers) {
  for_all([&](BlockOperands& operands) {
    operands.fill_integers(random_);
    const std::vector<double> expected = operands.sums([](double value) { return value; });
    const std::vector<double> got = operands.run(table_).values();
    for (std::size_t i = 0; i < got.size(); ++i)
      ASSERT_EQ(got[i], stored_value(operands.c.view().dtype, expected[i]))
          << operands << " element " << i;
  });
}

// The largest minimum that matrix.h makes.
double largest_minimum(DType type) {
  return type == DType::q4_1 ? 2 : type == DType::q4_k ? 2 * 63 : 0;
}

// A group adds one rounding, or two (halves of q6_k, a minimum), its scales one. A minimum is added
// by itself, so that both parts count where they cancel; rows of 8 bits are up to 1/254 larger.
// With rows of ±1 and extreme weights, integers are as large as they get: one that saturated would
// be far off.
TEST_P(BlockProduct, EqualsTheReference) {
  for (const bool extreme : {false, true}) {
    for_all([&](BlockOperands& operands) {
      operands.fill_reals(random_, extreme);
      const std::vector<double> expected = operands.reference();
      const std::vector<double> sizes = operands.sums([](double value) { return std::abs(value); });
      const std::vector<double> got = operands.run(table_).values();
      const double terms = 2 * static_cast<double>(operands.k / kQuantBlock) + 8;
      const double minima =
          2 * largest_minimum(operands.b.view().dtype) * static_cast<double>(operands.k);
      const double narrow = operands.c.view().dtype == DType::bf16 ? 0x1p-8 : 0;
      for (std::size_t i = 0; i < got.size(); ++i)
        ASSERT_LE(std::abs(got[i] - expected[i]),
                  1.25 * terms * 0x1p-24 * (sizes[i] + minima) + narrow * std::abs(expected[i]))
            << operands << " element " << i;
    });
  }
}

// |a − scale·q| ≤ max|a| / 254.
TEST_P(BlockProduct, StaysWithinItsErrorBound) {
  for (const DType type : kBlockTypes) {
    BlockOperands operands({5, 9, 5}, DType::f32, type, DType::f32, false);
    operands.fill_reals(random_, false);  // within ±1
    const std::vector<double> exact = operands.sums([](double value) { return value; });
    const std::vector<double> got = operands.run(table_).values(), bv = operands.b.values();
    for (std::size_t i = 0; i < got.size(); ++i) {
      double bound = 1e-3;
      const std::size_t k = static_cast<std::size_t>(operands.k);
      for (std::size_t at = 0; at < k; ++at) bound += std::abs(bv[i % 9 * k + at]) / 254;
      ASSERT_LE(std::abs(got[i] - exact[i]), bound) << operands << " element " << i;
    }
  }
}

TEST_P(BlockProduct, SameBitsForAnyNumberOfThreadsAndRows) {
  for (const DType type : kBlockTypes) {
    const std::int64_t blocks = block_elements(type) == kQuantBlock ? 31 : 4;
    BlockOperands operands({71, 170, blocks}, DType::f32, type, DType::f32, false);
    operands.fill_reals(random_, false);
    const Stored alone = operands.run(table_);
    for (const int threads : {2, 3}) {
      const std::unique_ptr<ThreadPool> pool = make_thread_pool(threads);
      ASSERT_EQ(operands.run(table_, pool.get()).bytes(), alone.bytes()) << operands;
    }
    for (const std::int64_t row : {0, 3, 63, 70}) {
      const std::vector<std::byte> one = operands.run_row(table_, row);
      const auto first = alone.bytes().begin() + dtype_bytes(DType::f32, row * (170 + 2));
      ASSERT_TRUE(std::equal(one.begin(), one.end(), first)) << operands << " row " << row;
    }
  }
}

// Rows of zeros, of numbers so small that they count as zeros, as large as there are, and with one
// that is none: what it spoils is its own row, all of it.
TEST_P(BlockProduct, ExtremeRows) {
  constexpr float kLargest = std::numeric_limits<float>::max();
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  for (const DType type : kBlockTypes) {
    BlockOperands operands({7, 5, 3}, DType::f32, type, DType::f32, false);
    operands.fill_reals(random_, false);
    for (std::int64_t i = 0; i < operands.k; ++i) {
      operands.a.put(0, i, 0.0f);
      operands.a.put(1, i, i % 3 == 0 ? 0x1p-101f : -0x1p-149f);
      operands.a.put(2, i, i == 40 ? 0x1p-100f : 0.0f);
      operands.a.put(3, i, i == 7 ? kLargest / 0x1p20f : 0.0f);
    }
    operands.a.put(4, 33, std::numeric_limits<float>::quiet_NaN());
    operands.a.put(5, operands.k - 1, -kInfinity);
    const std::vector<double> got = operands.run(table_).values(), bias = operands.bias.values();
    const std::vector<double> expected = operands.reference();
    for (std::size_t n = 0; n < 5; ++n) {
      EXPECT_EQ(got[n], bias[n]) << operands;
      EXPECT_EQ(got[5 + n], bias[n]) << operands;
      EXPECT_EQ(got[10 + n], bias[n]) << operands;  // 2^-100 times a weight is nothing beside it
      EXPECT_NEAR(got[15 + n], expected[15 + n], 1e-5 * std::abs(expected[15 + n])) << operands;
      EXPECT_TRUE(std::isnan(got[20 + n]) && std::isnan(expected[20 + n])) << operands;
      EXPECT_TRUE(std::isnan(got[25 + n]) && std::isnan(expected[25 + n])) << operands;
      EXPECT_TRUE(std::isfinite(got[30 + n])) << operands;
    }
  }
}

// Just above what counts as zeros, a row keeps its integers.
TEST_P(BlockProduct, SmallRowsKeepTheirPrecision) {
  for (const DType type : kBlockTypes) {
    BlockOperands operands({1, 5, 1}, DType::f32, type, DType::f32, false);
    operands.fill_reals(random_, false);
    for (std::int64_t n = 0; n < 5; ++n) operands.bias.put(0, n, 0.0f);
    for (std::int64_t i = 0; i < operands.k; ++i)
      operands.a.put(0, i, 0x1p-100f * static_cast<float>(1 + i % 7));
    const std::vector<double> got = operands.run(table_).values(), expected = operands.reference();
    const std::vector<double> sizes = operands.sums([](double value) { return std::abs(value); });
    for (std::size_t n = 0; n < 5; ++n)
      EXPECT_NEAR(got[n], expected[n], 1e-5 * sizes[n]) << operands;
  }
}

}  // namespace
}  // namespace ffn::test
