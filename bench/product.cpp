// Matrix products against the machine's f32 multiply-add peak: bench_product [--samples n]
// [--threads n].
// --threads limits the largest number of threads (default: all). FFN_ISA chooses the instruction
// set.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>
#include <random>

#include "ffn/base/half.h"
#include "ffn/kernels/table.h"
#include "harness.h"

namespace ffn::bench {
namespace {

using kernels::ConstMatrix;
using kernels::KernelTable;
using kernels::Matrix;
using kernels::ProductArgs;
using kernels::ProductForm;

struct Release {
  void operator()(std::byte* memory) const { ::operator delete(memory, std::align_val_t{64}); }
};
using Memory = std::unique_ptr<std::byte, Release>;

Memory allocate(std::int64_t bytes) {
  return Memory(static_cast<std::byte*>(::operator new(
      static_cast<std::size_t>(std::max<std::int64_t>(bytes, 64)), std::align_val_t{64})));
}

// A matrix of f32 or bf16 with rows next to each other, filled with values in [−1, 1).
class Operand {
 public:
  Operand(DType dtype, std::int64_t rows, std::int64_t cols, std::mt19937& random)
      : dtype_(dtype),
        rows_(rows),
        cols_(cols),
        memory_(allocate(dtype_bytes(dtype, rows * cols))) {
    for (std::int64_t i = 0; i < rows * cols; ++i) {
      put(i, static_cast<float>(random()) * 0x1p-31f - 1.0f);
    }
  }
  Matrix matrix() const { return {memory_.get(), dtype_, rows_, cols_, cols_}; }
  double get(std::int64_t row, std::int64_t col) const {
    const std::int64_t i = row * cols_ + col;
    if (dtype_ == DType::bf16) return to_float(element<Bf16>(i));
    return element<float>(i);
  }

 private:
  template <class Element>
  Element& element(std::int64_t i) const {
    void* data = memory_.get();
    return static_cast<Element*>(data)[i];
  }
  void put(std::int64_t i, float value) {
    if (dtype_ == DType::bf16) {
      element<Bf16>(i) = to_bf16(value);
    } else {
      element<float>(i) = value;
    }
  }

