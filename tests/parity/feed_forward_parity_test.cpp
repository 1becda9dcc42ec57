// Feed-forward layers against PyTorch: outputs and the gradients of the input and of every trained
// weight, auxiliary losses included; of those with states (batch norms' running statistics, a
// router's correction bias) also the states after the step, and inference before it.
#include <cmath>

#include "case_run.h"
#include "ffn/feedforward/registry.h"
#include "ffn/tensor/host.h"

namespace ffn::parity {
namespace {

class FeedForwardParity : public testing::TestWithParam<Place> {};

FeedForwardSite site_of(const Fixture& fixture) {
  FeedForwardSite site;
  site.width = fixture.integer("width");
  site.grid = {fixture.integer("height"), fixture.integer("columns"), fixture.integer("prefix")};
  site.tokens = fixture.at("in.x").shape[0] / fixture.integer("sequences");
  site.causal = fixture.flag("causal");
  site.bias = fixture.flag("bias");
  return site;
}

class LayerCheck {
 public:
  LayerCheck(const Fixture& fixture, const Place& place)
      : fixture_(fixture), place_(place), ex_(place.device()) {
    const std::string quoted = fixture.text("attr.design");
    const FeedForwardSpec spec = standard_designs().parse(quoted.substr(1, quoted.size() - 2));
    layer_ = standard_designs().build(spec, site_of(fixture), parameters_);
    parameters_.finalize(ex_, place.dtype());
  }

  // Every array is x, its output, the seed, a weight and its gradient, a frozen weight, or a state
  // before and after the step; and the output in inference where there are states.
  void set_weights() {
    std::size_t arrays = 4;
    for (Parameter& parameter : parameters_.all()) {
      const Array& array = fixture_.at("in." + parameter.name);
      ASSERT_EQ(array.shape, parameter.shape) << parameter.name;
      set_host_values(parameter.trainable() ? parameter.master : parameter.value, array.values);
      arrays += fixture_.has("grad." + parameter.name) ? 2 : 1;
    }
    parameters_.weights_changed(ex_);
    for (State& state : parameters_.states()) {
      std::vector<double> values;
      for (const std::string& row : state.row_names) {
        const Array& array = fixture_.at("in." + row);
        values.insert(values.end(), array.values.begin(), array.values.end());
        arrays += 2;
      }
      set_host_values(state.tensor, values);
    }
    if (!parameters_.states().empty()) ++arrays;
    ASSERT_EQ(fixture_.arrays().size(), arrays);
  }

  void inference() {
    if (parameters_.states().empty()) return;
    const EvalScope scope(ex_);
    CaseRun inputs(ex_, fixture_, place_.dtype());
    compare("out.eval", host_values(forward(inputs.input("x")).tensor));
  }

  void step() {
    {
      const StepScope scope(ex_);
      CaseRun inputs(ex_, fixture_, place_.dtype());
      const Value x = inputs.input("x");
      const Value y = forward(x);
      const Tensor seed =
          ex_.allocate_persistent({y.shape(), place_.dtype(), Role::activation}, Tag::data);
      set_host_values(seed, fixture_.at("seed").values);
      ex_.backward(y, seed);
      compare("out.y", host_values(y.tensor));
      compare("grad.x", host_values(ex_.gradient(x)));
      for (const Parameter& parameter : parameters_.all()) compare_gradient(parameter);
    }
    for (const State& state : parameters_.states()) {
      const std::vector<double> values = host_values(state.tensor);
      const std::size_t cols = values.size() / state.row_names.size();
      for (std::size_t row = 0; row < state.row_names.size(); ++row)
        compare("out." + state.row_names[row], std::span(values).subspan(row * cols, cols));
    }
  }

 private:
  Value forward(const Value& x) { return layer_->forward(ex_, x, fixture_.integer("sequences")); }

  void compare(const std::string& key, std::span<const double> found) {
    expect_close(fixture_.at(key), found, tolerance(fixture_, key, place_), key);
  }

  // A frozen weight has none. A bias before a batch norm has none in the file: its gradient is 0, a
  // sum over K rows whose terms are as large as the gradient of its map's weight (which has inputs
  // of order 1 beside them). It errs by (K + 2)·2^-24 of the sum of their magnitudes, at most K
  // times the largest.
  void compare_gradient(const Parameter& parameter) {
    const std::string key = "grad." + parameter.name;
    if (!parameter.trainable()) {
      EXPECT_FALSE(fixture_.has(key)) << key << " of a frozen weight";
      return;
    }
    const std::vector<double> found = host_values(parameter.slot.gradient);
    if (fixture_.has(key)) return compare(key, found);
    const std::string map = parameter.name.substr(0, parameter.name.rfind(".bias"));
    ASSERT_NE(parameters_.find(map + "_norm.weight"), nullptr) << parameter.name;
    double scale = 0;
    for (const double value : fixture_.at("grad." + map + ".weight").values)
      scale = std::max(scale, std::abs(value));
    const auto rows = static_cast<double>(fixture_.at("in.x").shape[0]);
    const double allowed = (place_.reference ? 1e-12 : (rows + 2) * rows * 0x1p-24) * scale;
    for (const double value : found) EXPECT_LE(std::abs(value), allowed) << key;
  }

  const Fixture& fixture_;
  const Place& place_;
  Executor ex_;
  ParameterSet parameters_;
  std::unique_ptr<FeedForward> layer_;
};

void check_layer(const Fixture& fixture, const Place& place) {
  SCOPED_TRACE(fixture.name());
  LayerCheck check(fixture, place);
  ASSERT_NO_FATAL_FAILURE(check.set_weights());
  check.inference();
  check.step();
}

TEST_P(FeedForwardParity, OutputsAndGradients) {
  const auto files = fixture_files("designs");
  EXPECT_GE(files.size(), 36u);
  for (const auto& file : files) check_layer(Fixture(file), GetParam());
}

TEST_P(FeedForwardParity, ExpertLayers) {
  const auto files = fixture_files("experts");
  EXPECT_GE(files.size(), 28u);
  for (const auto& file : files) check_layer(Fixture(file), GetParam());
}

INSTANTIATE_TEST_SUITE_P(Places, FeedForwardParity, testing::ValuesIn(places()),
                         testing::PrintToStringParamName());

}  // namespace
}  // namespace ffn::parity
