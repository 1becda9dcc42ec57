#include "ffn/feedforward/match.h"

#include <gtest/gtest.h>

#include "ffn/base/error.h"

namespace ffn {
namespace {

FeedForwardSite site(std::int64_t width) {
  FeedForwardSite made;
  made.width = width;
  made.grid = {4, 4, 1};
  made.tokens = 17;
  return made;
}

MatchResult match(std::string_view design, std::string_view target, Budget budget,
                  std::int64_t width) {
  const DesignRegistry& designs = standard_designs();
  return match_hidden(designs.parse(design), designs.parse(target), budget, site(width), designs);
}

TEST(Match, GatedAtThePlainLayersBudget) {
  const MatchResult params = match("glu(silu)", "mlp(gelu)", Budget::parameters, 768);
  EXPECT_EQ(to_string(params.spec), "glu(silu, hidden=2048)");
  EXPECT_NEAR(params.ratio, 1, 1e-3);
  const MatchResult flops = match("glu(silu)", "mlp(gelu)", Budget::flops, 768);
  EXPECT_EQ(to_string(flops.spec), "glu(silu, hidden=2048)");
  EXPECT_EQ(flops.ratio, 1);
}

TEST(Match, RatioIsWhatTheBuiltLayerHas) {
  const DesignRegistry& designs = standard_designs();
  for (const char* design :
       {"glu(gelu)", "dwconv(gelu, k=5)", "mlp(relu)", "gmlp(gelu)", "glu(silu, fused=gate-up)",
        "lowrank(glu(silu), rank=24)", "localvit(hardswish, se=4)"}) {
    const MatchResult result = match(design, "mlp(gelu, hidden=300)", Budget::parameters, 96);
    ParameterSet parameters;
    designs.build(result.spec, site(96), parameters);
    std::int64_t count = 0;
    for (const Parameter& parameter : parameters.all()) count += parameter.shape.count();
    EXPECT_DOUBLE_EQ(result.ratio, static_cast<double>(count) / (2 * 96 * 300 + 96 + 300));
    EXPECT_NEAR(result.ratio, 1, 0.03) << design;
  }
}

TEST(Match, ADesignInsideGetsTheWidth) {
  // 32·(64 + H)·2 flops twice over against 4·64·256: H = 448.
  const MatchResult result = match("lowrank(mlp(gelu), rank=32)", "mlp(gelu)", Budget::flops, 64);
  EXPECT_EQ(to_string(result.spec), "lowrank(mlp(gelu, hidden=448), rank=32)");
  EXPECT_EQ(result.ratio, 1);
}

TEST(Match, WidthsAreMultiplesOfTheDesignsUnit) {
  // 3·4·H + 17·H = 29·H flops; 29·10 is nearest to 4·4·17.
  const MatchResult result = match("gmlp(gelu)", "mlp(gelu, hidden=17)", Budget::flops, 4);
  EXPECT_EQ(to_string(result.spec), "gmlp(gelu, hidden=10)");
}

TEST(Match, WhatWouldBeIgnoredOrCannotBeIsRefused) {
  EXPECT_THROW(match("glu(silu, hidden=8)", "mlp(gelu)", Budget::flops, 64), Error);
  EXPECT_THROW(match("glu(silu, x2)", "mlp(gelu)", Budget::flops, 64), Error);
  EXPECT_THROW(match("glu(silu, multiple=8)", "mlp(gelu)", Budget::flops, 64), Error);
  EXPECT_THROW(match("griffin-mlp", "mlp(gelu)", Budget::flops, 64), Error);
  // 100·(64 + H)·4 flops are never as few, and a rank of 60 needs 60 neurons.
  EXPECT_THROW(match("lowrank(mlp(gelu), rank=60)", "mlp(gelu, hidden=64)", Budget::flops, 64),
               Error);
  EXPECT_THROW(match("dwconv(gelu, k=31)", "mlp(gelu, hidden=1)", Budget::parameters, 4), Error);
}

}  // namespace
}  // namespace ffn
