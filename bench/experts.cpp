// A layer of experts beside the dense layer of equal active products, forward and backward in turn:
//   bench_experts [--samples n] [--threads n] [--rows n]
// Routing is fixed from outside: every expert alike, or by Zipf's law (expert e as often as
// 1/(e + 1)). Both sides are the registry's designs; the one with experts is verified against the
// reference device in f64 on a small number of rows. FFN_ISA chooses the instruction set.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <memory>
#include <random>

#include "ffn/autograd/initialize.h"
#include "ffn/base/philox.h"
#include "ffn/base/timer.h"
#include "ffn/feedforward/registry.h"
#include "ffn/tensor/host.h"
#include "harness.h"

namespace ffn::bench {
namespace {

enum class Shares { uniform, zipf };

// K different experts for each row, drawn by the shares.
std::vector<std::int32_t> draw_choices(std::int64_t rows, std::int64_t E, std::int64_t K,
                                       Shares shares) {
  std::mt19937 random(7);
  std::vector<double> weights(static_cast<std::size_t>(E), 1.0);
  if (shares == Shares::zipf)
    for (std::size_t e = 0; e < weights.size(); ++e) weights[e] = 1 / static_cast<double>(e + 1);
  std::vector<std::int32_t> choices;
  for (std::int64_t row = 0; row < rows; ++row) {
    std::vector<double> left = weights;
    for (std::int64_t k = 0; k < K; ++k) {
      std::discrete_distribution<std::int32_t> draw(left.begin(), left.end());
      choices.push_back(draw(random));
      left[static_cast<std::size_t>(choices.back())] = 0;
    }
  }
  return choices;
}

struct Case {
  const char *experts, *dense;  // design texts
  std::int64_t width, count, top;
};

// One layer with its operands on an executor of its own.
class Layer {
 public:
  Layer(const Device& device, DType dtype, const char* text, std::int64_t width, std::int64_t rows)
      : ex_(std::make_unique<Executor>(device)), rows_(rows) {
    FeedForwardSite site;
    site.width = width;
    site.tokens = rows;
    site.bias = false;
    site.weight_init = {Init::Kind::normal, 0, 0.02};
    layer_ = standard_designs().build(standard_designs().parse(text), site, parameters_);
    parameters_.finalize(*ex_, dtype);
    initialize_all(*ex_, parameters_, 1);
    x_ = numbers("x", dtype, width);
    dy_ = numbers("dy", dtype, width);
  }
  void choose(const std::vector<std::int32_t>& choices, std::int64_t K) {
    choice_ = ex_->allocate_persistent({{rows_, K}, DType::i32, Role::activation}, Tag::data);
    std::ranges::copy(choices, choice_.data_as<std::int32_t>());
    ex_->taps().set("choice",
                    {{}, [this](Executor& ex, const Value&) { return ex.constant(choice_); }});
  }
  void step() {
    parameters_.reset_gradients();
    const StepScope scope(*ex_);
    ex_->backward(layer_->forward(*ex_, ex_->leaf(x_), 1), dy_);
  }
  // y, dx and all gradients of weights.
  std::vector<double> results() {
    parameters_.reset_gradients();
    const StepScope scope(*ex_);
    const Value x = ex_->leaf(x_);
    const Value y = layer_->forward(*ex_, x, 1);
    std::vector<double> all = host_values(y.tensor);
    ex_->backward(y, dy_);
    const std::vector<double> dx = host_values(ex_->gradient(x));
    all.insert(all.end(), dx.begin(), dx.end());
    const std::vector<double> gradients = host_values(parameters_.gradients());
    all.insert(all.end(), gradients.begin(), gradients.end());
    return all;
  }
  const FeedForward& layer() const { return *layer_; }
  std::int64_t peak_bytes() const { return ex_->report().peak_bytes; }

 private:
  Tensor numbers(const char* name, DType dtype, std::int64_t width) {
    const Tensor made =
        ex_->allocate_persistent({{rows_, width}, dtype, Role::activation}, Tag::data);
    const RandomStream stream(3, name);
    std::vector<double> values;
    for (std::int64_t i = 0; i < rows_ * width; ++i)
      values.push_back(
          static_cast<double>(static_cast<float>(stream.normal(0, static_cast<std::uint64_t>(i)))));
    set_host_values(made, values);
    return made;
  }

