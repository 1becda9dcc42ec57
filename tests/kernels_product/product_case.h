// One product: its operands, its exact result, and a way to run it.
#pragma once

#include <ostream>

#include "kernels_product/matrix.h"

namespace ffn::test {

using kernels::ProductForm;
using kernels::ProductShape;

struct Sizes {
  std::int64_t m, n, k;
};

struct Types {
  DType a, b, c;
};

inline const char* form_name(ProductForm form) {
  return form == ProductForm::nt ? "nt" : form == ProductForm::nn ? "nn" : "tn";
}

struct ProductCase {
  ProductForm form;
  Sizes size;
  Types types;
  bool with_bias, accumulate;
  Stored a, b, c, bias;

  ProductCase(ProductForm form_, Sizes size_, Types types_, bool with_bias_, bool accumulate_,
              std::int64_t gap = 3)
      : form(form_),
        size(size_),
        types(types_),
        with_bias(with_bias_),
        accumulate(accumulate_),
        a(types.a, form == ProductForm::tn ? size.k : size.m,
          form == ProductForm::tn ? size.m : size.k, gap),
        b(types.b, form == ProductForm::nt ? size.n : size.k,
          form == ProductForm::nt ? size.k : size.n, gap),
        c(types.c, size.m, size.n, gap),
        bias(types.a, 1, size.n, 0) {}

  void fill(bool integers) {
    std::mt19937 random(static_cast<unsigned>(size.m + 31 * size.n + 977 * size.k));
    for (Stored* operand : {&a, &b, &bias, &c}) {
      if (operand == &c && !accumulate) continue;
      if (integers) {
        operand->fill_integers(random);
      } else {
        operand->fill_reals(random);
      }
    }
  }
  ProductShape shape() const { return {form, size.m, size.n, size.k, types.a, types.b, types.c}; }

  // C in double, from the equations of kernels/product.h, with the sum of absolute terms.
  struct Expected {
    std::vector<double> value, magnitude;
  };
  Expected expected() const {
    const std::vector<double> av = a.values(), bv = b.values(), cv = c.values(),
                              biases = bias.values();
    Expected result;
    for (std::int64_t m = 0; m < size.m; ++m) {
      for (std::int64_t n = 0; n < size.n; ++n) {
        double sum = 0, magnitude = 0;
        for (std::int64_t k = 0; k < size.k; ++k) {
          const std::int64_t at_a = form == ProductForm::tn ? k * size.m + m : m * size.k + k;
          const std::int64_t at_b = form == ProductForm::nt ? n * size.k + k : k * size.n + n;
          const double term =
              av[static_cast<std::size_t>(at_a)] * bv[static_cast<std::size_t>(at_b)];
          sum += term;
          magnitude += std::abs(term);
        }
        const double old = accumulate ? cv[static_cast<std::size_t>(m * size.n + n)] : 0;
        const double offset = with_bias ? biases[static_cast<std::size_t>(n)] : 0;
        result.value.push_back(sum + old + offset);
        result.magnitude.push_back(magnitude + std::abs(old) + std::abs(offset));
      }
    }
    return result;
  }

  // C after the product, on a fresh copy of c.
  Stored run(const KernelTable& table, ThreadPool* pool, const void* packed_b = nullptr) const {
    Stored out = c;
    Workspace workspace(table.product_workspace(shape(), pool == nullptr ? 1 : pool->size()));
    kernels::ProductArgs args{form, a.view(), b.view(), out.matrix(), {}, accumulate, packed_b};
    if (packed_b != nullptr) args.b.data = nullptr;
    if (with_bias) args.bias = bias.view();
    table.product(workspace.context(pool), args);
    EXPECT_TRUE(workspace.guards_intact()) << *this;
    EXPECT_TRUE(out.gaps_untouched()) << *this;
    return out;
  }

  friend std::ostream& operator<<(std::ostream& out, const ProductCase& p) {
    return out << form_name(p.form) << " " << p.size.m << "x" << p.size.n << "x" << p.size.k << " "
               << to_string(p.types.a) << "·" << to_string(p.types.b) << "→" << to_string(p.types.c)
               << (p.with_bias ? " bias" : "") << (p.accumulate ? " accumulate" : "");
  }
};

// B prepared by pack_b for rows of type `a` in 64-byte aligned memory of exactly packed_b_bytes.
class Packed {
 public:
  Packed(const KernelTable& table, ProductForm form, const Stored& b, DType a, ThreadPool* pool)
      : memory_(table.packed_b_bytes(form, b.view(), a)) {
    const std::int64_t N = form == ProductForm::nt ? b.rows() : b.cols();
    table.pack_b({pool, nullptr, 0}, {form, b.view(), data(), 0, N, a});
  }
  // One granule of columns after the other.
  static Packed streamed(const KernelTable& table, ProductForm form, const Stored& b, DType a) {
    Packed packed(table.packed_b_bytes(form, b.view(), a));
    const std::int64_t N = form == ProductForm::nt ? b.rows() : b.cols();
    const std::int64_t step = table.pack_granularity();
    for (std::int64_t n = 0; n < N; n += step) {
      table.pack_b({}, {form, b.view(), packed.data(), n, std::min(n + step, N), a});
    }
    return packed;
  }
  void* data() { return memory_.context(nullptr).workspace; }
  std::int64_t bytes() { return memory_.context(nullptr).workspace_bytes; }
  bool guards_intact() const { return memory_.guards_intact(); }

 private:
  explicit Packed(std::int64_t bytes) : memory_(bytes) {}
  Workspace memory_;
};

}  // namespace ffn::test
