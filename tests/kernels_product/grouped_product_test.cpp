// Products by expert: ragged rows, experts without rows, every form.
#include "kernels_product/product_case.h"

namespace ffn::test {
namespace {

using kernels::cpu_table;
using kernels::GroupedProductArgs;

// Rows of each expert: none first, none last, few rows and many, all to one.
const std::vector<std::vector<std::int32_t>> kLoads = {
    {0}, {5}, {0, 3, 0}, {1, 0, 8, 9, 0}, {0, 40, 7, 0, 100, 2}, {0, 0, 0, 130}, {401, 0, 3}};

struct GroupedCase {
  ProductForm form;
  Types types;
  std::int64_t experts, rows, n, k;  // one expert's product is [rows, k]·[k, n]; tn: C_e is [k, n]
  bool accumulate;
  std::vector<std::int32_t> offsets{0};
  Stored a, b, c, bias;
  bool with_bias = false;

  GroupedCase(ProductForm form_, Types types_, const std::vector<std::int32_t>& loads,
              std::int64_t n_, std::int64_t k_, bool accumulate_)
      : form(form_),
        types(types_),
        experts(static_cast<std::int64_t>(loads.size())),
        rows(total(loads)),
        n(n_),
        k(k_),
        accumulate(accumulate_),
        a(types.a, rows, k, 5),
        b(types.b, form == ProductForm::tn ? rows : experts * (form == ProductForm::nt ? n : k),
          form == ProductForm::nt ? k : n, 2),
        c(types.c, form == ProductForm::tn ? experts * k : rows, n, 3),
        bias(DType::f32, experts, n, 0) {
    for (const std::int32_t load : loads) offsets.push_back(offsets.back() + load);
  }
  // Before fill(). Rows of the bias lie `gap` elements apart.
  void add_bias(DType dtype, std::int64_t gap) {
    bias = Stored(dtype, experts, n, gap);
    with_bias = true;
  }
  static std::int64_t total(const std::vector<std::int32_t>& loads) {
    std::int64_t sum = 0;
    for (const std::int32_t load : loads) sum += load;
    return sum;
  }
  void fill(bool integers) {
    std::mt19937 random(static_cast<unsigned>(rows + 31 * n + 977 * k));
    for (Stored* operand : {&a, &b, &c, &bias}) {
      if ((operand == &c && !accumulate) || (operand == &bias && !with_bias)) continue;
      if (integers) {
        operand->fill_integers(random);
      } else {
        operand->fill_reals(random);
      }
    }
  }

  Stored run(const KernelTable& table, ThreadPool* pool) const {
    Stored out = c;
    const ProductShape shape{form,    form == ProductForm::tn ? k : rows,
                             n,       form == ProductForm::tn ? rows : k,
                             types.a, types.b,
                             types.c};
    Workspace workspace(
        table.grouped_product_workspace(shape, experts, pool == nullptr ? 1 : pool->size()));
    GroupedProductArgs args{form,           a.view(), b.view(),  out.matrix(),
                            offsets.data(), experts,  accumulate};
    if (with_bias) args.bias = bias.view();
    table.grouped_product(workspace.context(pool), args);
    EXPECT_TRUE(workspace.guards_intact()) << *this;
    EXPECT_TRUE(out.gaps_untouched()) << *this;
    return out;
  }

  std::vector<double> expected() const {
    const std::vector<double> av = a.values(), bv = b.values();
    std::vector<double> out = c.values();
    if (!accumulate) std::fill(out.begin(), out.end(), 0.0);
    const auto element = [](const std::vector<double>& values, std::int64_t cols, std::int64_t row,
                            std::int64_t col) {
      return values[static_cast<std::size_t>(row * cols + col)];
    };
    const std::vector<double> biases = with_bias ? bias.values() : std::vector<double>();
    for (std::int64_t e = 0; e < experts; ++e) {
      for (std::int64_t r = offsets[static_cast<std::size_t>(e)];
           r < offsets[static_cast<std::size_t>(e) + 1]; ++r) {
        for (std::int64_t i = 0; i < n; ++i) {
          if (with_bias) out[static_cast<std::size_t>(r * n + i)] += element(biases, n, e, i);
          for (std::int64_t j = 0; j < k; ++j) {
            const double x = element(av, k, r, j);
            if (form == ProductForm::tn) {
              out[static_cast<std::size_t>((e * k + j) * n + i)] += x * element(bv, n, r, i);
            } else {
              out[static_cast<std::size_t>(r * n + i)] +=
                  x * (form == ProductForm::nt ? element(bv, k, e * n + i, j)
                                               : element(bv, n, e * k + j, i));
            }
          }
        }
      }
    }
    return out;
  }

