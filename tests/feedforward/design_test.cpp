// Every registered design: gradients, costs, memory, taps.
#include <gtest/gtest.h>

#include <cmath>
#include <complex>

#include "ffn/autograd/initialize.h"
#include "ffn/base/philox.h"
#include "ffn/base/scalar.h"
#include "ffn/feedforward/registry.h"
#include "ffn/tensor/host.h"
#include "support/complex_step.h"

namespace ffn {
namespace {

constexpr std::int64_t kWidth = 5, kSequences = 2;
constexpr TokenGrid kGrid{2, 3, 1};
constexpr std::int64_t kRows = kSequences * (1 + 2 * 3);

// At least one text per design; activations without a kink, so that complex steps are exact.
const char* const kTexts[] = {"mlp(gelu)",
                              "mlp(silu, hidden=9)",
                              "mlp(tanh, x1.4)",
                              "glu(silu)",
                              "glu(identity, hidden=7)",
                              "glu(gelu_tanh, hidden=3)",
                              "dwconv(gelu, hidden=6)",
                              "dwconv(silu, k=1)",
                              "dwconv(gelu, k=5)"};

FeedForwardSite site(bool bias) {
  FeedForwardSite made;
  made.width = kWidth;
  made.grid = kGrid;
  made.bias = bias;
  return made;
}

std::vector<double> numbers(const char* name, std::int64_t count, double scale) {
  const RandomStream stream(5, name);
  std::vector<double> values;
  for (std::int64_t i = 0; i < count; ++i)
    values.push_back(static_cast<double>(
        static_cast<float>(scale * stream.normal(0, static_cast<std::uint64_t>(i)))));
  return values;
}

// A layer with its weights, all of them 0.5 times standard normals of their names.
struct Layer {
  Layer(Executor& executor, std::string_view text, bool bias, DType dtype) : ex(executor) {
    layer = standard_designs().build(standard_designs().parse(text), site(bias), parameters);
    parameters.finalize(ex, dtype);
    for (Parameter& parameter : parameters.all())
      if (!ex.dry())
        set_host_values(parameter.master,
                        numbers(parameter.name.c_str(), parameter.shape.count(), 0.5));
    parameters.weights_changed(ex);
  }
  Tensor input(const char* name, DType dtype) const {
    Tensor x = ex.allocate_persistent({{kRows, kWidth}, dtype, Role::activation}, Tag::data);
    if (!ex.dry()) set_host_values(x, numbers(name, kRows * kWidth, 1));
    return x;
  }

