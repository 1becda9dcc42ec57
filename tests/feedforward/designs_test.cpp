// What every design must do: gradients, costs, memory, taps. Its cases stand in <design>_test.cpp.
#include "feedforward/designs.h"

#include <cmath>
#include <complex>

#include "ffn/autograd/initialize.h"
#include "ffn/base/scalar.h"
#include "ffn/feedforward/registry.h"
#include "ffn/tensor/host.h"
#include "support/complex_step.h"

namespace ffn {
namespace {

using test::DesignCase;
using test::Designs;
using test::kWidth;
using test::numbers;

// A layer with its weights, all of them 0.5 times standard normals of their names.
struct Layer {
  Layer(Executor& executor, const DesignCase& design, DType dtype)
      : ex(executor), rows(design.rows()), sequences(design.sequences) {
    layer =
        standard_designs().build(standard_designs().parse(design.text), design.site(), parameters);
    parameters.finalize(ex, dtype);
    for (Parameter& parameter : parameters.all())
      if (!ex.dry())
        set_host_values(parameter.stored(),
                        numbers(parameter.name.c_str(), parameter.shape.count(), 0.5));
    parameters.weights_changed(ex);
  }
  Tensor input(const char* name, DType dtype) const {
    Tensor x = ex.allocate_persistent({{rows, kWidth}, dtype, Role::activation}, Tag::data);
    if (!ex.dry()) set_host_values(x, numbers(name, rows * kWidth, 1));
    return x;
  }
  Value forward(const Value& x) const { return layer->forward(ex, x, sequences); }

