// Ten steps of training against PyTorch: the loss of every step and the weights after the last.
#include "case_run.h"
#include "ffn/ops/activation.h"
#include "ffn/ops/cross_entropy.h"
#include "ffn/ops/linear.h"
#include "ffn/tensor/host.h"
#include "ffn/train/adamw.h"

namespace ffn::parity {
namespace {

struct WeightRule {
  std::string name;
  bool decay;
};
const WeightRule kWeights[] = {
    {"up", true}, {"up_bias", false}, {"down", true}, {"down_bias", false}};

AdamWOptions options_of(const Fixture& fixture) {
  AdamWOptions options;
  options.learning_rate = fixture.number("learning_rate");
  options.beta1 = fixture.number("beta1");
  options.beta2 = fixture.number("beta2");
  options.eps = fixture.number("eps");
  options.weight_decay = fixture.number("weight_decay");
  return options;
}

class Curve : public testing::TestWithParam<Place> {};

TEST_P(Curve, AnMlpUnderAdamWMatchesPyTorch) {
  const Place& place = GetParam();
  const auto files = fixture_files("curves");
  ASSERT_EQ(files.size(), 1u);
  const Fixture fixture(files[0]);
  ASSERT_EQ(fixture.op(), "mlp_adamw");

  Executor ex(place.device());
  ParameterSet parameters;
  for (const WeightRule& rule : kWeights)
    parameters.add(rule.name, fixture.at("in." + rule.name).shape, {.decay = rule.decay});
  parameters.finalize(ex, place.dtype());
  for (const WeightRule& rule : kWeights)
    set_host_values(parameters.at(rule.name).master, fixture.at("in." + rule.name).values);
  parameters.weights_changed(ex);
  AdamW optimizer(ex, parameters, options_of(fixture));
  CaseRun inputs(ex, fixture, place.dtype());
  const Value x = inputs.input("x");
  const Tensor targets = inputs.index("targets");

  std::vector<double> losses;
  for (std::int64_t step = 0; step < fixture.integer("steps"); ++step) {
    const StepScope scope(ex);
    parameters.reset_gradients();
    const auto weight = [&](std::string_view name) { return ex.parameter(parameters.at(name)); };
    Value hidden = gelu(ex, linear(ex, x, weight("up"), weight("up_bias")));
    const Value logits = linear(ex, std::move(hidden), weight("down"), weight("down_bias"));
    const Value loss = cross_entropy(ex, logits, targets);
    ex.backward(loss);
    losses.push_back(host_values(loss.tensor).at(0));
    optimizer.step();
  }

  expect_close(fixture.at("out.losses"), losses, tolerance(fixture, "out.losses", place), "losses");
  for (const WeightRule& rule : kWeights) {
    const std::string key = "out." + rule.name;
    expect_close(fixture.at(key), host_values(parameters.at(rule.name).master),
                 tolerance(fixture, key, place), key);
  }
  // The curve is worth comparing only if the weights have moved far enough to matter.
  EXPECT_LT(losses.back(), 0.9 * losses.front());
}

INSTANTIATE_TEST_SUITE_P(Places, Curve, testing::ValuesIn(places()),
                         testing::PrintToStringParamName());

}  // namespace
}  // namespace ffn::parity
