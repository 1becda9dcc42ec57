// The fused small network beside the same network as linear and activation operations:
//   bench_tiny_network [--samples n] [--threads n] [--crossover 1] [--width n --layers n --rows n]
// --crossover goes through widths 16 to 1024 (docs: where full fusion stops paying); --width runs
// one network. Both sides are verified against the reference device in f64, then measured in turn,
// with the peak of multiply-adds between the samples. FFN_ISA chooses the instruction set.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <ctime>
#include <functional>
#include <memory>
#include <random>

#include "ffn/autograd/executor.h"
#include "ffn/ops/activation.h"
#include "ffn/ops/linear.h"
#include "ffn/ops/tiny_network.h"
#include "ffn/tensor/host.h"
#include "harness.h"

namespace ffn::bench {
namespace {

std::vector<double> random_values(std::int64_t count, double scale) {
  std::mt19937 random(static_cast<unsigned>(count));
  std::vector<double> values;
  for (std::int64_t i = 0; i < count; ++i) {
    const float value = static_cast<float>(random()) * 0x1p-31f - 1.0f;
    values.push_back(static_cast<double>(static_cast<float>(scale) * value));
  }
  return values;
}

// One network with its operands on an executor of its own.
class Network {
 public:
  Network(const Device& device, DType dtype, const TinyNetworkShape& shape, std::int64_t rows)
      : ex_(std::make_unique<Executor>(device)), shape_(shape) {
    x_ = filled({rows, shape.in}, dtype, random_values(rows * shape.in, 1));
    dy_ = filled({rows, shape.out}, dtype, random_values(rows * shape.out, 1));
    // Keeps the values of every layer near 1.
    const std::vector<double> weights =
        random_values(shape.weights(), std::sqrt(6.0 / static_cast<double>(shape.width)));
    all_ = filled({shape.weights()}, dtype, weights);
    for (std::int64_t l = 0; l <= shape.hidden_layers; ++l) {
      const auto first = weights.begin() + shape.offset(l);
      const std::int64_t count = shape.out_of(l) * shape.in_of(l);
      layers_.push_back(filled({shape.out_of(l), shape.in_of(l)}, dtype, {first, first + count}));
    }
  }

  void forward(bool fused) {
    const StepScope step(*ex_);
    const NoTape no_tape(*ex_);
    run(fused, ex_->constant(x_), leaves(fused));
  }
  void train(bool fused) {
    const StepScope step(*ex_);
    const Value y = run(fused, ex_->leaf(x_), leaves(fused));
    ex_->backward(y, dy_);
  }
  // y, dx and the gradient of all weights, one after another.
  std::vector<double> results(bool fused) {
    const StepScope step(*ex_);
    const Value x = ex_->leaf(x_);
    const std::vector<Value> weights = leaves(fused);
    const Value y = run(fused, x, weights);
    ex_->backward(y, dy_);
    std::vector<double> all = host_values(y.tensor);
    const auto append = [&](const Value& value) {
      const std::vector<double> gradient = host_values(ex_->gradient(value));
      all.insert(all.end(), gradient.begin(), gradient.end());
    };
    append(x);
    for (const Value& weight : weights) append(weight);
    return all;
  }
  std::int64_t peak_bytes() const { return ex_->report().peak_bytes; }

 private:
  Tensor filled(const Shape& shape, DType dtype, const std::vector<double>& values) {
    const Tensor tensor = ex_->allocate_persistent({shape, dtype, Role::activation}, Tag::data);
    set_host_values(tensor, values);
    return tensor;
  }
  std::vector<Value> leaves(bool fused) {
    if (fused) return {ex_->leaf(all_)};
    std::vector<Value> weights;
    for (const Tensor& layer : layers_) weights.push_back(ex_->leaf(layer));
    return weights;
  }
  Value run(bool fused, Value x, const std::vector<Value>& weights) {
    if (fused) return tiny_network(*ex_, std::move(x), weights[0], shape_);
    for (std::size_t l = 0; l < weights.size(); ++l) {
      x = linear(*ex_, std::move(x), weights[l]);
      if (l + 1 < weights.size()) {
        x = activation(*ex_, std::move(x), shape_.activation, shape_.beta);
      }
    }
    return x;
  }

