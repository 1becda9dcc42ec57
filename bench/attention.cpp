// Attention against the machine's f32 multiply-add peak: bench_attention [--samples n] [--threads
// n].
// --threads limits the largest number of threads (default: all). FFN_ISA chooses the instruction
// set. Flops are those of the products, 4·B·heads·Tq·Tk·W forward and 2.5 times that backward, also
// under a mask, where fewer are done.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <memory>
#include <new>
#include <random>
#include <vector>

#include "ffn/kernels/table.h"
#include "harness.h"

namespace ffn::bench {
namespace {

using kernels::AttentionBackwardArgs;
using kernels::AttentionForwardArgs;
using kernels::AttentionRule;
using kernels::AttentionShape;
using kernels::KernelTable;
using kernels::Matrix;

struct Case {
  const char* name;
  std::int64_t B, Tq, Tk, W;
  AttentionRule rule;
};

const Case kCases[] = {
    {"ViT, 65 tokens", 8, 65, 65, 64, {.heads = 3, .kv_heads = 3}},
    {"ViT, 197 tokens", 2, 197, 197, 64, {.heads = 3, .kv_heads = 3}},
    {"causal, 256 tokens", 1, 256, 256, 64, {.heads = 9, .kv_heads = 3, .causal = true}},
    {"causal, 1024 tokens", 1, 1024, 1024, 64, {.heads = 3, .kv_heads = 1, .causal = true}},
    {"decoding, 1024 keys", 1, 1, 1024, 64, {.heads = 9, .kv_heads = 3, .causal = true}},
};

struct Release {
  void operator()(float* memory) const { ::operator delete(memory, std::align_val_t{64}); }
};
using Memory = std::unique_ptr<float, Release>;
Memory allocate(std::int64_t floats) {
  void* memory =
      ::operator new(static_cast<std::size_t>(std::max<std::int64_t>(floats, 16)) * sizeof(float),
                     std::align_val_t{64});
  return Memory(static_cast<float*>(memory));
}

// An f32 matrix of values in [−1, 1).
class Operand {
 public:
  Operand(std::int64_t rows, std::int64_t cols, std::mt19937& random)
      : rows_(rows), cols_(cols), memory_(allocate(rows * cols)) {
    for (std::int64_t i = 0; i < rows * cols; ++i) {
      memory_.get()[i] = static_cast<float>(random()) * 0x1p-31f - 1.0f;
    }
  }
  Matrix matrix() const { return {memory_.get(), DType::f32, rows_, cols_, cols_}; }
  double at(std::int64_t row, std::int64_t col) const {
    return static_cast<double>(memory_.get()[row * cols_ + col]);
  }

 private:
  std::int64_t rows_, cols_;
  Memory memory_;
};

struct Problem {
  const Case& c;
  Operand q, k, v, y, lse, dq, dk, dv;

  Problem(const Case& shape, std::mt19937& random)
      : c(shape),
        q(c.B * c.Tq, c.rule.heads * c.W, random),
        k(c.B * c.Tk, c.rule.kv_heads * c.W, random),
        v(c.B * c.Tk, c.rule.kv_heads * c.W, random),
        y(c.B * c.Tq, c.rule.heads * c.W, random),
        lse(c.B * c.Tq, c.rule.heads, random),
        dq(c.B * c.Tq, c.rule.heads * c.W, random),
        dk(c.B * c.Tk, c.rule.kv_heads * c.W, random),
        dv(c.B * c.Tk, c.rule.kv_heads * c.W, random) {}