  friend std::ostream& operator<<(std::ostream& out, const GroupedCase& p) {
    return out << form_name(p.form) << " " << p.experts << " experts, " << p.rows << " rows, n "
               << p.n << ", k " << p.k << " " << to_string(p.types.a) << "·" << to_string(p.types.b)
               << "→" << to_string(p.types.c) << (p.with_bias ? " bias" : "")
               << (p.accumulate ? " accumulate" : "");
  }
};

class GroupedProduct : public testing::TestWithParam<Isa> {
 protected:
  const KernelTable& table_ = cpu_table(GetParam());
};
INSTANTIATE_TEST_SUITE_P(Isas, GroupedProduct, testing::ValuesIn(supported_isas()), isa_name);

TEST_P(GroupedProduct, Exact) {
  for (const ProductForm form : {ProductForm::nt, ProductForm::nn, ProductForm::tn}) {
    for (const Types& types :
         {Types{DType::f32, DType::f32, DType::f32}, Types{DType::bf16, DType::bf16, DType::bf16},
          Types{DType::f32, DType::q4_0, DType::f32},
          Types{DType::bf16, DType::q8_0, DType::f32}}) {
      if (form == ProductForm::tn && is_block(types.b)) continue;
      const bool block = is_block(types.b);
      for (const auto& loads : kLoads) {
        for (const bool accumulate : {false, true}) {
          GroupedCase product(form, types, loads, block ? 64 : 37, block ? 96 : 41, accumulate);
          product.fill(true);
          const std::vector<double> expected = product.expected();
          const std::vector<double> got = product.run(table_, nullptr).values();
          ASSERT_EQ(got.size(), expected.size());
          for (std::size_t i = 0; i < got.size(); ++i) {
            ASSERT_EQ(got[i], stored_value(types.c, expected[i])) << product << " element " << i;
          }
        }
      }
    }
  }
}

// Every row gets the bias of its own expert: few rows and many, several strips of columns, several
// pieces of the reduction and none, biases of either type with and without a gap between experts.
TEST_P(GroupedProduct, BiasIsExact) {
  struct Sizes {
    std::int64_t n, k;
  };
  for (const Types& types :
       {Types{DType::f32, DType::f32, DType::f32}, Types{DType::bf16, DType::bf16, DType::bf16},
        Types{DType::bf16, DType::q8_0, DType::f32}}) {
    for (const auto& [n, k] : {Sizes{1, 32}, {37, 32}, {300, 32}, {33, 416}, {5, 0}}) {
      for (const auto& loads : kLoads) {
        for (const DType dtype : {DType::f32, DType::bf16}) {
          for (const bool accumulate : {false, true}) {
            GroupedCase product(ProductForm::nt, types, loads, n, k, accumulate);
            product.add_bias(dtype, dtype == DType::f32 ? 0 : 3);
            product.fill(true);
            const std::vector<double> expected = product.expected();
            const std::vector<double> got = product.run(table_, nullptr).values();
            ASSERT_EQ(got.size(), expected.size());
            for (std::size_t i = 0; i < got.size(); ++i) {
              ASSERT_EQ(got[i], stored_value(types.c, expected[i])) << product << " element " << i;
            }
          }
        }
      }
    }
  }
}

// Several strips of columns (256) and pieces of the reduction (384).
TEST_P(GroupedProduct, SameBitsForAnyNumberOfThreads) {
  for (const int threads : {2, 3, 5}) {
    const std::unique_ptr<ThreadPool> pool = make_thread_pool(threads);
    for (const ProductForm form : {ProductForm::nt, ProductForm::nn, ProductForm::tn}) {
      for (const Types& types : {Types{DType::f32, DType::f32, DType::f32},
                                 Types{DType::bf16, DType::bf16, DType::bf16}}) {
        for (const auto& loads : kLoads) {
          GroupedCase product(form, types, loads, 300, 70, true);
          if (form == ProductForm::nt) product.add_bias(types.a, 0);
          product.fill(false);
          ASSERT_EQ(product.run(table_, pool.get()).bytes(), product.run(table_, nullptr).bytes())
              << product << " with " << threads << " threads";
        }
      }
    }
  }
}

// An expert's rows are its own product: the same bits as the plain kernel on its slice.
TEST_P(GroupedProduct, EqualsTheProductOfEachExpert) {
  const std::vector<std::int32_t> loads = {9, 0, 2, 50};
  GroupedCase grouped(ProductForm::nt, {DType::f32, DType::f32, DType::f32}, loads, 270, 500,
                      false);
  grouped.fill(false);
  const std::vector<double> all = grouped.run(table_, nullptr).values();
  const std::vector<double> av = grouped.a.values(), bv = grouped.b.values();
  for (std::size_t e = 0; e < loads.size(); ++e) {
    ProductCase one(ProductForm::nt, {loads[e], grouped.n, grouped.k},
                    {DType::f32, DType::f32, DType::f32}, false, false);
    const std::int64_t first = grouped.offsets[e];
    for (std::int64_t r = 0; r < loads[e]; ++r) {
      for (std::int64_t j = 0; j < grouped.k; ++j) {
        one.a.put(r, j,
                  static_cast<float>(av[static_cast<std::size_t>((first + r) * grouped.k + j)]));
      }
    }
    for (std::int64_t i = 0; i < grouped.n; ++i) {
      const std::int64_t row = static_cast<std::int64_t>(e) * grouped.n + i;
      for (std::int64_t j = 0; j < grouped.k; ++j) {
        one.b.put(i, j, static_cast<float>(bv[static_cast<std::size_t>(row * grouped.k + j)]));
      }
    }
    const auto begin = all.begin() + first * grouped.n;
    ASSERT_EQ(one.run(table_, nullptr).values(),
              std::vector<double>(begin, begin + loads[e] * grouped.n))
        << "expert " << e;
  }
}

}  // namespace
}  // namespace ffn::test
