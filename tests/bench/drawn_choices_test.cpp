#include "ffn/bench/drawn_choices.h"

#include <gtest/gtest.h>

#include <set>

namespace ffn {
namespace {

TEST(DrawnChoices, ARowHasDifferentExperts) {
  for (const RoutingShares routing : {RoutingShares::uniform, RoutingShares::zipf}) {
    const auto choices = drawn_choices(200, 5, 5, routing);
    ASSERT_EQ(choices.size(), 1000u);
    for (std::size_t row = 0; row < 200; ++row)
      EXPECT_EQ(std::set<std::int32_t>(&choices[5 * row], &choices[5 * row] + 5).size(), 5u);
    EXPECT_EQ(choices, drawn_choices(200, 5, 5, routing));
  }
}

TEST(DrawnChoices, SharesAreThoseAskedFor) {
  constexpr std::int64_t kRows = 40'000;
  for (const RoutingShares routing : {RoutingShares::uniform, RoutingShares::zipf}) {
    std::vector<double> share(4, 0.0);
    for (const std::int32_t expert : drawn_choices(kRows, 4, 1, routing))
      share[static_cast<std::size_t>(expert)] += 1.0 / kRows;
    for (std::size_t e = 0; e < 4; ++e) {
      // Zipf over four: 1, 1/2, 1/3, 1/4 of 25/12. Six standard deviations are below 0.016.
      const double expected =
          routing == RoutingShares::uniform ? 0.25 : 12.0 / 25 / static_cast<double>(e + 1);
      EXPECT_NEAR(share[e], expected, 0.016) << e;
    }
  }
}

}  // namespace
}  // namespace ffn
