#include "ffn/compare/student_t.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <cmath>
#include <limits>
#include <numbers>

#include "ffn/base/error.h"

namespace ffn {
namespace {

struct Known {
  double argument, degrees, value;
};

// scipy 1.17.1, stats.t.cdf(t, degrees); the lower tails agree with mpmath's betainc at 40 digits.
// scipy's own last digits are off by up to 5e-15 relative.
constexpr Known kCdf[] = {
    {-0.5, 1, 0.3524163823495667},    {1.3, 1, 0.7912855998398473},
    {2.776, 1, 0.8899412812745013},   {-6, 1, 0.05256845671125344},
    {-0.5, 2, 0.3333333333333334},    {1.3, 2, 0.8383764840919798},
    {-6, 2, 0.01333573660771238},     {-0.5, 4, 0.3216649815909317},
    {2.776, 4, 0.9749886108400118},   {-6, 4, 0.001941268523480255},
    {1.3, 9, 0.8870468136634754},     {-6, 9, 0.0001012496610338204},
    {-0.5, 30, 0.3103615024425636},   {2.776, 30, 0.9953063729496403},
    {-6, 30, 6.971384383602382e-07},  {-0.5, 1000, 0.3085925404169373},
    {1.3, 1000, 0.9030497357922713},  {-6, 1000, 1.377684586688738e-09},
    {-40, 9, 9.491499224669911e-12},  {-12, 1000, 2.1620286933872637e-31},
    {-100, 2, 4.999250124978129e-05},
};

// scipy 1.17.1, stats.t.ppf(p, degrees), whose digits past the twelfth are its own.
constexpr Known kQuantile[] = {
    {0.975, 1, 12.70620473617},    {0.95, 1, 6.313751514675},       {0.0005, 1, -636.6192487688},
    {0.975, 2, 4.302652729749},    {0.95, 2, 2.919985580354},       {0.0005, 2, -31.59905457644},
    {0.975, 2.5, 3.574654842004},  {0.95, 4, 2.131846786327},       {0.0005, 4, -8.610301581379},
    {0.975, 9, 2.262157162798},    {0.95, 30, 1.697260886594},      {0.0005, 30, -3.645958635042},
    {0.975, 1000, 1.962339080826}, {0.0005, 1000, -3.300282648424},
};

TEST(StudentT, DistributionIsThatOfScipy) {
  for (const Known& known : kCdf)
    EXPECT_NEAR(student_t_cdf(known.argument, known.degrees), known.value, 1e-13 * known.value)
        << known.argument << " " << known.degrees;
}

TEST(StudentT, QuantileIsThatOfScipy) {
  for (const Known& known : kQuantile)
    EXPECT_NEAR(student_t_quantile(known.argument, known.degrees), known.value,
                1e-12 * std::abs(known.value))
        << known.argument << " " << known.degrees;
}

// One and two degrees have closed forms: arctan and a square root.
TEST(StudentT, ClosedForms) {
  for (double t = -50; t <= 50; t += 0.37) {
    EXPECT_NEAR(student_t_cdf(t, 1), 0.5 + std::atan(t) / std::numbers::pi, 1e-14) << t;
    EXPECT_NEAR(student_t_cdf(t, 2), 0.5 + t / (2 * std::sqrt(2 + t * t)), 1e-14) << t;
  }
  EXPECT_EQ(student_t_cdf(0, 3), 0.5);
  EXPECT_EQ(student_t_quantile(0.5, 3), 0);
}

// At 1e6 degrees the distribution is the normal one up to (t³ + t) · φ(t) / 4e6.
TEST(StudentT, NearsTheNormalDistribution) {
  for (const double t : {-3.0, -1.9, -0.2, 1.0, 2.5}) {
    const double density = std::exp(-t * t / 2) * std::numbers::inv_sqrtpi / std::numbers::sqrt2;
    EXPECT_NEAR(student_t_cdf(t, 1e6) + (t * t * t + t) * density / 4e6,
                0.5 * std::erfc(-t / std::numbers::sqrt2), 1e-11)
        << t;
  }
}

TEST(StudentT, QuantileInvertsAndTailsMirror) {
  EXPECT_TRUE(rc::check([] {
    const double degrees = *rc::gen::inRange(10, 20000) / 10.0;
    const double p = *rc::gen::inRange(1, 1000) / 2000.0;
    const double t = student_t_quantile(p, degrees);
    RC_ASSERT(std::abs(student_t_cdf(t, degrees) - p) < 1e-12 * p);
    RC_ASSERT(student_t_cdf(-t, degrees) == 1 - student_t_cdf(t, degrees));
    RC_ASSERT(std::abs(student_t_quantile(1 - p, degrees) + t) < 1e-12 * (1 - t));
    RC_ASSERT(student_t_cdf(t - 0.01, degrees) < student_t_cdf(t, degrees));
  }));
}

TEST(StudentT, EdgesAndErrors) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  EXPECT_EQ(student_t_cdf(kInfinity, 5), 1);
  EXPECT_EQ(student_t_cdf(-kInfinity, 5), 0);
  EXPECT_TRUE(std::isnan(student_t_cdf(std::nan(""), 5)));
  for (const double degrees : {0.0, -1.0, 0.99, 2e6, std::nan("")}) {
    EXPECT_THROW(student_t_cdf(1, degrees), Error) << degrees;
    EXPECT_THROW(student_t_quantile(0.1, degrees), Error) << degrees;
  }
  for (const double p : {0.0, -0.1, 1.0, 1.5, std::nan("")})
    EXPECT_THROW(student_t_quantile(p, 5), Error) << p;
}

}  // namespace
}  // namespace ffn
