// Products of integers of every instruction set: exactly, where values are integers already, and
// beside the reference.
#include "kernels_product/matrix.h"

namespace ffn::test {
namespace {

using kernels::cpu_table;
using kernels::QuantizedFormat;

constexpr QuantizedFormat kFormats[] = {{8, 32}, {8, 64}, {8, 128}, {4, 32}, {4, 64}, {4, 128}};

// 1; odd; lanes, panels (16, 64) and tiles (3, 4 rows) ± 1; groups that are short; several pieces
// of k (1024); two blocks of rows (132); nothing at all.
struct QuantSizes {
  std::int64_t m, n, k;
};
constexpr QuantSizes kQuantSizes[] = {{1, 1, 1},    {1, 17, 33},  {2, 16, 64},   {3, 5, 0},
                                      {0, 4, 8},    {4, 15, 127}, {5, 33, 130},  {8, 70, 31},
                                      {9, 16, 256}, {64, 65, 95}, {133, 20, 96}, {6, 64, 1056},
                                      {2, 48, 1000}};

// One product: its operands and what belongs to a backend.
class Quantized {
 public:
  Quantized(QuantizedFormat format_, QuantSizes size_, DType rows, DType weights, DType result,
            bool accumulate_)
      : format(format_),
        size(size_),
        accumulate(accumulate_),
        a(rows, size.m, size.k, 3),
        b(weights, size.n, size.k, 5),
        c(result, size.m, size.n, 2),
        bias(rows, 1, size.n, 0) {}

  // Integers whose groups have the largest magnitude there is, so that every scale is 1.
  void fill_integers(std::mt19937& random, bool extreme) {
    const auto fill = [&](Stored& to, int least, int most) {
      for (std::int64_t r = 0; r < to.rows(); ++r) {
        for (std::int64_t k = 0; k < to.cols(); ++k) {
          const int span = most - least + 1;
          int value = least + static_cast<int>(random() % static_cast<unsigned>(span));
          if (extreme) value = random() % 2 == 0 ? most : least;
          to.put(r, k, static_cast<float>(k % format.group == 0 ? least : value));
        }
      }
    };
    fill(a, -127, 127);
    fill(b, format.bits == 8 ? -127 : -8, format.bits == 8 ? 127 : 7);
    bias.fill_integers(random);
    if (accumulate) c.fill_integers(random);
  }
  void fill_reals(std::mt19937& random) {
    for (Stored* operand : {&a, &bias}) operand->fill_reals(random);
    if (is_block(b.view().dtype)) {
      b.fill_integers(random);
    } else {
      b.fill_reals(random);
    }
    if (accumulate) c.fill_reals(random);
  }

  Stored run(const KernelTable& table, ThreadPool* pool = nullptr) const {
    Stored out = c;
    multiply(table, pool, a.view(), out.matrix());
    EXPECT_TRUE(out.gaps_untouched()) << *this;
    return out;
  }
  // In f64, with the reference's own integers.
  std::vector<double> reference() const {
    std::vector<double> out = c.values();
    if (!accumulate) out.assign(static_cast<std::size_t>(size.m * size.n), 0);
    multiply(kernels::reference_table(), nullptr, a.view(),
             {out.data(), DType::f64, size.m, size.n, size.n});
    return out;
  }
  // A·Bᵀ + bias + old in f64, and the same of the magnitudes.
  std::vector<double> product() const {
    return sums([](double value) { return value; });
  }
  std::vector<double> magnitude() const {
    return sums([](double value) { return std::abs(value); });
  }
  // Row m by itself.
  std::vector<std::byte> run_row(const KernelTable& table, std::int64_t m) const {
    Stored out(c.view().dtype, 1, size.n, 0);
    ConstMatrix row = a.view();
    row.data = static_cast<const std::byte*>(row.data) + dtype_bytes(row.dtype, m * row.ld);
    row.rows = 1;
    multiply(table, nullptr, row, out.matrix());
    return out.bytes();
  }

  friend std::ostream& operator<<(std::ostream& out, const Quantized& q) {
    return out << q.size.m << "x" << q.size.n << "x" << q.size.k << ", " << q.format.bits
               << " bits in groups of " << q.format.group << " from " << to_string(q.b.view().dtype)
               << (q.accumulate ? ", accumulate" : "");
  }

  QuantizedFormat format;
  QuantSizes size;
  bool accumulate;
  Stored a, b, c, bias;

