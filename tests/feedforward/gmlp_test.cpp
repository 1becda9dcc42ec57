#include <cmath>

#include "feedforward/designs.h"
#include "ffn/autograd/initialize.h"
#include "ffn/base/error.h"
#include "ffn/tensor/host.h"

namespace ffn::test {
namespace {

// A third function, the norm, and a third product: 400 units.
INSTANTIATE_TEST_SUITE_P(gmlp, Designs,
                         testing::ValuesIn(design_cases(
                             Tokens::plain,
                             {"gmlp(gelu)", "gmlp(silu, hidden=14)", "gmlp(tanh, x2)"}, 400)));

FeedForwardSite site_of(std::int64_t tokens) {
  FeedForwardSite site;
  site.width = 8;
  site.tokens = tokens;
  return site;
}

TEST(Gmlp, NeedsToKnowTheTokensAndToSeeThemAll) {
  FeedForwardSite causal = site_of(4);
  causal.causal = true;
  expect_refused("gmlp(gelu)", causal, "a token must not see later ones");
  expect_refused("gmlp(gelu)", site_of(0), "the model does not say how many a sequence has");
}

TEST(Gmlp, NeuronsAreTheColumnsOfDown) {
  EXPECT_EQ(hidden_width("gmlp(gelu)", 192), 1152);
  EXPECT_EQ(hidden_width("gmlp(gelu, x1)", 5), 4);  // the even width below
  ParameterSet parameters;
  const auto layer = standard_designs().build(standard_designs().parse("gmlp(gelu, hidden=12)"),
                                              site_of(4), parameters);
  EXPECT_EQ(layer->costs().hidden, 6);
  EXPECT_EQ(parameters.at("down.weight").shape, (Shape{8, 6}));
  EXPECT_EQ(parameters.at("up.weight").shape, (Shape{12, 8}));
  // 2·8·12 + 2·8·6 + 2·4·6 by hand.
  EXPECT_EQ(layer->costs().flops_per_token, 336);
}

struct Made {
  Made() {
    FeedForwardSite site = site_of(4);
    site.weight_init = {Init::Kind::normal, 0, 1};
    layer = standard_designs().build(standard_designs().parse("gmlp(gelu)"), site, parameters);
    parameters.finalize(ex, DType::f32);
    initialize_all(ex, parameters, 1);
  }
  Value input(std::int64_t rows) {
    const Tensor x = ex.allocate_persistent({{rows, 8}, DType::f32, Role::activation}, Tag::data);
    set_host_values(x, numbers("x", rows * 8, 1));
    return ex.constant(x);
  }
  Executor ex{cpu_device(serial_pool())};
  ParameterSet parameters;
  std::unique_ptr<FeedForward> layer;
};

TEST(Gmlp, StartsWithAnOpenGate) {
  Made made;
  std::vector<double> mixed;
  made.ex.taps().set("mixed", {[&](const Tensor& value) { mixed = host_values(value); }, {}});
  const NoTape no_tape(made.ex);
  made.layer->forward(made.ex, made.input(8), 2);
  ASSERT_FALSE(mixed.empty());
  // A sum of four normalised numbers times 1e-6·normal.
  for (const double value : mixed) EXPECT_NEAR(value, 1, 1e-4);
}

TEST(Gmlp, SequencesOfAnotherLengthAreRefused) {
  Made made;
  const NoTape no_tape(made.ex);
  try {
    made.layer->forward(made.ex, made.input(6), 2);
    ADD_FAILURE() << "3 tokens were mixed by a layer for 4";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::shape);
    EXPECT_NE(std::string_view(error.what()).find("sequences of 4 tokens"), std::string_view::npos);
  }
}

}  // namespace
}  // namespace ffn::test
