// Layers with their batch norms folded give the numbers of those with them, borders included: the
// grids here are so small that zero padding reaches most places.
#include "ffn/feedforward/fold_batch_norm.h"

#include <gtest/gtest.h>

#include <cmath>

#include "feedforward/convolutional_layer.h"
#include "ffn/base/error.h"

namespace ffn::test {
namespace {

constexpr std::int64_t kModel = 6;
constexpr const char* kFolding[] = {"leff(gelu, k=5)", "leff(silu, x2)",
                                    "localvit(hardswish, se=4)", "localvit(gelu)", "daff(gelu)"};

// The largest difference between a layer and its folded form, over the largest output.
double difference(const Device& device, DType dtype, const char* text, bool bias) {
  Executor ex(device);
  const TokenGrid grid{3, 4, 1};
  GridLayer normed(ex, text, grid_site(grid, kModel, bias), dtype);
  normed.draw();
  const FeedForwardSpec spec = folded(standard_designs().parse(text));
  GridLayer plain(ex, to_string(spec), grid_site(grid, kModel), dtype);
  copy_folded(ex, normed.parameters, plain.parameters);
  EXPECT_TRUE(plain.parameters.states().empty()) << text;
  const Numbers x = normals("x", 2 * grid.rows() * kModel);
  const Numbers expected = normed.eval(x, 2), found = plain.eval(x, 2);
  double largest = 0, distance = 0;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    largest = std::max(largest, std::abs(expected[i]));
    distance = std::max(distance, std::abs(found[i] - expected[i]));
  }
  EXPECT_GT(largest, 0.1) << text;
  return distance / largest;
}

TEST(FoldBatchNorm, SameNumbersInDouble) {
  for (const char* text : kFolding)
    for (const bool bias : {false, true})
      EXPECT_LE(difference(reference_device(), DType::f64, text, bias), 1e-12) << text;
}

// Each form rounds a value by at most (24 + 2)·2^-24 in each of two products of up to 24 terms, as
// much in a window of 25, and by 16 units in each of two functions: 110, of either form.
TEST(FoldBatchNorm, SameNumbersInSingleOnEveryIsa) {
  for (const Isa isa : supported_isas())
    for (const char* text : kFolding)
      for (const bool bias : {false, true})
        EXPECT_LE(difference(cpu_device(serial_pool(), isa), DType::f32, text, bias), 220 * 0x1p-24)
            << text << " on " << to_string(isa);
}

TEST(FoldBatchNorm, KnowsWhatItCanFold) {
  const DesignRegistry& designs = standard_designs();
  for (const char* text : kFolding) EXPECT_TRUE(can_fold(designs.parse(text))) << text;
  for (const char* text : {"mlp(gelu)", "dwconv(gelu)", "leff(gelu, norm=none)"}) {
    EXPECT_FALSE(can_fold(designs.parse(text))) << text;
    EXPECT_THROW(folded(designs.parse(text)), Error) << text;
  }
  EXPECT_EQ(to_string(folded(designs.parse("daff(gelu, gate=no)"))),
            "daff(gelu, gate=no, norm=none)");
}

void expect_refused_fold(GridLayer& from, GridLayer& to, std::string_view says) {
  try {
    copy_folded(to.ex, from.parameters, to.parameters);
    ADD_FAILURE() << "was not refused";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::config);
    EXPECT_NE(std::string_view(error.what()).find(says), std::string_view::npos) << error.what();
  }
}

TEST(FoldBatchNorm, SaysWhatIsMissing) {
  Executor ex(reference_device());
  const TokenGrid grid{2, 2, 1};
  GridLayer normed(ex, "leff(gelu)", grid_site(grid, 4), DType::f64);
  GridLayer no_bias(ex, "leff(gelu, norm=none)", grid_site(grid, 4, false), DType::f64);
  expect_refused_fold(normed, no_bias, "has no 'up.bias' to take its shift");
  GridLayer wider(ex, "leff(gelu, norm=none, x2)", grid_site(grid, 4), DType::f64);
  expect_refused_fold(normed, wider, "'up.weight' is [16, 4] and [8, 4]");
  GridLayer other(ex, "daff(gelu, norm=none)", grid_site(grid, 4), DType::f64);
  expect_refused_fold(normed, other, "no parameter 'squeeze.weight'");
}

}  // namespace
}  // namespace ffn::test
