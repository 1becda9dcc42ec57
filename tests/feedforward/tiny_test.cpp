#include "feedforward/designs.h"
#include "ffn/tensor/host.h"

namespace ffn::test {

INSTANTIATE_TEST_SUITE_P(tiny, Designs,
                         testing::ValuesIn(design_cases(Tokens::plain,
                                                        {"tiny(tanh, hidden=16)",
                                                         "tiny(gelu, hidden=16, layers=1)",
                                                         "tiny(silu, hidden=32, layers=3)"},
                                                        800)));

TEST(Tiny, WidthsAreTheSources) {
  expect_refused("tiny(relu, hidden=48)", "hidden is 48; expected 16, 32, 64 or 128");
  expect_refused("tiny(relu, layers=0)", "layers is 0; expected an integer from 1");
}

// Reading a tap runs ordinary layers; what comes out is the same network.
TEST(Tiny, TheFusedOperationEqualsItsComposition) {
  Executor ex(cpu_device(serial_pool()));
  ParameterSet parameters;
  FeedForwardSite site;
  site.width = 24;
  const auto layer = standard_designs().build(
      standard_designs().parse("tiny(relu, hidden=64, layers=4)"), site, parameters);
  parameters.finalize(ex, DType::f32);
  std::vector<double> weights;
  for (std::int64_t i = 0; i < parameters.all()[0].shape.count(); ++i)
    weights.push_back(0.25 * std::sin(static_cast<double>(i * i)));
  set_host_values(parameters.all()[0].master, weights);
  parameters.weights_changed(ex);
  const Tensor x = ex.allocate_persistent({{37, 24}, DType::f32, Role::activation}, Tag::data);
  std::vector<double> numbers;
  for (int i = 0; i < 37 * 24; ++i) numbers.push_back(std::cos(0.7 * i));
  set_host_values(x, numbers);

  const NoTape no_tape(ex);
  const auto fused = host_values(layer->forward(ex, ex.constant(x), 1).tensor);
  int seen = 0;
  ex.taps().set("neuron", {[&](const Tensor& neuron) { seen += neuron.cols() == 64 ? 1 : 0; }, {}});
  const auto composed = host_values(layer->forward(ex, ex.constant(x), 1).tensor);
  EXPECT_EQ(seen, 1);
  double largest = 0;
  for (const double value : composed) largest = std::max(largest, std::abs(value));
  // Five products of at most 64 terms, one after another.
  for (std::size_t i = 0; i < fused.size(); ++i)
    EXPECT_NEAR(fused[i], composed[i], 5 * 64 * 0x1p-24 * largest);
}

}  // namespace ffn::test
