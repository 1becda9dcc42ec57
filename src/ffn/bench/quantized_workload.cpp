// Products of integers: weights packed beforehand, rows made integers in every run.
#include <algorithm>
#include <cmath>
#include <memory>
#include <vector>

#include "ffn/base/error.h"
#include "ffn/bench/cold_copies.h"
#include "ffn/bench/drawn_operand.h"
#include "ffn/bench/product_measure.h"
#include "ffn/tensor/host.h"

namespace ffn::inline v0 {
namespace {

using kernels::KernelTable;
using kernels::QuantizedFormat;

class Quantized {
 public:
  Quantized(const ProductCase& c, const BenchMachine& on) : c_(c), ex_(on.device()) {
    a_ = drawn_operand(ex_, "a", c.a, c.m, c.k);
    b_ = drawn_operand(ex_, "b", c.b, c.n, c.k);
    y_ = ex_.allocate_persistent({{c.m, c.n}, c.c, Role::activation}, Tag::data);
    workspace_ =
        bytes(kernels().quantized_product_workspace({c.m, c.n, c.k, format()}, on.pool->size()));
    const std::int64_t each = packed_bytes();
    const std::int64_t copies = c.cold ? cold_copies(each, each, on.caches) : 1;
    for (std::int64_t i = 0; i < copies; ++i) {
      packed_.push_back(bytes(each));
      kernels().pack_quantized({ex_.device().threads, nullptr, 0},
                               {format(), b_.matrix(), packed_.back().data()});
    }
  }

  void run() {
    multiply(kernels(), a_, packed_[next_], y_,
             {ex_.device().threads, workspace_.data(), workspace_.shape().count()});
    next_ = (next_ + 1) % packed_.size();
  }
  // Rows and C once, the weights in their packed form.
  std::int64_t moved_bytes() const {
    return dtype_bytes(c_.a, a_.shape().count()) + packed_bytes() +
           dtype_bytes(c_.c, y_.shape().count());
  }

  // The sampled elements against the reference's integers in f64: a rounding per group and 4 more
  // of Σ|a|·|b|, to which integers of 4 bits add an eighth; where C is bf16, 2^-8 of the value.
  void verify(const std::string& name) {
    const std::vector<std::int64_t> rows = sampled(c_.m), cols = sampled(c_.n);
    Executor ex(reference_device());
    const Tensor a = copied(ex, a_, rows), b = copied(ex, b_, cols);
    const std::vector<double> exact = reference(ex, a, b), found = host_values(y_);
    const std::vector<double> av = host_values(a), bv = host_values(b);
    for (std::size_t i = 0; i < rows.size(); ++i) {
      for (std::size_t j = 0; j < cols.size(); ++j) {
        const auto k = static_cast<std::size_t>(c_.k);
        double size = 0;
        for (std::size_t at = 0; at < k; ++at) size += std::abs(av[i * k + at] * bv[j * k + at]);
        const double value = exact[i * cols.size() + j];
        double bound = 1.25 * (static_cast<double>(c_.k / c_.group) + 5) * 0x1p-24 * size;
        if (c_.c == DType::bf16) bound += 0x1p-8 * (std::abs(value) + bound);
        const double got = found[static_cast<std::size_t>(rows[i] * c_.n + cols[j])];
        check(std::abs(got - value) <= bound, ErrorKind::device, name, "element (", rows[i], ", ",
              cols[j], ") is ", got, ", the reference says ", value, " ± ", bound);
      }
    }
  }
  std::string verified() const {
    return std::to_string(sampled(c_.m).size()) + " rows × " +
           std::to_string(sampled(c_.n).size()) + " columns";
  }

 private:
  const KernelTable& kernels() const { return *ex_.device().kernels; }
  QuantizedFormat format() const { return {c_.bits, c_.group}; }
  std::int64_t packed_bytes() const {
    return kernels().packed_quantized_bytes(format(), c_.n, c_.k);
  }
  Tensor bytes(std::int64_t count) {
    return ex_.allocate_persistent({{count}, DType::u8, Role::activation}, Tag::scratch);
  }
  void multiply(const KernelTable& table, const Tensor& a, const Tensor& packed, const Tensor& y,
                const kernels::LaunchContext& launch) const {
    table.quantized_product(launch, {format(), a.matrix(), packed.data(), y.matrix()});
  }
  // The chosen rows, byte for byte.
  static Tensor copied(Executor& ex, const Tensor& from, const std::vector<std::int64_t>& chosen) {
    const Tensor to = ex.allocate_persistent(
        {{static_cast<std::int64_t>(chosen.size()), from.cols()}, from.dtype(), Role::activation},
        Tag::data);
    const std::int64_t bytes = dtype_bytes(from.dtype(), from.cols());
    for (std::size_t i = 0; i < chosen.size(); ++i)
      std::copy_n(from.data() + chosen[i] * bytes, bytes,
                  to.data() + static_cast<std::int64_t>(i) * bytes);
    return to;
  }
  std::vector<double> reference(Executor& ex, const Tensor& a, const Tensor& b) const {
    const KernelTable& exact = *ex.device().kernels;
    const std::int64_t size = exact.packed_quantized_bytes(format(), b.rows(), c_.k);
    const Tensor packed =
        ex.allocate_persistent({{size}, DType::u8, Role::activation}, Tag::scratch);
    exact.pack_quantized({}, {format(), b.matrix(), packed.data()});
    const Tensor y =
        ex.allocate_persistent({{a.rows(), b.rows()}, DType::f64, Role::activation}, Tag::data);
    multiply(exact, a, packed, y, {});
    return host_values(y);
  }

  ProductCase c_;
  Executor ex_;
  Tensor a_, b_, y_, workspace_;
  std::vector<Tensor> packed_;
  std::size_t next_ = 0;
};

}  // namespace

Workload quantized_workload(const ProductCase& c, const std::string& name, const BenchMachine& on) {
  return measured_product(c, name, std::make_shared<Quantized>(c, on));
}

}  // namespace ffn::inline v0