  Executor& ex;
  std::int64_t rows, sequences;
  ParameterSet parameters;
  std::unique_ptr<FeedForward> layer;
};

void fill_complex(const Tensor& tensor, const test::ComplexValues& values) {
  std::ranges::copy(values, host_span<std::complex<double>>(tensor).begin());
}

// A batch norm takes its map's bias out again: the bias's gradient is 0, a sum of terms that
// cancel. Their absolute sums are those of the weight's gradient up to inputs of order 1. Empty
// elsewhere.
std::vector<double> cancelling_terms(ParameterSet& parameters, const Parameter& bias) {
  constexpr std::string_view kBias = ".bias";
  if (!bias.name.ends_with(kBias)) return {};
  const std::string map = bias.name.substr(0, bias.name.size() - kBias.size());
  if (parameters.find(map + "_norm.weight") == nullptr) return {};
  const std::vector<double> weight = host_values(parameters.at(map + ".weight").slot.gradient);
  const auto outputs = static_cast<std::size_t>(bias.shape.count());
  std::vector<double> terms(outputs, 0.0);
  for (std::size_t i = 0; i < weight.size(); ++i) {
    double& largest = terms[i / (weight.size() / outputs)];
    largest = std::max(largest, std::abs(weight[i]));
  }
  return terms;
}

TEST_P(Designs, GradientsEqualTheComplexStep) {
  Executor ex(reference_device());
  Layer made(ex, GetParam(), DType::f64);
  const Value x = ex.leaf(made.input("x", DType::f64));
  const std::vector<double> seed = numbers("seed", made.rows * kWidth, 1);
  ex.backward(made.forward(x), made.input("seed", DType::f64));

  std::vector<std::string> names{"x"};
  std::vector<std::vector<double>> values{host_values(x.tensor)};
  std::vector<std::vector<double>> gradients{host_values(ex.gradient(x))};
  std::vector<std::vector<double>> magnitudes(1);
  for (const Parameter& parameter : made.parameters.all()) {
    if (!parameter.trainable()) continue;
    names.push_back(parameter.name);
    values.push_back(host_values(parameter.master));
    gradients.push_back(host_values(parameter.slot.gradient));
    magnitudes.push_back(cancelling_terms(made.parameters, parameter));
  }
  std::vector<test::ComplexStepInput> inputs;
  for (std::size_t i = 0; i < names.size(); ++i)
    inputs.push_back({names[i], values[i], gradients[i], magnitudes[i]});
  EXPECT_TRUE(test::check_complex_step(inputs, [&](const test::ComplexPoint& point) {
    Executor complex_ex(reference_device());
    Layer at(complex_ex, GetParam(), DType::c128);
    const Tensor moved = at.input("x", DType::c128);
    fill_complex(moved, point[0]);
    std::size_t next = 1;
    for (Parameter& parameter : at.parameters.all())
      if (parameter.trainable()) fill_complex(parameter.master, point[next++]);
    at.parameters.weights_changed(complex_ex);
    const NoTape no_tape(complex_ex);
    const Value y = at.forward(complex_ex.constant(moved));
    const auto outputs = host_span<std::complex<double>>(y.tensor);
    std::complex<double> sum = 0;
    for (std::size_t i = 0; i < seed.size(); ++i) sum += seed[i] * outputs[i];
    return sum;
  }));
}

TEST_P(Designs, SingleEqualsDoubleOnEveryIsa) {
  Executor exact_ex(reference_device());
  Layer exact(exact_ex, GetParam(), DType::f64);
  const NoTape no_tape(exact_ex);
  const std::vector<double> expected =
      host_values(exact.forward(exact_ex.constant(exact.input("x", DType::f64))).tensor);
  double largest = 0;
  for (const double value : expected) largest = std::max(largest, std::abs(value));
  for (const Isa isa : supported_isas()) {
    Executor ex(cpu_device(serial_pool(), isa));
    Layer made(ex, GetParam(), DType::f32);
    const NoTape quiet(ex);
    const std::vector<double> found =
        host_values(made.forward(ex.constant(made.input("x", DType::f32))).tensor);
    for (std::size_t i = 0; i < expected.size(); ++i)
      EXPECT_NEAR(found[i], expected[i], GetParam().units * 0x1p-24 * largest) << to_string(isa);
  }
}

// A token may meet a part of the parameters only.
bool takes_experts_of(const DesignCase& design) {
  const FeedForwardSpec spec = standard_designs().parse(design.text);
  return standard_designs().at(spec.design).argument == DesignArgument::experts;
}

TEST_P(Designs, CostsAreWhatTheLayerTakes) {
  Executor ex(cpu_device(serial_pool()));
  Layer made(ex, GetParam(), DType::f32);
  const FeedForwardCosts costs = made.layer->costs();
  std::int64_t count = 0;
  for (const Parameter& parameter : made.parameters.all()) count += parameter.shape.count();
  EXPECT_EQ(costs.parameters, count);
  EXPECT_GT(costs.active_parameters, 0);
  EXPECT_LE(costs.active_parameters, count);
  if (!takes_experts_of(GetParam())) {
    EXPECT_EQ(costs.active_parameters, count);
  }
  std::int64_t frozen = 0;
  for (const Parameter& parameter : made.parameters.all())
    frozen += parameter.trainable() ? 0 : parameter.shape.count();
  EXPECT_EQ(costs.frozen_parameters, frozen);
  const FeedForwardCosts declared =
      standard_designs().costs(standard_designs().parse(GetParam().text), GetParam().site());
  EXPECT_EQ(declared.parameters, count);
  EXPECT_EQ(declared.flops_per_token, costs.flops_per_token);
  ex.reset_report();
  const NoTape no_tape(ex);
  made.forward(ex.constant(made.input("x", DType::f32)));
  // Costs are a grid token's; class tokens may skip some of the work, or all of it.
  const DesignCase& c = GetParam();
  EXPECT_LE(ex.report().forward_flops, costs.flops_per_token * made.rows);
  EXPECT_GE(ex.report().forward_flops,
            costs.flops_per_token * c.sequences * (c.tokens() - c.site().grid.prefix));
}

PlanReport two_steps(const Device& device, MemoryMode memory, const DesignCase& design) {
  Executor ex(device, memory);
  Layer made(ex, design, DType::f32);
  const Tensor x = made.input("x", DType::f32), seed = made.input("seed", DType::f32);
  for (int step = 0; step < 2; ++step) {
    made.parameters.reset_gradients();
    const StepScope scope(ex);
    Values inputs;
    inputs.push_back(ex.leaf(x));
    const Values y = ex.segment(std::move(inputs), [&](Executor& e, std::span<const Value> in) {
      Values out;
      out.push_back(made.layer->forward(e, in[0], made.sequences));
      return out;
    });
    ex.backward(y[0], seed);
  }
  return ex.report();
}

TEST_P(Designs, MemoryIsPredictedToTheByte) {
  const Device device = cpu_device(serial_pool());
  for (const MemoryMode memory :
       {MemoryMode::store, MemoryMode::recompute_hidden, MemoryMode::recompute}) {
    const PlanReport planned = two_steps(dry_device(device), memory, GetParam());
    const PlanReport measured = two_steps(device, memory, GetParam());
    EXPECT_EQ(planned, measured);
    EXPECT_GT(measured.peak_bytes, 0);
  }
}

TEST_P(Designs, TapsAreReadAndReplaced) {
  Executor ex(cpu_device(serial_pool()));
  Layer made(ex, GetParam(), DType::f32);
  const NoTape no_tape(ex);
  const Value x = ex.constant(made.input("x", DType::f32));
  for (const std::string_view name : made.layer->taps()) {
    int seen = 0;
    const auto count = [&](const Tensor& value) {
      ++seen;
      EXPECT_GE(value.shape().count(), made.sequences) << name;
    };
    ex.taps().set(name, {count, {}});
    const StepScope step(ex);  // running statistics move once a step
    made.forward(x);
    EXPECT_EQ(seen, 1) << name;
    ex.taps().clear();
  }
}

}  // namespace
}  // namespace ffn