  AttentionRule rule() const {
    AttentionRule scaled = c.rule;
    scaled.scale = 0.125f;
    return scaled;
  }
  AttentionForwardArgs forward() const {
    return {q.matrix(), k.matrix(), v.matrix(), y.matrix(), lse.matrix(), nullptr, c.B, rule()};
  }
  // y stands in for dy: any numbers do.
  AttentionBackwardArgs backward() const {
    return {q.matrix(),    k.matrix(),    v.matrix(), lse.matrix(), y.matrix(), {dq.matrix()},
            {dk.matrix()}, {dv.matrix()}, nullptr,    c.B,          rule()};
  }
};

// 200 outputs against sums in double; scores are at most 8, so that 1e-5 is 40 times the rounding
// of a sum of 64 products in f32 on the way to a mean of numbers below 1.
bool verify(const Problem& p) {
  const Case& c = p.c;
  std::mt19937 random(5);
  std::vector<double> weights(static_cast<std::size_t>(c.Tk));
  for (int i = 0; i < 200; ++i) {
    const std::int64_t s = random() % c.B, query = random() % c.Tq, head = random() % c.rule.heads;
    const std::int64_t w = random() % c.W, shared = head / (c.rule.heads / c.rule.kv_heads);
    const std::int64_t keys = c.rule.causal ? query + c.Tk - c.Tq + 1 : c.Tk;
    double total = 0, sum = 0;
    for (std::int64_t j = 0; j < keys; ++j) {
      double score = 0;
      for (std::int64_t d = 0; d < c.W; ++d) {
        score += p.q.at(s * c.Tq + query, head * c.W + d) * p.k.at(s * c.Tk + j, shared * c.W + d);
      }
      const double weight = std::exp(0.125 * score);
      total += weight;
      sum += weight * p.v.at(s * c.Tk + j, shared * c.W + w);
    }
    const double got = p.y.at(s * c.Tq + query, head * c.W + w);
    if (!(std::abs(got - sum / total) <= 1e-5)) {
      std::fprintf(stderr, "%s: got %g, expected %g\n", c.name, got, sum / total);
      return false;
    }
  }
  return true;
}

bool run_case(const Case& c, const KernelTable& kernels, Isa isa, ThreadPool& pool,
              const MeasurePlan& plan, const Table& table) {
  std::mt19937 random(1);
  const Problem problem(c, random);
  const AttentionShape shape{c.B, c.Tq, c.Tk, c.rule.heads, c.rule.kv_heads, c.W};
  const std::int64_t bytes = std::max(kernels.attention_workspace(shape, pool.size()),
                                      kernels.attention_backward_workspace(shape, pool.size()));
  const Memory workspace = allocate(bytes / 4);
  void* memory = workspace.get();
  const kernels::LaunchContext launch{&pool, static_cast<std::byte*>(memory), bytes};
  const auto add = [&](const char* pass, double flops, const std::function<void()>& run) {
    const MeasuredRun result = measure_run(plan, isa, pool, flops, run);
    table.add({c.name, pass, std::to_string(pool.size()), format_spread(result.ms),
               format_spread(result.gflops), format_number(result.peak_gflops),
               format_spread(result.share), format_spread(result.cpu_share)});
  };
  const auto forward = [&] { kernels.attention_forward(launch, problem.forward()); };
  forward();
  if (!verify(problem)) return false;
  const double flops = 4.0 * static_cast<double>(c.B * c.rule.heads * c.Tq * c.Tk * c.W);
  add("forward", flops, forward);
  add("backward", 2.5 * flops, [&] { kernels.attention_backward(launch, problem.backward()); });
  return true;
}

int run_all(int argc, char** argv) {
  MeasurePlan plan;
  plan.samples = read_option(argc, argv, "--samples", plan.samples);
  const int most_threads = read_option(argc, argv, "--threads", available_threads());
  const Isa isa = choose_isa();
  const KernelTable& kernels = kernels::cpu_table(isa);
  std::printf("Attention on %s, head width 64, median (p10–p90) of %d samples\n\n",
              std::string(to_string(isa)).c_str(), plan.samples);
  const Table table(
      {"case", "pass", "threads", "ms", "GFLOP/s", "peak", "share of peak, %", "by CPU time, %"});
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
