// The text form: what is read is printed again, and what is wrong is named.
#include "ffn/feedforward/spec.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "ffn/base/error.h"
#include "ffn/base/nearest.h"
#include "ffn/feedforward/registry.h"

namespace ffn {
namespace {

void expect_refused(std::string_view text, std::string_view says) {
  try {
    const FeedForwardSpec spec = standard_designs().parse(text);
    ADD_FAILURE() << text << " became " << to_string(spec);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::config);
    EXPECT_NE(std::string_view(error.what()).find(says), std::string_view::npos) << error.what();
  }
}

TEST(Spec, CanonicalTextOfEachForm) {
  const auto canonical = [](std::string_view text) {
    return to_string(standard_designs().parse(text));
  };
  EXPECT_EQ(canonical("mlp(gelu)"), "mlp(gelu)");
  EXPECT_EQ(canonical(" mlp ( relu ,x4 ) "), "mlp(relu, x4)");
  EXPECT_EQ(canonical("glu(gelu, hidden=512)"), "glu(gelu, hidden=512)");
  EXPECT_EQ(canonical("dwconv(k=5, gelu, hidden=64)"), "dwconv(gelu, hidden=64, k=5)");
  EXPECT_EQ(canonical("mlp(silu, x2.67)"), "mlp(silu, x2.67)");
  EXPECT_EQ(canonical("swiglu"), "glu(silu)");
  EXPECT_EQ(canonical("swiglu(hidden=96)"), "glu(silu, hidden=96)");
  EXPECT_EQ(canonical("relu2"), "mlp(relu2)");
  EXPECT_EQ(canonical("glu(fused=up-gate,silu,multiple=64)"),
            "glu(silu, fused=up-gate, multiple=64)");
  EXPECT_EQ(canonical("lowrank(rank=8,swiglu(x2))"), "lowrank(glu(silu, x2), rank=8)");
  EXPECT_EQ(canonical("griffin-mlp"), "glu(gelu_tanh, x3, bias=true)");
  EXPECT_EQ(canonical("mamba-mlp"), "glu(silu, bias=false, fused=up-gate, multiple=128)");
}

TEST(Spec, NestedDesignsAreSyntax) {
  // Brackets are what tells a design from a word, also where nothing stands between them.
  EXPECT_EQ(to_string(parse_spec("a(a())")), "a(a())");
  EXPECT_EQ(parse_spec(to_string(parse_spec("a(b(), c)"))), parse_spec("a(b(), c)"));
  const FeedForwardSpec spec = parse_spec("moe(8, top=2, glu(silu, x2), mlp(gelu))");
  EXPECT_EQ(spec.words, std::vector<std::string>{"8"});
  ASSERT_EQ(spec.nested.size(), 2u);
  EXPECT_EQ(spec.nested[0].ratio, 2.0);
  EXPECT_EQ(to_string(spec), "moe(8, glu(silu, x2), mlp(gelu), top=2)");
}

TEST(Spec, MistakesAreNamed) {
  expect_refused("swigl", "unknown design 'swigl', did you mean 'swiglu'?");
  expect_refused("transformer",
                 "unknown design 'transformer'; known are mlp, glu, dwconv, gmlp, lowrank, leff, "
                 "localvit, daff, causal-dwconv, tiny");
  expect_refused("mlp(gleu)", "unknown activation 'gleu', did you mean 'gelu'?");
  expect_refused("mlp(gelu, k=3)", "'k' is no option of mlp; it takes");
  expect_refused("mlp", "takes one, its activation, as in mlp(gelu)");
  expect_refused("mlp(gelu, relu)", "has 2 plain arguments");
  expect_refused("mlp(gelu, x4, hidden=8)", "both set the hidden width");
  expect_refused("mlp(gelu, hidden=0)", "hidden is 0; expected an integer from 1");
  expect_refused("mlp(gelu, hidden=many)", "hidden is many");
  expect_refused("dwconv(gelu, k=4)", "k is 4; expected an odd number");
  // Values that mean nothing are found whatever sizes the layer.
  expect_refused("dwconv(gelu, x2, k=4)", "k is 4; expected an odd number");
  expect_refused("mlp(gelu, bias=maybe)", "bias is maybe; expected true or false");
  expect_refused("glu(silu, fused=both)", "fused is both; expected none or gate-up or up-gate");
  expect_refused("glu(silu, multiple=0)", "multiple is 0; expected an integer from 1");
  expect_refused("glu(silu, multiple=8, hidden=8)", "multiple= and hidden= both set the hidden");
  expect_refused("gmlp(gelu, hidden=7)", "hidden is 7; gmlp takes multiples of 2");
  expect_refused("gmlp(gelu, bias=false)", "'bias' is no option of gmlp");
  expect_refused("lowrank(gelu, rank=2)", "lowrank takes one design inside");
  expect_refused("mlp(gelu", "expected ',' or ')' at character 9");
  expect_refused("mlp(gelu))", "expected the end at character 10");
  expect_refused("", "expected a design's name at character 1");
  expect_refused("mlp(gelu, k=3, k=3)", "expected each option once");
  expect_refused("glu(silu, mlp(gelu))", "glu takes no design inside");
  expect_refused(std::string(5000, 'a'), "at most 4096");
  std::string deep;
  for (int level = 0; level < 9; ++level) deep += "a(";
  EXPECT_THROW(parse_spec(deep), Error);
}

TEST(Spec, PrintedSpecsReadBackTheSame) {
  const auto name = rc::gen::map(
      rc::gen::pair(rc::gen::inRange('a', 'w'),
                    rc::gen::container<std::string>(rc::gen::elementOf(std::string("abcz09_-.")))),
      [](const std::pair<int, std::string>& parts) {
        return std::string(1, static_cast<char>(parts.first)) + parts.second;
      });
  EXPECT_TRUE(rc::check("parse_spec(to_string(spec)) == spec", [&] {
    FeedForwardSpec spec;
    spec.design = *name;
    spec.words = *rc::gen::container<std::vector<std::string>>(name);
    spec.options = *rc::gen::container<std::map<std::string, std::string>>(name, name);
    if (*rc::gen::arbitrary<bool>()) spec.ratio = *rc::gen::inRange(1, 100000) / 1000.0;
    FeedForwardSpec inner;
    inner.design = *name;
    inner.words = {*name};
    if (*rc::gen::arbitrary<bool>()) spec.nested.push_back(inner);
    const std::string text = to_string(spec);
    RC_PRE(text.size() <= 4096u);
    RC_ASSERT(parse_spec(text) == spec);
  }));
}

TEST(Nearest, DistanceCountsEdits) {
  EXPECT_EQ(edit_distance("", "abc"), 3u);
  EXPECT_EQ(edit_distance("gelu", "gleu"), 1u);
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3u);
  EXPECT_EQ(edit_distance("same", "same"), 0u);
}

}  // namespace
}  // namespace ffn