 private:
  template <class Of>
  std::vector<double> sums(const Of& of) const {
    const std::vector<double> av = a.values(), bv = b.values(), cv = c.values(),
                              biases = bias.values();
    std::vector<double> all;
    for (std::int64_t m = 0; m < size.m; ++m) {
      for (std::int64_t n = 0; n < size.n; ++n) {
        double sum = of(biases[static_cast<std::size_t>(n)]);
        if (accumulate) sum += of(cv[static_cast<std::size_t>(m * size.n + n)]);
        for (std::int64_t k = 0; k < size.k; ++k)
          sum += of(av[static_cast<std::size_t>(m * size.k + k)] *
                    bv[static_cast<std::size_t>(n * size.k + k)]);
        all.push_back(sum);
      }
    }
    return all;
  }
  void multiply(const KernelTable& table, ThreadPool* pool, const ConstMatrix& rows,
                const Matrix& out) const {
    Workspace packed(table.packed_quantized_bytes(format, size.n, size.k));
    table.pack_quantized({pool, nullptr, 0}, {format, b.view(), packed.context(pool).workspace});
    const int threads = pool == nullptr ? 1 : pool->size();
    Workspace workspace(
        table.quantized_product_workspace({rows.rows, size.n, size.k, format}, threads));
    table.quantized_product(workspace.context(pool), {format, rows, packed.context(pool).workspace,
                                                      out, bias.view(), accumulate});
    EXPECT_TRUE(packed.guards_intact() && workspace.guards_intact()) << *this;
  }
};

class QuantizedProduct : public testing::TestWithParam<Isa> {
 protected:
  const KernelTable& table_ = cpu_table(GetParam());
  std::mt19937 random_{17};
};
INSTANTIATE_TEST_SUITE_P(Isas, QuantizedProduct, testing::ValuesIn(supported_isas()), isa_name);

// Sums of integers below 2^24 are exact in f32, whatever the order; none may saturate on its way.
TEST_P(QuantizedProduct, ExactOnIntegers) {
  unsigned turn = 0;
  for (const QuantizedFormat& format : kFormats) {
    for (const QuantSizes& size : kQuantSizes) {
      for (const bool extreme : {false, true}) {
        const DType a = turn % 2 == 0 ? DType::f32 : DType::bf16;
        const DType c = turn % 4 < 2 ? DType::f32 : DType::bf16;
        Quantized product(format, size, a, DType::f32, c, ++turn % 3 == 0);
        product.fill_integers(random_, extreme);
        const std::vector<double> expected = product.product();
        const std::vector<double> got = product.run(table_).values();
        for (std::size_t i = 0; i < got.size(); ++i)
          ASSERT_EQ(got[i], stored_value(c, expected[i])) << product << " element " << i;
      }
    }
  }
}

// Each group adds one rounding, its two scales one more; |a|·|b| of the integers is at most 1 + 1/8
// of that of the values (4 bits).
TEST_P(QuantizedProduct, EqualsTheReference) {
  for (const QuantizedFormat& format : kFormats) {
    for (const DType b : {DType::f32, DType::bf16, DType::f16, DType::q8_0, DType::q4_0}) {
      if (is_block(b) && (format.group != 32 || (format.bits == 4) != (b == DType::q4_0))) continue;
      for (QuantSizes size : kQuantSizes) {
        if (is_block(b)) size.k = (size.k + 31) / 32 * 32;
        Quantized product(format, size, DType::f32, b, DType::f32, size.m % 2 == 0);
        product.fill_reals(random_);
        const std::vector<double> expected = product.reference(), sizes = product.magnitude();
        const std::vector<double> got = product.run(table_).values();
        const double terms = static_cast<double>(size.k) / static_cast<double>(format.group) + 5;
        for (std::size_t i = 0; i < got.size(); ++i)
          ASSERT_LE(std::abs(got[i] - expected[i]), 1.25 * terms * 0x1p-24 * sizes[i])
              << product << " element " << i;
      }
    }
  }
}

// |a − scale·q| ≤ scale/2 with scale = max/127 (8 bits) or max/8, twice that where +8 is missing.
TEST_P(QuantizedProduct, StaysWithinItsErrorBound) {
  for (const QuantizedFormat& format : kFormats) {
    Quantized product(format, {7, 40, 517}, DType::f32, DType::f32, DType::f32, false);
    product.fill_reals(random_);  // within ±1
    const double a_step = 1.0 / 254, b_step = format.bits == 8 ? 1.0 / 254 : 1.0 / 8;
    const std::vector<double> av = product.a.values(), bv = product.b.values();
    const std::vector<double> exact = product.product(), got = product.run(table_).values();
    for (std::int64_t m = 0; m < 7; ++m) {
      for (std::int64_t n = 0; n < 40; ++n) {
        double bound = 1e-4;
        for (std::int64_t k = 0; k < 517; ++k)
          bound += std::abs(av[static_cast<std::size_t>(m * 517 + k)]) * b_step +
                   (std::abs(bv[static_cast<std::size_t>(n * 517 + k)]) + b_step) * a_step;
        const auto at = static_cast<std::size_t>(m * 40 + n);
        ASSERT_LE(std::abs(got[at] - exact[at]), bound) << product;
      }
    }
  }
}

TEST_P(QuantizedProduct, SameBitsForAnyNumberOfThreadsAndRows) {
  for (const QuantizedFormat& format : kFormats) {
    for (const DType c : {DType::f32, DType::bf16}) {
      Quantized product(format, {139, 150, 1100}, DType::bf16, DType::f32, c, false);
      product.fill_reals(random_);
      const Stored alone = product.run(table_);
      for (const int threads : {2, 3}) {
        const std::unique_ptr<ThreadPool> pool = make_thread_pool(threads);
        ASSERT_EQ(product.run(table_, pool.get()).bytes(), alone.bytes()) << product;
      }
      for (const std::int64_t m : {0, 2, 7, 131, 138}) {
        const std::vector<std::byte> row = product.run_row(table_, m);
        const auto first = alone.bytes().begin() + dtype_bytes(c, m * (150 + 2));
        ASSERT_TRUE(std::equal(row.begin(), row.end(), first)) << product << " row " << m;
      }
    }
  }
}

// Rows and groups of zeros have the scale 0.
TEST_P(QuantizedProduct, ZerosStayZeros) {
  for (const QuantizedFormat& format : kFormats) {
    Quantized product(format, {5, 9, 70}, DType::f32, DType::f32, DType::f32, false);
    product.fill_reals(random_);
    for (std::int64_t k = 0; k < 70; ++k) {
      product.a.put(3, k, 0.0f);
      product.b.put(4, k, 0.0f);
    }
    const std::vector<double> got = product.run(table_).values(), bias = product.bias.values();
    for (std::size_t i = 0; i < 9; ++i) EXPECT_EQ(got[3 * 9 + i], bias[i]);
    for (std::size_t m = 0; m < 5; ++m) EXPECT_EQ(got[m * 9 + 4], bias[4]);
  }
}

}  // namespace
}  // namespace ffn::test