  DType dtype_;
  std::int64_t rows_, cols_;
  Memory memory_;
};

struct Case {
  const char* name;
  ProductForm form;
  std::int64_t m, n, k;
  DType dtype;
};

const Case kCases[] = {
    {"1024³ NT", ProductForm::nt, 1024, 1024, 1024, DType::f32},
    {"1024³ NN", ProductForm::nn, 1024, 1024, 1024, DType::f32},
    {"1024³ TN", ProductForm::tn, 1024, 1024, 1024, DType::f32},
    {"8320×768×192 NT, y = x·Wᵀ", ProductForm::nt, 8320, 768, 192, DType::f32},
    {"8320×192×768 NN, dx = dy·W", ProductForm::nn, 8320, 192, 768, DType::f32},
    {"768×192×8320 TN, dW = dyᵀ·x", ProductForm::tn, 768, 192, 8320, DType::f32},
    {"8320×768×192 NT", ProductForm::nt, 8320, 768, 192, DType::bf16},
    {"8320×192×768 NN", ProductForm::nn, 8320, 192, 768, DType::bf16},
    {"768×192×8320 TN", ProductForm::tn, 768, 192, 8320, DType::bf16},
    {"512×1536×576 NT", ProductForm::nt, 512, 1536, 576, DType::f32},
    {"64×1536×576 NT", ProductForm::nt, 64, 1536, 576, DType::f32},
    {"8×1536×576 NT", ProductForm::nt, 8, 1536, 576, DType::f32},
    {"1×1536×576 NT", ProductForm::nt, 1, 1536, 576, DType::f32},
    {"1×1536×576 NN", ProductForm::nn, 1, 1536, 576, DType::f32},
};

// Compares 1,000 elements, corners included, with sums in double. The bound is that of
// tests/kernels_product: γ(K + 3)·Σ|terms| plus 2^-8 of the value for bf16.
bool verify(const Case& c, const Operand& a, const Operand& b, const Operand& y) {
  std::mt19937 random(5);
  for (int i = 0; i < 1000; ++i) {
    const std::int64_t m = i < 4 ? (i & 1) * (c.m - 1) : random() % c.m;
    const std::int64_t n = i < 4 ? (i >> 1) * (c.n - 1) : random() % c.n;
    double sum = 0, magnitude = 0;
    for (std::int64_t k = 0; k < c.k; ++k) {
      const double term = (c.form == ProductForm::tn ? a.get(k, m) : a.get(m, k)) *
                          (c.form == ProductForm::nt ? b.get(n, k) : b.get(k, n));
      sum += term;
      magnitude += std::abs(term);
    }
    double bound = static_cast<double>(c.k + 3) * 0x1p-23 * magnitude;
    if (c.dtype == DType::bf16) bound += 0x1p-8 * (std::abs(sum) + bound);
    if (!(std::abs(y.get(m, n) - sum) <= bound)) {
      std::fprintf(stderr, "%s: element (%lld, %lld) is %g, expected %g ± %g\n", c.name,
                   static_cast<long long>(m), static_cast<long long>(n), y.get(m, n), sum, bound);
      return false;
    }
  }
  return true;
}

bool run_case(const Case& c, const KernelTable& kernels, Isa isa, ThreadPool& pool,
              const Plan& plan, const Table& table) {
  std::mt19937 random(1);
  const bool tn = c.form == ProductForm::tn, nt = c.form == ProductForm::nt;
  const Operand a(c.dtype, tn ? c.k : c.m, tn ? c.m : c.k, random);
  const Operand b(c.dtype, nt ? c.n : c.k, nt ? c.k : c.n, random);
  const Operand y(c.dtype, c.m, c.n, random);
  const std::int64_t bytes =
      kernels.product_workspace({c.form, c.m, c.n, c.k, c.dtype, c.dtype, c.dtype}, pool.size());
  const Memory workspace = allocate(bytes);
  ProductArgs args;
  args.form = c.form;
  args.a = a.matrix();
  args.b = b.matrix();
  args.c = y.matrix();
  const auto run = [&] { kernels.product({&pool, workspace.get(), bytes}, args); };
  run();
  if (!verify(c, a, b, y)) return false;
  const double flops = 2.0 * static_cast<double>(c.m * c.n * c.k);
  const Result result = measure(plan, isa, pool, flops, run);
  table.add({c.name, std::string(to_string(c.dtype)), std::to_string(pool.size()),
             format_spread(result.ms), format_spread(result.gflops),
             format_number(result.peak_gflops), format_spread(result.share),
             format_spread(result.cpu_share)});
  return true;
}

int run_all(int argc, char** argv) {
  Plan plan;
  plan.samples = read_option(argc, argv, "--samples", plan.samples);
  const int most_threads = read_option(argc, argv, "--threads", available_threads());
  const Isa isa = choose_isa();
  const KernelTable& kernels = kernels::cpu_table(isa);
  std::printf("Products on %s, median (p10–p90) of %d samples\n\n",
              std::string(to_string(isa)).c_str(), plan.samples);
  const Table table({"product M×N×K", "dtype", "threads", "ms", "GFLOP/s", "peak",
                     "share of peak, %", "by CPU time, %"});
  for (int threads = 1; threads <= most_threads; threads *= 2) {
    const std::unique_ptr<ThreadPool> pool = make_thread_pool(threads);
    for (const Case& c : kCases) {
      if (!run_case(c, kernels, isa, *pool, plan, table)) return 1;
    }
  }
  return 0;
}

}  // namespace
}  // namespace ffn::bench

int main(int argc, char** argv) { return ffn::bench::run_all(argc, argv); }
