// Feed-forward layers against PyTorch: outputs and the gradients of the input and of every weight.
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

void check_layer(const Fixture& fixture, const Place& place) {
  SCOPED_TRACE(fixture.name());
  Executor ex(place.device());
  ParameterSet parameters;
  const std::string quoted = fixture.text("attr.design");
  const FeedForwardSpec spec = standard_designs().parse(quoted.substr(1, quoted.size() - 2));
  const auto layer = standard_designs().build(spec, site_of(fixture), parameters);
  parameters.finalize(ex, place.dtype());
  std::size_t weights = 0;
  for (Parameter& parameter : parameters.all()) {
    const Array& array = fixture.at("in." + parameter.name);
    ASSERT_EQ(array.shape, parameter.shape) << parameter.name;
    set_host_values(parameter.master, array.values);
    ++weights;
  }
  parameters.weights_changed(ex);
  // Every array is x, its output, the seed, or a weight and its gradient.
  ASSERT_EQ(fixture.arrays().size(), 2 * weights + 4);

  CaseRun inputs(ex, fixture, place.dtype());
  const Value x = inputs.input("x");
  Value y = layer->forward(ex, x, fixture.integer("sequences"));

  const Tensor seed =
      ex.allocate_persistent({y.shape(), place.dtype(), Role::activation}, Tag::data);
  set_host_values(seed, fixture.at("seed").values);
  ex.backward(y, seed);
  const auto compare = [&](const std::string& key, const Tensor& found) {
    expect_close(fixture.at(key), host_values(found), tolerance(fixture, key, place), key);
  };
  compare("out.y", y.tensor);
  compare("grad.x", ex.gradient(x));
  for (const Parameter& parameter : parameters.all())
    compare("grad." + parameter.name, parameter.slot.gradient);
}

TEST_P(FeedForwardParity, OutputsAndGradients) {
  const auto files = fixture_files("designs");
  EXPECT_GE(files.size(), 24u);
  for (const auto& file : files) check_layer(Fixture(file), GetParam());
}

INSTANTIATE_TEST_SUITE_P(Places, FeedForwardParity, testing::ValuesIn(places()),
                         testing::PrintToStringParamName());

}  // namespace
}  // namespace ffn::parity
