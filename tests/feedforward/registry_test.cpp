// The list of designs: each is tested, and a program may add its own.
#include "ffn/feedforward/registry.h"

#include <algorithm>

#include "feedforward/designs.h"
#include "ffn/base/error.h"

namespace ffn {
namespace {

TEST(Registry, EveryDesignIsTested) {
  const std::vector<std::string>& tested = test::designs_with_cases();
  for (const DesignEntry& entry : standard_designs().entries())
    EXPECT_TRUE(std::ranges::find(tested, entry.name) != tested.end())
        << entry.name << " has no design_cases() in its test";
}

TEST(Registry, AProgramMayAddItsOwn) {
  DesignRegistry own = standard_designs();
  DesignEntry entry = own.at("mlp");
  EXPECT_THROW(own.add(entry), Error);
  entry.name = "mine";
  own.add(entry);
  EXPECT_EQ(own.parse("mine(gelu)").design, "mine");
  EXPECT_THROW(standard_designs().parse("mine(gelu)"), Error);
}

}  // namespace
}  // namespace ffn