  std::unique_ptr<Executor> ex_;
  std::int64_t rows_;
  ParameterSet parameters_;
  std::unique_ptr<FeedForward> layer_;
  Tensor x_, dy_, choice_;
};

// Each of the three parts within 1e-4 of its largest entry: a wrong row or expert is of order 1.
bool verify(const Device& device, const Case& c) {
  const std::int64_t rows = 37;
  const auto choices = draw_choices(rows, c.count, c.top, Shares::zipf);
  Layer exact(reference_device(), DType::f64, c.experts, c.width, rows);
  Layer fast(device, DType::f32, c.experts, c.width, rows);
  exact.choose(choices, c.top);
  fast.choose(choices, c.top);
  const std::vector<double> expected = exact.results(), found = fast.results();
  double largest = 0, difference = 0;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    largest = std::max(largest, std::abs(expected[i]));
    difference = std::max(difference, std::abs(expected[i] - found[i]));
  }
  if (difference <= 1e-4 * largest) return true;
  std::fprintf(stderr, "%s differs from the reference by %g of %g\n", c.experts, difference,
               largest);
  return false;
}

struct Setup {
  Isa isa;
  ThreadPool& pool;
  MeasurePlan plan;
};

double time_ms(Layer& layer) {
  const Stopwatch watch;
  layer.step();
  return watch.elapsed_ms();
}

void add_row(const Setup& setup, const Table& table, const Case& c, std::int64_t rows,
             Shares shares) {
  const Device device = cpu_device(setup.pool, setup.isa);
  Layer experts(device, DType::f32, c.experts, c.width, rows);
  Layer dense(device, DType::f32, c.dense, c.width, rows);
  experts.choose(draw_choices(rows, c.count, c.top, shares), c.top);
  for (int i = 0; i < setup.plan.warm_up; ++i) experts.step(), dense.step();
  std::vector<double> ms, dense_ms, ratios, peaks;
  for (int i = 0; i < setup.plan.samples; ++i) {
    peaks.push_back(measure_peak(setup.isa, setup.pool).gflops);
    ms.push_back(time_ms(experts));
    dense_ms.push_back(time_ms(dense));
    ratios.push_back(ms.back() / dense_ms.back());
  }
  const double flops =
      3e-6 * static_cast<double>(rows) * static_cast<double>(dense.layer().costs().flops_per_token);
  const auto share = [&](double time) {
    return format_number(100 * flops / time / summarize(peaks).maximum);
  };
  const auto mib = [](std::int64_t bytes) {
    return format_number(static_cast<double>(bytes) / (1 << 20));
  };
  table.add({c.experts, c.dense, std::to_string(c.width), std::to_string(rows),
             shares == Shares::uniform ? "uniform" : "Zipf", format_spread(summarize(ms)),
             format_spread(summarize(dense_ms)), format_spread(summarize(ratios)),
             share(summarize(ms).median) + " / " + share(summarize(dense_ms).median),
             mib(experts.peak_bytes()) + " / " + mib(dense.peak_bytes())});
}

int run_all(int argc, char** argv) {
  // SmolLM2's layer cut into 8 experts of half the width for each of two; 64 narrow ones.
  const Case cases[] = {
      {"moe(8, glu(silu, hidden=1536), top=2, balance=0)", "glu(silu, hidden=3072)", 576, 8, 2},
      {"moe(64, glu(silu, hidden=256), top=6, balance=0)", "glu(silu, hidden=1536)", 576, 64, 6}};
  MeasurePlan plan;
  plan.samples = read_option(argc, argv, "--samples", 11);
  const auto pool = make_thread_pool(read_option(argc, argv, "--threads", available_threads()));
  const Setup setup{choose_isa(), *pool, plan};
  const int rows = read_option(argc, argv, "--rows", 1);
  std::printf(
      "Experts beside the dense layer of equal active products, f32, forward + backward, on %s "
      "with "
      "%d thread(s), median (p10–p90) of %d samples in turn\n\n",
      std::string(to_string(setup.isa)).c_str(), pool->size(), plan.samples);
  const Table table({"experts", "dense", "D", "N", "routing", "experts, ms", "dense, ms",
                     "experts / dense", "share of peak, %", "peak MiB"});
  for (const Case& c : cases) {
    if (!verify(cpu_device(*pool, setup.isa), c)) return 1;
    for (const std::int64_t N :
         rows > 1 ? std::vector<std::int64_t>{rows} : std::vector<std::int64_t>{1024, 4096})
      for (const Shares shares : {Shares::uniform, Shares::zipf})
        add_row(setup, table, c, N, shares);
  }
  return 0;
}

}  // namespace
}  // namespace ffn::bench

int main(int argc, char** argv) { return ffn::bench::run_all(argc, argv); }
