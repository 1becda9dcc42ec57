// Products restated over plain vectors, for every storage type; packing; empty reductions.
#include <gtest/gtest.h>

#include "ffn/kernels/table.h"
#include "kernels_reference/operand.h"

namespace ffn::test {
namespace {

using namespace ffn::kernels;
using Values = std::vector<double>;

const KernelTable& table = reference_table();

Values transposed(const Values& a, std::int64_t rows, std::int64_t cols) {
  Values result(a.size());
  for (std::int64_t row = 0; row < rows; ++row) {
    for (std::int64_t col = 0; col < cols; ++col) {
      result[static_cast<std::size_t>(col * rows + row)] =
          a[static_cast<std::size_t>(row * cols + col)];
    }
  }
  return result;
}

// A[m,k]·B[k,n], reductions in order of k: the kernel must give these very bits in f64.
Values multiplied(const Values& a, const Values& b, std::int64_t m, std::int64_t n,
                  std::int64_t k) {
  Values c;
  for (std::int64_t row = 0; row < m; ++row) {
    for (std::int64_t col = 0; col < n; ++col) {
      double sum = 0;
      for (std::int64_t i = 0; i < k; ++i) {
        sum += a[static_cast<std::size_t>(row * k + i)] * b[static_cast<std::size_t>(i * n + col)];
      }
      c.push_back(sum);
    }
  }
  return c;
}

TEST(ProductValues, EveryStorageType) {
  const std::int64_t m = 3, n = 32, k = 64;
  std::mt19937_64 random(81);
  for (const DType a_type : {DType::f64, DType::f32, DType::bf16}) {
    for (const DType b_type :
         {DType::f64, DType::f32, DType::bf16, DType::f16, DType::q4_0, DType::q8_0}) {
      Operand a(a_type, m, k, random_values(random, m * k));
      Operand b_nt(b_type, n, k, random_values(random, n * k));
      Operand b_nn(b_type, k, n, random_values(random, k * n));
      Operand c(DType::f64, m, n);
      table.product(Launch{},
                    {ProductForm::nt, a.view(), b_nt.view(), c.matrix(), {}, false, nullptr});
      EXPECT_EQ(c.values(), multiplied(a.values(), transposed(b_nt.values(), n, k), m, n, k));
      table.product(Launch{},
                    {ProductForm::nn, a.view(), b_nn.view(), c.matrix(), {}, false, nullptr});
      EXPECT_EQ(c.values(), multiplied(a.values(), b_nn.values(), m, n, k));
      EXPECT_TRUE(c.intact());
    }
  }
}

TEST(ProductValues, Tn) {
  const std::int64_t m = 4, n = 3, k = 5;
  std::mt19937_64 random(82);
  Operand a(DType::f64, k, m, random_values(random, k * m));
  Operand b(DType::bf16, k, n, random_values(random, k * n)), c(DType::f64, m, n);
  table.product(Launch{}, {ProductForm::tn, a.view(), b.view(), c.matrix(), {}, false, nullptr});
  EXPECT_EQ(c.values(), multiplied(transposed(a.values(), k, m), b.values(), m, n, k));
}

TEST(ProductValues, ResultsAreRoundedOnce) {
  // 1 + 2⁻⁸ + 2⁻⁴⁰ lies just above the middle between two bf16 numbers.
  Operand a(DType::f64, 1, 3, Values{1, 0x1p-8, 0x1p-40}), b(DType::f64, 1, 3, Values{1, 1, 1});
  Operand c(DType::bf16, 1, 1);
  table.product(Launch{}, {ProductForm::nt, a.view(), b.view(), c.matrix(), {}, false, nullptr});
  EXPECT_EQ(c.values()[0], 1 + 0x1p-7);
}

TEST(ProductValues, EmptyReductionGivesZeroOrBias) {
  Operand a(DType::f32, 2, 0), b(DType::f32, 3, 0), c(DType::f32, 2, 3, Values(6, 9.0));
  Operand bias(DType::bf16, 1, 3, Values{1, 2, 3});
  ProductArgs args{ProductForm::nt, a.view(), b.view(), c.matrix(), {}, true, nullptr};
  table.product(Launch{}, args);
  EXPECT_EQ(c.values(), Values(6, 9.0));
  args.accumulate = false;
  table.product(Launch{}, args);
  EXPECT_EQ(c.values(), Values(6, 0.0));
  args.bias = bias.view();
  table.product(Launch{}, args);
  EXPECT_EQ(c.values(), (Values{1, 2, 3, 1, 2, 3}));
}

TEST(ProductValues, PackedEqualsUnpackedBitForBit) {
  const std::int64_t m = 3, n = 32, k = 64;
  std::mt19937_64 random(83);
  EXPECT_EQ(table.pack_granularity(), 1);
  for (const ProductForm form : {ProductForm::nt, ProductForm::nn}) {
    for (const DType b_type : {DType::f64, DType::f32, DType::q4_0}) {
      Operand a(DType::f64, m, k, random_values(random, m * k));
      const std::int64_t rows = form == ProductForm::nt ? n : k;
      Operand b(b_type, rows, n + k - rows, random_values(random, n * k));
      Operand plain(DType::f64, m, n), packed(DType::f64, m, n);
      const auto bytes = static_cast<std::size_t>(table.packed_b_bytes(form, b.view(), DType::f64));
      std::vector<std::byte> panels(bytes + 1, std::byte{0x5A});
      PackArgs pack{form, b.view(), panels.data(), 0, 0};
      for (const std::int64_t end : {std::int64_t{7}, std::int64_t{8}, n}) {
        pack.begin = pack.end;
        pack.end = end;
        table.pack_b(Launch{}, pack);
      }
      EXPECT_EQ(panels.back(), std::byte{0x5A});
      ProductArgs args{form, a.view(), b.view(), plain.matrix(), {}, false, nullptr};
      table.product(Launch{}, args);
      args.b.data = nullptr;
      args.c = packed.matrix();
      args.packed_b = panels.data();
      table.product(Launch{}, args);
      EXPECT_EQ(packed.values(), plain.values());
    }
  }
}

TEST(ProductValues, GroupedEqualsOneProductPerExpert) {
  const std::int64_t k = 32, n = 3, experts = 3;
  const std::int32_t offsets[] = {0, 0, 4, 5};  // the first expert has no rows
  std::mt19937_64 random(84);
  Operand a(DType::bf16, 5, k, random_values(random, 5 * k));
  Operand b(DType::q8_0, experts * n, k, random_values(random, experts * n * k));
  Operand c(DType::f64, 5, n);
  table.grouped_product(Launch{},
                        {ProductForm::nt, a.view(), b.view(), c.matrix(), offsets, experts, false});
  const Values all =
      multiplied(a.values(), transposed(b.values(), experts * n, k), 5, experts * n, k);
  const std::int64_t expert_of[] = {1, 1, 1, 1, 2};
  for (std::int64_t row = 0; row < 5; ++row) {
    for (std::int64_t col = 0; col < n; ++col) {
      EXPECT_EQ(c.get(row, col).real(),
                all[static_cast<std::size_t>(row * experts * n + expert_of[row] * n + col)]);
    }
  }
  // tn: the weight gradient of an expert without rows is 0, or stays when accumulating.
  Operand dy(DType::f64, 5, n, random_values(random, 5 * n));
  Operand dw(DType::f64, experts * n, k, Values(static_cast<std::size_t>(experts * n * k), 2.0));
  GroupedProductArgs tn{ProductForm::tn, dy.view(), a.view(), dw.matrix(), offsets, experts, true};
  table.grouped_product(Launch{}, tn);
  for (std::int64_t row = 0; row < n; ++row) EXPECT_EQ(dw.get(row, 0), 2.0);
  tn.accumulate = false;
  table.grouped_product(Launch{}, tn);
  for (std::int64_t row = 0; row < n; ++row) EXPECT_EQ(dw.get(row, k - 1), 0.0);
  EXPECT_EQ(dw.get(2 * n + 1, 5), dy.get(4, 1) * a.get(4, 5));
}

TEST(ProductValues, RowSums) {
  Operand x(DType::bf16, 4, 2, Values{256, 1, 1, 2, 1, 3, 1, 4}), y(DType::bf16, 1, 2);
  table.row_sum(Launch{}, {x.view(), y.matrix(), false});
  EXPECT_EQ(y.values(), (Values{260, 10}));  // 259 is no bf16 number: a tie, to the even 260
  Operand pairs(DType::f32, 2, 2, Values(4, 1.0));
  table.row_sum(Launch{}, {x.view(), pairs.matrix(), true});
  EXPECT_EQ(pairs.values(), (Values{258, 5, 3, 7}));
  Operand none(DType::f32, 0, 2);
  table.row_sum(Launch{}, {none.view(), pairs.matrix(), false});
  EXPECT_EQ(pairs.values(), Values(4, 0.0));
}

// The middle expert has no rows.
TEST(ProductValues, SumsByExpert) {
  const std::int32_t offsets[] = {0, 2, 2, 3};
  Operand x(DType::bf16, 3, 2, Values{1, 2, 3, 4, 5, 6});
  Operand sums(DType::f32, 3, 2, Values(6, 100));
  table.grouped_row_sum(Launch{}, {x.view(), offsets, sums.matrix(), false});
  EXPECT_EQ(sums.values(), (Values{4, 6, 0, 0, 5, 6}));
  table.grouped_row_sum(Launch{}, {x.view(), offsets, sums.matrix(), true});
  EXPECT_EQ(sums.values(), (Values{8, 12, 0, 0, 10, 12}));
  EXPECT_TRUE(sums.intact());
}

// bf16 biases of experts with two, no and one row.
TEST(ProductValues, BiasByExpert) {
  const std::int32_t offsets[] = {0, 2, 2, 3};
  Operand x(DType::f32, 3, 1, Values{1, 2, 3}), weights(DType::f32, 6, 1, Values{1, 2, 9, 9, 3, 4});
  Operand bias(DType::bf16, 3, 2, Values{10, 20, 90, 90, 30, 40}), y(DType::f64, 3, 2);
  table.grouped_product(Launch{}, {ProductForm::nt, x.view(), weights.view(), y.matrix(), offsets,
                                   3, false, bias.view()});
  EXPECT_EQ(y.values(), (Values{11, 22, 12, 24, 39, 52}));
}

}  // namespace
}  // namespace ffn::test