  std::unique_ptr<Executor> ex_;
  TinyNetworkShape shape_;
  Tensor x_, dy_, all_;
  std::vector<Tensor> layers_;
};

// Within 3·(L + 1) steps of (K + 16)·u of the largest result, as tests/support derives it.
bool verify(const Device& device, const TinyNetworkShape& shape) {
  const std::int64_t rows = std::clamp<std::int64_t>(6'000'000 / shape.weights(), 7, 301);
  const std::vector<double> exact =
      Network(reference_device(), DType::f64, shape, rows).results(true);
  Network network(device, DType::f32, shape, rows);
  const auto sum = static_cast<double>(std::max({shape.in, shape.width, shape.out, rows}));
  const double steps = 3.0 * static_cast<double>(shape.hidden_layers + 1);
  const std::array<std::int64_t, 3> counts{rows * shape.out, rows * shape.in, shape.weights()};
  for (const bool fused : {true, false}) {
    const std::vector<double> got = network.results(fused);
    std::size_t i = 0;
    for (const std::int64_t count : counts) {
      const std::size_t end = i + static_cast<std::size_t>(count);
      double largest = 0;
      for (std::size_t j = i; j < end; ++j) largest = std::max(largest, std::abs(exact[j]));
      const double bound = steps * (sum + 16) * 0x1p-24 * largest;
      for (; i < end; ++i) {
        if (std::abs(got[i] - exact[i]) <= bound) continue;
        std::fprintf(stderr, "%s: result %zu is %g, expected %g ± %g\n", fused ? "fused" : "layers",
                     i, got[i], exact[i], bound);
        return false;
      }
    }
  }
  return true;
}

struct Timed {
  std::vector<double> ms, cpu_ms;
};
void time_once(Timed& timed, int repeats, const std::function<void()>& run) {
  const std::clock_t cpu = std::clock();
  const Stopwatch watch;
  for (int r = 0; r < repeats; ++r) run();
  timed.ms.push_back(watch.elapsed_ms() / repeats);
  const double seconds = static_cast<double>(std::clock() - cpu) / CLOCKS_PER_SEC;
  timed.cpu_ms.push_back(1e3 * seconds / repeats);
}

struct Setup {
  Isa isa;
  ThreadPool& pool;
  MeasurePlan plan;
};

// A row of the table: fused and layers in turn, a peak beside each pair.
void add_row(const Setup& setup, const Table& table, const TinyNetworkShape& shape,
             std::int64_t rows, bool train) {
  const Device device = cpu_device(setup.pool, setup.isa);
  Network one(device, DType::f32, shape, rows), other(device, DType::f32, shape, rows);
  const std::function<void()> fused = [&] { train ? one.train(true) : one.forward(true); };
  const std::function<void()> layers = [&] { train ? other.train(false) : other.forward(false); };
  for (int i = 0; i < setup.plan.warm_up; ++i) fused(), layers();
  const Stopwatch once;
  fused();
  const int repeats = std::max(1, static_cast<int>(setup.plan.sample_ms / once.elapsed_ms()));
  Timed fused_time, layers_time;
  std::vector<double> peaks, cpu_peaks, ratios;
  for (int i = 0; i < setup.plan.samples; ++i) {
    const PeakSpeed peak = measure_peak(setup.isa, setup.pool);
    peaks.push_back(peak.gflops);
    cpu_peaks.push_back(peak.gflops_per_cpu);
    time_once(fused_time, repeats, fused);
    time_once(layers_time, repeats, layers);
    ratios.push_back(layers_time.cpu_ms.back() / fused_time.cpu_ms.back());
  }
  const double flops =
      (train ? 6e-6 : 2e-6) * static_cast<double>(rows) * static_cast<double>(shape.weights());
  const double peak = summarize(peaks).maximum, cpu_peak = summarize(cpu_peaks).median;
  const auto share = [&](std::vector<double> ms, double limit) {
    for (double& value : ms) value = 100 * flops / value / limit;
    return format_spread(summarize(ms));
  };
  const auto mib = [](std::int64_t bytes) {
    return format_number(static_cast<double>(bytes) / (1 << 20));
  };
  table.add({std::to_string(shape.width) + "×" + std::to_string(shape.hidden_layers),
             std::to_string(rows), train ? "forward + backward" : "forward",
             format_spread(summarize(fused_time.ms)), share(fused_time.ms, peak),
             share(fused_time.cpu_ms, cpu_peak), share(layers_time.cpu_ms, cpu_peak),
             format_spread(summarize(ratios)),
             mib(one.peak_bytes()) + " / " + mib(other.peak_bytes())});
}

bool run_network(const Setup& setup, const Table& table, const TinyNetworkShape& shape,
                 const std::vector<std::int64_t>& rows) {
  if (!verify(cpu_device(setup.pool, setup.isa), shape)) return false;
  for (const std::int64_t N : rows) {
    for (const bool train : {false, true}) add_row(setup, table, shape, N, train);
  }
  return true;
}

struct Case {
  TinyNetworkShape shape;
  std::vector<std::int64_t> rows;
};

// in = out = width, as in the published measurements of such networks.
TinyNetworkShape square(std::int64_t width, std::int64_t layers) {
  return {width, width, width, layers};
}

std::vector<Case> cases_of(int argc, char** argv) {
  const int width = read_option(argc, argv, "--width", 1);
  const int layers = read_option(argc, argv, "--layers", 4);
  const int rows = read_option(argc, argv, "--rows", 1 << 14);
  std::vector<Case> cases;
  if (width > 1) {
    cases.push_back({square(width, layers), {rows}});
  } else if (read_option(argc, argv, "--crossover", 2) == 1) {
    for (const std::int64_t each : {16, 32, 64, 128, 256, 512, 1024}) {
      cases.push_back({square(each, layers), {rows}});
    }
  } else {
    const std::vector<std::int64_t> all{1 << 14, 1 << 15, 1 << 16, 1 << 17};
    for (const std::int64_t deep : {2, 4, 8}) cases.push_back({square(64, deep), all});
    cases.push_back({square(128, 4), all});
    for (const std::int64_t each : {16, 32}) cases.push_back({square(each, 4), {1 << 14, 1 << 17}});
  }
  return cases;
}

int run_all(int argc, char** argv) {
  MeasurePlan plan;
  plan.samples = read_option(argc, argv, "--samples", plan.samples);
  const auto pool = make_thread_pool(read_option(argc, argv, "--threads", 1));
  const Setup setup{choose_isa(), *pool, plan};
  std::printf(
      "Small networks, relu, f32, on %s with %d thread(s), median (p10–p90) of %d samples in turn; "
      "shares count the needed multiply-adds (backward: twice the forward), not those of computing "
      "hidden values again\n\n",
      std::string(to_string(setup.isa)).c_str(), pool->size(), plan.samples);
  const Table table({"network", "rows", "pass", "fused, ms", "share of peak, %", "by CPU time, %",
                     "layers by CPU time, %", "layers / fused by CPU time",
                     "peak MiB fused / layers"});
  for (const Case& each : cases_of(argc, argv)) {
    if (!run_network(setup, table, each.shape, each.rows)) return 1;
  }
  return 0;
}

}  // namespace
}  // namespace ffn::bench

int main(int argc, char** argv) { return ffn::bench::run_all(argc, argv); }
