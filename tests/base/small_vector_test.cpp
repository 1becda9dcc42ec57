#include "ffn/base/small_vector.h"

#include <gtest/gtest.h>

#include <memory>
#include <numeric>
#include <span>

namespace ffn {
namespace {

TEST(SmallVector, HoldsIteratesAndConverts) {
  SmallVector<int, 4> values = {3, 1, 2};
  values.push_back(4);
  EXPECT_EQ(values.size(), 4u);
  EXPECT_EQ(values[0], 3);
  EXPECT_EQ(std::accumulate(values.begin(), values.end(), 0), 10);
  const std::span<const int> view = values;
  EXPECT_EQ(view.size(), 4u);
  EXPECT_EQ(view.data(), values.begin());
}

TEST(SmallVector, ShrinkingReleasesTheTail) {
  const auto shared = std::make_shared<int>(1);
  SmallVector<std::shared_ptr<int>, 3> values = {shared, shared, shared};
  EXPECT_EQ(shared.use_count(), 4);
  values.resize(1);
  EXPECT_EQ(shared.use_count(), 2);
  values.clear();
  EXPECT_TRUE(values.empty());
  EXPECT_EQ(shared.use_count(), 1);
}

#if defined(FFN_ASSERTS)
TEST(SmallVectorDeathTest, OverflowAndBadIndexAssert) {
  SmallVector<int, 2> values = {1, 2};
  EXPECT_DEATH(values.push_back(3), "size_ < N");
  values.resize(1);
  EXPECT_DEATH(static_cast<void>(values[1]), "i < size_");
}
#endif

}  // namespace
}  // namespace ffn
