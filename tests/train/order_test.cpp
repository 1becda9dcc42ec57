#include "ffn/train/order.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <vector>

namespace ffn {
namespace {

std::vector<std::uint32_t> permuted(std::uint64_t seed, std::uint64_t step, std::size_t size) {
  std::vector<std::uint32_t> order(size, 7);
  permute(RandomStream(seed, "order"), step, order);
  return order;
}

TEST(Order, IsAPermutation) {
  EXPECT_TRUE(rc::check([](std::uint64_t seed, std::uint64_t step) {
    const auto size = *rc::gen::inRange<std::size_t>(0, 300);
    std::vector<std::uint32_t> order = permuted(seed, step, size);
    RC_ASSERT(order == permuted(seed, step, size));
    std::sort(order.begin(), order.end());
    for (std::size_t i = 0; i < size; ++i) RC_ASSERT(order[i] == i);
  }));
}

TEST(Order, EveryPlaceIsEquallyLikely) {
  // 6,000 permutations of 3: each of the 6 has a mean of 1,000 and a standard deviation of 28.9;
  // six deviations are 173.
  std::vector<int> counts(27);
  for (std::uint64_t step = 0; step < 6000; ++step) {
    const auto order = permuted(1, step, 3);
    ++counts[order[0] * 9 + order[1] * 3 + order[2]];
  }
  for (const std::size_t which : {5u, 7u, 11u, 15u, 19u, 21u})
    EXPECT_NEAR(counts[which], 1000, 173);
}

}  // namespace
}  // namespace ffn
