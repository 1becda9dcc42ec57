#include "feedforward/designs.h"
#include "feedforward/moe/made_layer.h"
#include "ffn/autograd/initialize.h"

namespace ffn::test {
namespace {

// Four products more than the design inside: 400 units.
INSTANTIATE_TEST_SUITE_P(
    lora_moe, Designs,
    testing::ValuesIn(design_cases(Tokens::plain,
                                   {"lora-moe(3, mlp(gelu, hidden=7), rank=2, alpha=4)",
                                    "lora-moe(2, glu(silu, hidden=6), rank=1)"},
                                   400)));

TEST(LoraMoe, StartsAsTheDesignInside) {
  MadeLayer made("lora-moe(3, glu(silu, hidden=6), rank=2)", true);
  MadeLayer dense("glu(silu, hidden=6)", true);
  initialize_all(made.ex, made.parameters, 3);
  for (Parameter& parameter : dense.parameters.all())
    set_host_values(parameter.master, host_values(made.parameters.at(parameter.name).stored()));
  EXPECT_EQ(made.output(), dense.output());
}

TEST(LoraMoe, TheBaseIsFrozenAndTheRestIsNot) {
  MadeLayer made("lora-moe(3, mlp(gelu, hidden=6), rank=2)", true);
  for (const Parameter& parameter : made.parameters.all()) {
    const bool added = parameter.name.find("lora") != std::string::npos ||
                       parameter.name.find("router") != std::string::npos;
    EXPECT_EQ(parameter.trainable(), added) << parameter.name;
  }
  // up and down: 3·(5 + 2·(5 + 6)) each way, by hand; the base 2·5·6 and biases 6 + 5.
  EXPECT_EQ(made.layer->costs().frozen_parameters, 60 + 11);
  EXPECT_EQ(made.layer->costs().parameters, 71 + 3 * (5 + 22) + 3 * (6 + 22));
}

// The taps name every map that experts stand beside.
TEST(LoraMoe, ListsWhatItIsAttachedTo) {
  MadeLayer made("lora-moe(3, glu(gelu, hidden=6))", true);
  const auto taps = made.layer->taps();
  for (const char* name : {"gate.router", "up.router", "down.router"})
    EXPECT_NE(std::ranges::find(taps, name), taps.end()) << name;
}

TEST(LoraMoe, BalanceIsFelt) {
  MadeLayer made("lora-moe(3, mlp(gelu, hidden=6), balance=0.5)", true);
  MadeLayer plain("lora-moe(3, mlp(gelu, hidden=6))", true);
  made.train_step();
  plain.train_step();
  const auto gradient = [](MadeLayer& layer, const char* name) {
    return host_values(layer.parameters.at(name).slot.gradient);
  };
  EXPECT_NE(gradient(made, "up.router.weight"), gradient(plain, "up.router.weight"));
  EXPECT_EQ(gradient(made, "down.lora_a.weight"), gradient(plain, "down.lora_a.weight"));
}

TEST(LoraMoe, WhatCannotBeIsRefused) {
  expect_refused("lora-moe(2, dwconv(gelu))", "cannot have experts beside its maps");
  expect_refused("lora-moe(2, moe(2, mlp(gelu)))", "cannot have experts beside its maps");
  expect_refused("lora-moe(2, mlp(gelu), rank=0)", "rank is 0; expected an integer");
}

}  // namespace
}  // namespace ffn::test
