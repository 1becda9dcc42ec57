#include <cmath>
#include <memory>
#include <vector>

#include "ffn/base/error.h"
#include "ffn/bench/drawn_operand.h"
#include "ffn/bench/product_measure.h"
#include "ffn/tensor/host.h"

namespace ffn::inline v0 {
namespace {

using kernels::ProductArgs;
using kernels::ProductForm;

// Operands of one product, filled with values in (−1, 1).
class Product {
 public:
  Product(const ProductCase& c, const Device& device)
      : c_(c), ex_(device), kernels_(*device.kernels) {
    const bool tn = c.form == ProductForm::tn, nt = c.form == ProductForm::nt;
    a_ = drawn_operand(ex_, "a", c.a, tn ? c.k : c.m, tn ? c.m : c.k);
    b_ = drawn_operand(ex_, "b", c.b, nt ? c.n : c.k, nt ? c.k : c.n);
    y_ = ex_.allocate_persistent({{c.m, c.n}, c.c, Role::activation}, Tag::data);
    const int threads = device.threads->size();
    workspace_ = bytes(kernels_.product_workspace({c.form, c.m, c.n, c.k, c.a, c.b, c.c}, threads));
    args_ = {.form = c.form, .a = a_.matrix(), .b = b_.matrix(), .c = y_.matrix(), .bias = {}};
    if (c.prepared) prepare();
  }

  void run() { kernels_.product(launch(), args_); }

  // A, B and C once; prepared weights in their own form.
  std::int64_t moved_bytes() const {
    const std::int64_t b = c_.prepared ? packed_.shape().count() : dtype_bytes(c_.b, count(b_));
    return dtype_bytes(c_.a, count(a_)) + b + dtype_bytes(c_.c, count(y_));
  }

  // The sampled elements against f64, within γ(K + 3)·Σ|terms|, plus 2^-8 of the value where C is
  // bf16.
  void verify(const std::string& name) const {
    const std::vector<std::int64_t> rows = sampled(c_.m), cols = sampled(c_.n);
    const std::vector<double> a = picked(a_, c_.form != ProductForm::tn, rows);
    const std::vector<double> b = picked(b_, c_.form == ProductForm::nt, cols);
    const std::vector<double> exact = reference(a, b), found = host_values(y_);
    const std::vector<double> magnitude = reference(absolute(a), absolute(b));
    for (std::size_t i = 0; i < rows.size(); ++i) {
      for (std::size_t j = 0; j < cols.size(); ++j) {
        const std::size_t at = i * cols.size() + j;
        double bound = static_cast<double>(c_.k + 3) * 0x1p-23 * magnitude[at];
        if (c_.c == DType::bf16) bound += 0x1p-8 * (std::abs(exact[at]) + bound);
        const double got = found[static_cast<std::size_t>(rows[i] * c_.n + cols[j])];
        check(std::abs(got - exact[at]) <= bound, ErrorKind::device, name, "element (", rows[i],
              ", ", cols[j], ") is ", got, ", the reference says ", exact[at], " ± ", bound);
      }
    }
  }
  std::string verified() const {
    const std::size_t rows = sampled(c_.m).size(), cols = sampled(c_.n).size();
    return std::to_string(rows) + (rows == 1 ? " row × " : " rows × ") + std::to_string(cols) +
           (cols == 1 ? " column" : " columns");
  }

 private:
  static std::int64_t count(const Tensor& tensor) { return tensor.shape().count(); }
  static std::vector<double> absolute(std::vector<double> values) {
    for (double& value : values) value = std::abs(value);
    return values;
  }

  Tensor bytes(std::int64_t count) {
    return ex_.allocate_persistent({{count}, DType::u8, Role::activation}, Tag::scratch);
  }

  kernels::LaunchContext launch() const {
    return {ex_.device().threads, workspace_.data(), workspace_.shape().count()};
  }
  void prepare() {
    packed_ = bytes(kernels_.packed_b_bytes(c_.form, b_.matrix(), c_.a));
    kernels_.pack_b(launch(), {c_.form, b_.matrix(), packed_.data(), 0, c_.n, c_.a});
    args_.packed_b = packed_.data();
    args_.b.data = nullptr;
  }

  // The chosen rows, or columns, of an operand as rows [chosen, K].
  std::vector<double> picked(const Tensor& from, bool as_rows,
                             const std::vector<std::int64_t>& chosen) const {
    std::vector<double> values;
    values.reserve(chosen.size() * static_cast<std::size_t>(c_.k));
    if (as_rows) {
      for (const std::int64_t row : chosen) {
        const std::vector<double> found = host_values(from.slice_rows(row, 1));
        values.insert(values.end(), found.begin(), found.end());
      }
      return values;
    }
    const std::vector<double> all = host_values(from);
    for (const std::int64_t col : chosen)
      for (std::int64_t k = 0; k < c_.k; ++k)
        values.push_back(all[static_cast<std::size_t>(k * from.cols() + col)]);
    return values;
  }

  // a [M', K] · b [N', K]ᵀ by the reference's own kernel.
  std::vector<double> reference(const std::vector<double>& a, const std::vector<double>& b) const {
    Executor ex(reference_device());
    const auto made = [&](const std::vector<double>& values) {
      const Shape shape{static_cast<std::int64_t>(values.size()) / c_.k, c_.k};
      const Tensor tensor =
          ex.allocate_persistent({shape, DType::f64, Role::activation}, Tag::data);
      set_host_values(tensor, values);
      return tensor;
    };
    const Tensor left = made(a), right = made(b);
    const Tensor y = ex.allocate_persistent(
        {{left.rows(), right.rows()}, DType::f64, Role::activation}, Tag::data);
    const kernels::KernelTable& exact = *ex.device().kernels;
    const kernels::ProductShape shape{ProductForm::nt, y.rows(),   y.cols(),  c_.k,
                                      DType::f64,      DType::f64, DType::f64};
    const std::int64_t needed = exact.product_workspace(shape, 1);
    const Tensor scratch =
        ex.allocate_persistent({{needed}, DType::u8, Role::activation}, Tag::scratch);
    exact.product({ex.device().threads, scratch.data(), needed}, {.form = ProductForm::nt,
                                                                  .a = left.matrix(),
                                                                  .b = right.matrix(),
                                                                  .c = y.matrix(),
                                                                  .bias = {}});
    return host_values(y);
  }

  ProductCase c_;
  Executor ex_;
  const kernels::KernelTable& kernels_;
  Tensor a_, b_, y_, workspace_, packed_;
  ProductArgs args_;
};

}  // namespace

Workload product_workload(const ProductCase& c, const std::string& name, const BenchMachine& on) {
  return measured_product(c, name, std::make_shared<Product>(c, on.device()));
}

Workload make_workload(const BenchCase& c, const BenchMachine& on) {
  const std::string name = c.suite + "/" + c.name;
  if (const auto* product = std::get_if<ProductCase>(&c.work))
    return product->bits > 0 ? quantized_workload(*product, name, on)
                             : product_workload(*product, name, on);
  if (const auto* layer = std::get_if<LayerCase>(&c.work)) return layer_workload(*layer, name, on);
  return train_workload(std::get<TrainCase>(c.work), name, on);
}

}  // namespace ffn::inline v0
