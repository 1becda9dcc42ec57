#include "ffn/feedforward/match.h"

#include <gtest/gtest.h>

#include "ffn/base/error.h"

namespace ffn {
namespace {

FeedForwardSite site(std::int64_t width) {
  FeedForwardSite made;
  made.width = width;
  made.grid = {4, 4, 1};
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
       {"glu(gelu)", "dwconv(gelu, k=5)", "mlp(relu)", "localvit(hardswish, se=4)"}) {
    const MatchResult result = match(design, "mlp(gelu, hidden=300)", Budget::parameters, 96);
    ParameterSet parameters;
    designs.build(result.spec, site(96), parameters);
    std::int64_t count = 0;
    for (const Parameter& parameter : parameters.all()) count += parameter.shape.count();
    EXPECT_DOUBLE_EQ(result.ratio, static_cast<double>(count) / (2 * 96 * 300 + 96 + 300));
    EXPECT_NEAR(result.ratio, 1, 0.03) << design;
  }
}

TEST(Match, WhatWouldBeIgnoredOrCannotBeIsRefused) {
  EXPECT_THROW(match("glu(silu, hidden=8)", "mlp(gelu)", Budget::flops, 64), Error);
  EXPECT_THROW(match("glu(silu, x2)", "mlp(gelu)", Budget::flops, 64), Error);
  EXPECT_THROW(match("dwconv(gelu, k=31)", "mlp(gelu, hidden=1)", Budget::parameters, 4), Error);
}

}  // namespace
}  // namespace ffn