  Executor& ex;
  ParameterSet parameters;
  std::unique_ptr<FeedForward> layer;
};

void fill_complex(const Tensor& tensor, const test::ComplexValues& values) {
  std::ranges::copy(values, host_span<std::complex<double>>(tensor).begin());
}

class Designs : public testing::TestWithParam<std::tuple<const char*, bool>> {
 protected:
  const char* text() const { return std::get<0>(GetParam()); }
  bool bias() const { return std::get<1>(GetParam()); }
};

TEST_P(Designs, GradientsEqualTheComplexStep) {
  Executor ex(reference_device());
  Layer made(ex, text(), bias(), DType::f64);
  const Value x = ex.leaf(made.input("x", DType::f64));
  const std::vector<double> seed = numbers("seed", kRows * kWidth, 1);
  ex.backward(made.layer->forward(ex, x), made.input("seed", DType::f64));

  std::vector<std::string> names{"x"};
  std::vector<std::vector<double>> values{host_values(x.tensor)};
  std::vector<std::vector<double>> gradients{host_values(ex.gradient(x))};
  for (const Parameter& parameter : made.parameters.all()) {
    names.push_back(parameter.name);
    values.push_back(host_values(parameter.master));
    gradients.push_back(host_values(parameter.slot.gradient));
  }
  std::vector<test::ComplexStepInput> inputs;
  for (std::size_t i = 0; i < names.size(); ++i)
    inputs.push_back({names[i], values[i], gradients[i]});
  EXPECT_TRUE(test::check_complex_step(inputs, [&](const test::ComplexPoint& point) {
    Executor complex_ex(reference_device());
    Layer at(complex_ex, text(), bias(), DType::c128);
    const Tensor moved = at.input("x", DType::c128);
    fill_complex(moved, point[0]);
    std::size_t next = 1;
    for (Parameter& parameter : at.parameters.all()) fill_complex(parameter.master, point[next++]);
    at.parameters.weights_changed(complex_ex);
    const NoTape no_tape(complex_ex);
    const Value y = at.layer->forward(complex_ex, complex_ex.constant(moved));
    const auto outputs = host_span<std::complex<double>>(y.tensor);
    std::complex<double> sum = 0;
    for (std::size_t i = 0; i < seed.size(); ++i) sum += seed[i] * outputs[i];
    return sum;
  }));
}

TEST_P(Designs, SingleEqualsDoubleOnEveryIsa) {
  Executor exact_ex(reference_device());
  Layer exact(exact_ex, text(), bias(), DType::f64);
  const NoTape no_tape(exact_ex);
  const std::vector<double> expected = host_values(
      exact.layer->forward(exact_ex, exact_ex.constant(exact.input("x", DType::f64))).tensor);
  double largest = 0;
  for (const double value : expected) largest = std::max(largest, std::abs(value));
  for (const Isa isa : supported_isas()) {
    Executor ex(cpu_device(serial_pool(), isa));
    Layer made(ex, text(), bias(), DType::f32);
    const NoTape quiet(ex);
    const std::vector<double> found =
        host_values(made.layer->forward(ex, ex.constant(made.input("x", DType::f32))).tensor);
    // Two products of at most 40 terms each, one function between them.
    for (std::size_t i = 0; i < expected.size(); ++i)
      EXPECT_NEAR(found[i], expected[i], 200 * 0x1p-24 * largest) << to_string(isa);
  }
}

TEST_P(Designs, CostsAreWhatTheLayerTakes) {
  Executor ex(cpu_device(serial_pool()));
  Layer made(ex, text(), bias(), DType::f32);
  const FeedForwardCosts costs = made.layer->costs();
  std::int64_t count = 0;
  for (const Parameter& parameter : made.parameters.all()) count += parameter.shape.count();
  EXPECT_EQ(costs.parameters, count);
  EXPECT_EQ(costs.active_parameters, count);
  const FeedForwardCosts declared =
      standard_designs().costs(standard_designs().parse(text()), site(bias()));
  EXPECT_EQ(declared.parameters, count);
  EXPECT_EQ(declared.flops_per_token, costs.flops_per_token);
  ex.reset_report();
  const NoTape no_tape(ex);
  made.layer->forward(ex, ex.constant(made.input("x", DType::f32)));
  // Class tokens skip a convolution: at most that much less than the rows' worth.
  const std::int64_t rows_worth = costs.flops_per_token * kRows;
  EXPECT_LE(ex.report().forward_flops, rows_worth);
  EXPECT_GE(ex.report().forward_flops, rows_worth - kSequences * 2 * 25 * costs.hidden);
  if (std::string_view(text()).find("dwconv") == std::string_view::npos) {
    EXPECT_EQ(ex.report().forward_flops, rows_worth);
  }
}

PlanReport two_steps(const Device& device, MemoryMode memory, const char* text, bool bias) {
  Executor ex(device, memory);
  Layer made(ex, text, bias, DType::f32);
  const Tensor x = made.input("x", DType::f32), seed = made.input("seed", DType::f32);
  for (int step = 0; step < 2; ++step) {
    made.parameters.reset_gradients();
    const StepScope scope(ex);
    Values inputs;
    inputs.push_back(ex.leaf(x));
    const Values y = ex.segment(std::move(inputs), [&](Executor& e, std::span<const Value> in) {
      Values out;
      out.push_back(made.layer->forward(e, in[0]));
      return out;
    });
    ex.backward(y[0], seed);
  }
  return ex.report();
}

TEST_P(Designs, MemoryIsPredictedToTheByte) {
  const Device device = cpu_device(serial_pool());
  for (const MemoryMode memory : {MemoryMode::store, MemoryMode::recompute}) {
    const PlanReport planned = two_steps(dry_device(device), memory, text(), bias());
    const PlanReport measured = two_steps(device, memory, text(), bias());
    EXPECT_EQ(planned, measured);
    EXPECT_GT(measured.peak_bytes, 0);
  }
}

TEST_P(Designs, TapsAreReadAndReplaced) {
  Executor ex(cpu_device(serial_pool()));
  Layer made(ex, text(), bias(), DType::f32);
  const NoTape no_tape(ex);
  const Value x = ex.constant(made.input("x", DType::f32));
  for (const std::string_view name : made.layer->taps()) {
    int seen = 0;
    const auto count = [&](const Tensor& value) {
      ++seen;
      EXPECT_EQ(value.rows(), kRows) << name;
    };
    ex.taps().set(name, {count, {}});
    made.layer->forward(ex, x);
    EXPECT_EQ(seen, 1) << name;
    ex.taps().clear();
  }
}

INSTANTIATE_TEST_SUITE_P(Zoo, Designs,
                         testing::Combine(testing::ValuesIn(kTexts), testing::Bool()));

TEST(Registry, EveryDesignIsTested) {
  for (const DesignEntry& entry : standard_designs().entries()) {
    int cases = 0;
    for (const char* text : kTexts)
      cases += standard_designs().parse(text).design == entry.name ? 1 : 0;
    EXPECT_GE(cases, 1) << entry.name << " has no case in kTexts";
  }
}

TEST(Registry, AProgramMayAddItsOwn) {
  DesignRegistry own = standard_designs();
  DesignEntry entry = own.at("mlp");
  EXPECT_THROW(own.add(entry), Error);
  entry.name = "mine";
  own.add(entry);
  EXPECT_EQ(own.parse("mine(gelu)").design, "mine");
  EXPECT_THROW(standard_designs().parse("mine(gelu)"), Error);
}

TEST(Registry, ConvolutionsNeedAGrid) {
  FeedForwardSite none;
  none.width = 8;
  ParameterSet parameters;
  EXPECT_THROW(standard_designs().build(standard_designs().parse("dwconv(gelu)"), none, parameters),
               Error);
}

}  // namespace
}  // namespace ffn
