#include <cmath>

#include "feedforward/designs.h"
#include "ffn/autograd/initialize.h"
#include "ffn/feedforward/dense.h"
#include "ffn/tensor/host.h"

namespace ffn::test {
namespace {

// Four products or more: 400 units.
INSTANTIATE_TEST_SUITE_P(lowrank, Designs,
                         testing::ValuesIn(design_cases(
                             Tokens::plain,
                             {"lowrank(mlp(gelu), rank=3)", "lowrank(glu(silu, hidden=7), rank=2)",
                              "lowrank(glu(gelu, x1, fused=gate-up, bias=true), rank=5)",
                              "lowrank(mlp(tanh, hidden=3), rank=1)",
                              "lowrank(gmlp(gelu, hidden=8), rank=4)"},
                             400)));
INSTANTIATE_TEST_SUITE_P(lowrank_grid, Designs,
                         testing::ValuesIn(design_cases(Tokens::grid,
                                                        {"lowrank(dwconv(gelu), rank=2)"}, 400)));

TEST(LowRank, WhatSavesNothingOrIsNoMapIsRefused) {
  expect_refused("lowrank(mlp(gelu))", "lowrank has no rank; expected rank=R, as in");
  expect_refused("lowrank(mlp(gelu), rank=0)", "rank is 0; expected an integer from 1");
  expect_refused("lowrank(mlp(gelu, hidden=4), rank=5)",
                 "a rank of 5 saves nothing in a map whose shorter side is 4");
  expect_refused("lowrank(lowrank(mlp(gelu), rank=2), rank=2)",
                 "the maps of lowrank cannot be factored");
  expect_refused("lowrank(lowrank(mlp(gelu, x4), rank=2), rank=2)",
                 "the maps of lowrank cannot be factored");
  expect_refused("lowrank(mlp(gelu), rank=2, hidden=8)", "'hidden' is no option of lowrank");
  expect_refused("lowrank(mlp(gelu), x2, rank=2)", "the ratio belongs to the design inside");
  FeedForwardSite narrow;
  narrow.width = 8;
  expect_refused("lowrank(mlp(gelu), rank=9)", narrow,
                 "a rank of 9 saves nothing in a map whose shorter side is 8");
}

// A layer in f32 with the given weights, run on one input.
struct Result {
  std::vector<double> y, dx;
};
template <class Set>
Result run(const char* text, Isa isa, const Set& set) {
  constexpr std::int64_t kRows = 7;
  Executor ex(cpu_device(serial_pool(), isa));
  ParameterSet parameters;
  FeedForwardSite site;
  site.width = kWidth;
  const auto layer = standard_designs().build(standard_designs().parse(text), site, parameters);
  parameters.finalize(ex, DType::f32);
  for (Parameter& parameter : parameters.all()) set(parameter);
  parameters.weights_changed(ex);
  const auto tensor = [&](const char* name) {
    const Tensor made =
        ex.allocate_persistent({{kRows, kWidth}, DType::f32, Role::activation}, Tag::data);
    set_host_values(made, numbers(name, kRows * kWidth, 1));
    return made;
  };
  const Value x = ex.leaf(tensor("x"));
  const Value y = layer->forward(ex, x, 1);
  Result result{host_values(y.tensor), {}};
  ex.backward(y, tensor("seed"));
  result.dx = host_values(ex.gradient(x));
  return result;
}

// At full rank one factor may be the identity, W·I or I·W: products with it are exact, so the layer
// is the plain one bit for bit.
TEST(LowRank, FullRankHoldsThePlainLayer) {
  const auto values = [](std::string name, const Shape& shape) {
    return numbers(name.c_str(), shape.count(), 0.5);
  };
  const auto plain = [&](Parameter& p) { set_host_values(p.master, values(p.name, p.shape)); };
  const auto factored = [&](Parameter& p) {
    std::string name = p.name;
    const std::size_t factor = name.find(".a.") + 1 + name.find(".b.") + 1;  // npos + 1 is 0
    ASSERT_GT(factor, 0u);
    const bool first = name[factor] == 'a', down = name.starts_with("down");
    name.erase(factor, 2);
    // The identity is A of gate and up [H, D], D = R, and B of down [D, H].
    if (name.ends_with("weight") && first != down) {
      std::vector<double> identity(static_cast<std::size_t>(p.shape.count()), 0.0);
      ASSERT_EQ(p.shape.rows(), p.shape.cols());
      for (std::size_t i = 0; i < identity.size();
           i += static_cast<std::size_t>(p.shape.cols()) + 1)
        identity[i] = 1;
      return set_host_values(p.master, identity);
    }
    set_host_values(p.master, values(name, p.shape));
  };
  for (const Isa isa : supported_isas()) {
    const Result whole = run("glu(silu, hidden=9)", isa, plain);
    const Result product = run("lowrank(glu(silu, hidden=9), rank=5)", isa, factored);
    EXPECT_EQ(product.y, whole.y) << to_string(isa);
    EXPECT_EQ(product.dx, whole.dx) << to_string(isa);
  }
}

// The standard deviation of B·A's entries is W's. Its estimate from a single draw of R·(out + in)
// numbers is off by about √(1/(2·R·out) + 1/(2·R·in)) = 0.7 %; 5 % is seven times as much.
TEST(LowRank, TheProductStartsAsTheWholeWould) {
  constexpr std::int64_t kOut = 512, kIn = 256, kRank = 64;
  struct Kind {
    Init::Kind kind;
    double std;  // of z
  };
  for (const auto& [kind, std_of_z] :
       {Kind{Init::Kind::normal, 1}, Kind{Init::Kind::truncated_normal, 0.8796},
        Kind{Init::Kind::uniform, 0.57735}}) {
    Executor ex(cpu_device(serial_pool()));
    ParameterSet parameters;
    FeedForwardSite site;
    site.width = kIn;
    site.rank = kRank;
    site.weight_init = {kind, 0, 0.02};
    add_linear(parameters, site, "up", kOut, kIn);
    parameters.finalize(ex, DType::f32);
    initialize_all(ex, parameters, 3);
    const auto a = host_values(parameters.at("up.a.weight").master);
    const auto b = host_values(parameters.at("up.b.weight").master);
    double squares = 0;
    for (std::int64_t i = 0; i < kOut; ++i) {
      for (std::int64_t j = 0; j < kIn; ++j) {
        double sum = 0;
        for (std::int64_t r = 0; r < kRank; ++r)
          sum +=
              b[static_cast<std::size_t>(i * kRank + r)] * a[static_cast<std::size_t>(r * kIn + j)];
        squares += sum * sum;
      }
    }
    const double found = std::sqrt(squares / static_cast<double>(kOut * kIn));
    EXPECT_NEAR(found / (0.02 * std_of_z), 1, 0.05) << static_cast<int>(kind);
  }
}

TEST(LowRank, CostsByHand) {
  FeedForwardSite site;
  site.width = 192;
  const DesignRegistry& designs = standard_designs();
  const FeedForwardCosts costs = designs.costs(designs.parse("lowrank(mlp(gelu), rank=48)"), site);
  // 48·(768 + 192) weights twice, biases of 768 and 192; a multiply-add each.
  EXPECT_EQ(costs.parameters, 2 * 46080 + 960);
  EXPECT_EQ(costs.flops_per_token, 4 * 46080);
  EXPECT_EQ(costs.hidden, 768);
}

}  // namespace
}  // namespace ffn::test
