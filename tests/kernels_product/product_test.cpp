// Every product of every instruction set that this machine runs, against the equations in double.
#include "kernels_product/product_case.h"

namespace ffn::test {
namespace {

using kernels::cpu_table;

// 1; odd; lanes (1, 8, 16), tiles (4, 6 rows; 4, 16, 64 columns), few rows (8), row block (96) and
// piece of the reduction (384) ± 1; several pieces; nothing at all. Every size the kernels cut at
// is here.
constexpr Sizes kSizes[] = {
    {1, 1, 1},     {1, 1, 0},     {0, 5, 4},     {5, 0, 4},     {3, 2, 0},    {9, 17, 0},
    {1, 17, 33},   {2, 3, 5},     {4, 5, 7},     {5, 4, 3},     {6, 16, 8},   {7, 15, 9},
    {8, 33, 17},   {9, 31, 16},   {11, 64, 15},  {12, 65, 31},  {13, 63, 1},  {14, 7, 48},
    {17, 9, 64},   {10, 8, 65},   {1, 300, 100}, {8, 257, 385}, {3, 40, 801}, {9, 20, 383},
    {10, 34, 384}, {16, 18, 385}, {95, 3, 32},   {96, 5, 33},   {97, 6, 40},  {25, 129, 50},
    {12, 24, 801}, {101, 70, 12},
};

std::vector<Types> all_types(ProductForm form) {
  std::vector<Types> all;
  for (const DType a : {DType::f32, DType::bf16}) {
    for (const DType b : {DType::f32, DType::bf16, DType::f16, DType::q4_0, DType::q4_1,
                          DType::q5_0, DType::q8_0, DType::q4_k, DType::q6_k}) {
      if (is_block(b) && form == ProductForm::tn) continue;
      for (const DType c : {DType::f32, DType::bf16}) all.push_back({a, b, c});
    }
  }
  return all;
}
// Quantised rows are whole blocks.
Sizes fit(Sizes size, ProductForm form, DType b) {
  std::int64_t& along = form == ProductForm::nt ? size.k : size.n;
  along = round_up_to_block(b, along);
  return size;
}

void expect_exact(const ProductCase& product, const Stored& out) {
  const auto expected = product.expected();
  const std::vector<double> got = out.values();
  ASSERT_EQ(got.size(), expected.value.size());
  for (std::size_t i = 0; i < got.size(); ++i) {
    ASSERT_EQ(got[i], stored_value(product.types.c, expected.value[i]))
        << product << " at row " << i / static_cast<std::size_t>(product.size.n) << ", column "
        << i % static_cast<std::size_t>(product.size.n);
  }
}

class Product : public testing::TestWithParam<Isa> {
 protected:
  const KernelTable& table_ = cpu_table(GetParam());
};
INSTANTIATE_TEST_SUITE_P(Isas, Product, testing::ValuesIn(supported_isas()), isa_name);

void check_form(const KernelTable& table, ProductForm form) {
  for (const Types& types : all_types(form)) {
    unsigned turn = 0;
    for (const Sizes& size : kSizes) {
      // Bias and accumulation alternate in all four combinations along the list of sizes.
      for (unsigned step = 0; step < 2; ++step) {
        const unsigned options = (turn + 2 * step + static_cast<unsigned>(types.c)) % 4;
        ProductCase product(form, fit(size, form, types.b), types, (options & 1) != 0,
                            (options & 2) != 0);
        product.fill(true);
        expect_exact(product, product.run(table, nullptr));
        if (testing::Test::HasFatalFailure()) return;
      }
      ++turn;
    }
  }
}
TEST_P(Product, NtExact) { check_form(table_, ProductForm::nt); }
TEST_P(Product, NnExact) { check_form(table_, ProductForm::nn); }
TEST_P(Product, TnExact) { check_form(table_, ProductForm::tn); }

// Reductions so deep that B is packed in several turns (2048), or, for a bf16 C, in narrow strips.
TEST_P(Product, DeepReduction) {
  for (const ProductForm form : {ProductForm::nt, ProductForm::nn, ProductForm::tn}) {
    for (const Types& types : {Types{DType::f32, DType::f32, DType::f32},
                               Types{DType::bf16, DType::bf16, DType::bf16}}) {
      for (const bool accumulate : {false, true}) {
        ProductCase product(form, {13, 21, 4173}, types, true, accumulate);
        product.fill(true);
        expect_exact(product, product.run(table_, nullptr));
      }
    }
  }
}

// Rows of A 4096 bytes apart are copied instead of read in place.
TEST_P(Product, RowsOneCacheSetApart) {
  for (const ProductForm form : {ProductForm::nt, ProductForm::nn}) {
    ProductCase product(form, {19, 33, 1000}, {DType::f32, DType::f32, DType::f32}, true, true, 24);
    product.fill(true);
    expect_exact(product, product.run(table_, nullptr));
  }
}

// bf16 rows are read in place where they consist of whole pairs, and not 4096 bytes apart.
TEST_P(Product, RowsOfPairs) {
  for (const ProductForm form : {ProductForm::nt, ProductForm::nn, ProductForm::tn}) {
    for (const DType c : {DType::f32, DType::bf16}) {
      for (const std::int64_t K : {2, 34, 35, 62, 416, 1000, 2040, 2047}) {
        const std::int64_t gap = K % 2 == 0 ? 8 : 9;
        ProductCase product(form, {19, 70, K}, {DType::bf16, DType::bf16, c}, true, true, gap);
        product.fill(true);
        expect_exact(product, product.run(table_, nullptr));
      }
    }
  }
}

// With real numbers each element is a sum of K terms and at most two more, each rounded at most
// once after its product (fma): |error| ≤ γ(K+3)·Σ|terms|, γ(n) = n·u/(1 − n·u), u = 2^-24 (Higham,
// Accuracy and Stability, §3.1). A bf16 C adds its own rounding, 2^-8 of the value.
TEST_P(Product, RoundingBound) {
  for (const ProductForm form : {ProductForm::nt, ProductForm::nn, ProductForm::tn}) {
    for (const Types& types :
         {Types{DType::f32, DType::f32, DType::f32}, Types{DType::bf16, DType::f16, DType::bf16},
          Types{DType::bf16, DType::bf16, DType::f32}}) {
      for (const Sizes& size : {Sizes{3, 50, 700}, Sizes{21, 37, 900}, Sizes{10, 9, 2600}}) {
        ProductCase product(form, size, types, true, true);
        product.fill(false);
        const auto expected = product.expected();
        const std::vector<double> got = product.run(table_, nullptr).values();
        const double n = static_cast<double>(size.k + 3) * 0x1p-24, gamma = n / (1 - n);
        for (std::size_t i = 0; i < got.size(); ++i) {
          double bound = gamma * expected.magnitude[i];
          if (types.c == DType::bf16) bound += 0x1p-8 * (std::abs(expected.value[i]) + bound);
          ASSERT_LE(std::abs(got[i] - expected.value[i]), bound) << product << " element " << i;
        }
      }
    }
  }
}

// Shapes with work for five threads, on each path: few rows, packing, several packs, tall, wide.
constexpr Sizes kThreadSizes[] = {
    {8, 301, 801}, {97, 200, 385}, {40, 50, 2200}, {700, 20, 60}, {13, 900, 70}};

TEST_P(Product, SameBitsForAnyNumberOfThreads) {
  for (const int threads : {2, 3, 5}) {
    const std::unique_ptr<ThreadPool> pool = make_thread_pool(threads);
    for (const ProductForm form : {ProductForm::nt, ProductForm::nn, ProductForm::tn}) {
      for (const Types& types : {Types{DType::f32, DType::f32, DType::f32},
                                 Types{DType::bf16, DType::bf16, DType::bf16}}) {
        for (const Sizes& size : kThreadSizes) {
          ProductCase product(form, size, types, true, true);
          product.fill(false);
          ASSERT_EQ(product.run(table_, pool.get()).bytes(), product.run(table_, nullptr).bytes())
              << product << " with " << threads << " threads";
        }
      }
    }
  }
}

// Prepared weights give the same bits as packing on the way, on every path but nt with few rows:
// there the unpacked product is a dot product along the rows of B, whose lanes sum in another
// order.
constexpr struct {
  DType a, b;
} kPackedTypes[] = {{DType::f32, DType::f32},  {DType::f32, DType::bf16},
                    {DType::f32, DType::f16},  {DType::f32, DType::q4_0},
                    {DType::f32, DType::q8_0}, {DType::bf16, DType::bf16}};
TEST_P(Product, PreparedWeights) {
  const std::unique_ptr<ThreadPool> pool = make_thread_pool(3);
  for (const ProductForm form : {ProductForm::nt, ProductForm::nn}) {
    for (const auto& [a, b] : kPackedTypes) {
      for (const Sizes& size : {Sizes{1, 33, 40}, Sizes{5, 130, 801}, Sizes{8, 70, 64},
                                Sizes{9, 65, 385}, Sizes{100, 97, 96}, Sizes{12, 32, 2500}}) {
        for (const bool integers : {true, is_block(b)}) {
          ProductCase product(form, fit(size, form, b), {a, b, DType::f32}, true, false);
          product.fill(integers);
          Packed packed(table_, form, product.b, a, pool.get());
          Packed streamed = Packed::streamed(table_, form, product.b, a);
          ASSERT_TRUE(packed.guards_intact() && streamed.guards_intact()) << product;
          ASSERT_EQ(
              std::memcmp(packed.data(), streamed.data(), static_cast<std::size_t>(packed.bytes())),
              0)
              << product;
          const Stored out = product.run(table_, pool.get(), packed.data());
          if (integers || form == ProductForm::nn || size.m > 8) {
            ASSERT_EQ(out.bytes(), product.run(table_, nullptr).bytes()) << product;
          }
        }
      }
    }
  }
}

}  // namespace
}  // namespace ffn::test
