// The harness itself: it has to refuse what is wrong.
#include "support/complex_step.h"

namespace ffn::test {
namespace {

// f(x, w) = w₀·exp(x₀) + w₁·x₁³
std::complex<double> example(const ComplexPoint& p) {
  return p[1][0] * std::exp(p[0][0]) + p[1][1] * p[0][1] * p[0][1] * p[0][1];
}

const std::vector<double> kX = {0.5, -1.5}, kW = {2.0, 0.75};
const std::vector<double> kDx = {2 * std::exp(0.5), 0.75 * 3 * 2.25};
const std::vector<double> kDw = {std::exp(0.5), -3.375};

TEST(ComplexStep, AcceptsTheRightGradient) {
  EXPECT_TRUE(check_complex_step({{"x", kX, kDx}, {"w", kW, kDw}}, example));
  ComplexStepOptions together;
  together.together = true;
  EXPECT_TRUE(check_complex_step({{"x", kX, kDx}, {"w", kW, kDw}}, example, together));
}

TEST(ComplexStep, RefusesAnErrorOfAFewParts) {
  for (const bool together : {false, true}) {
    ComplexStepOptions options;
    options.together = together;
    for (std::size_t i = 0; i < kDx.size(); ++i) {
      // 1e-10 of a component that makes up at least a tenth of the scale: ten times what is
      // allowed.
      std::vector<double> wrong = kDx;
      wrong[i] *= 1 + 1e-10;
      EXPECT_FALSE(check_complex_step({{"x", kX, wrong}, {"w", kW, kDw}}, example, options));
    }
  }
}

TEST(ComplexStep, NamesTheInput) {
  std::vector<double> wrong = kDw;
  wrong[1] = -wrong[1];
  const auto result = check_complex_step({{"x", kX, kDx}, {"w", kW, wrong}}, example);
  EXPECT_EQ(std::string(result.message()).rfind("w: complex step gives", 0), 0u)
      << result.message();
}

TEST(ComplexStep, RefusesWhatComparesNothing) {
  const std::vector<double> zero = {0, 0}, nan = {std::nan(""), 1};
  const auto constant = [](const ComplexPoint&) { return std::complex<double>(1); };
  EXPECT_FALSE(check_complex_step({{"x", kX, zero}}, constant));
  EXPECT_TRUE(check_complex_step({{"x", kX, zero, {}, true}}, constant));
  EXPECT_FALSE(check_complex_step({{"x", kX, zero, {}, true}, {"w", kW, kDw}}, example));
  EXPECT_FALSE(check_complex_step({{"x", nan, kDx}, {"w", kW, kDw}}, example));
  EXPECT_FALSE(check_complex_step({{"x", kX, std::span(kDx).first(1)}, {"w", kW, kDw}}, example));
  EXPECT_FALSE(check_complex_step(std::span<const ComplexStepInput>{}, constant));
}

// x − x·(1 + δ) cancels to δ·x: only magnitudes state the scale that rounding works at.
TEST(ComplexStep, MagnitudesStateTheScale) {
  const std::vector<double> x = {1.0}, off = {1e-6 + 1e-16}, magnitude = {2.0};
  const auto cancelling = [](const ComplexPoint& p) { return 1e-6 * p[0][0]; };
  EXPECT_FALSE(check_complex_step({{"x", x, off}}, cancelling));
  EXPECT_TRUE(check_complex_step({{"x", x, off, magnitude}}, cancelling));
}

}  // namespace
}  // namespace ffn::test
