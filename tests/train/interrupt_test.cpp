#include "ffn/train/interrupt.h"

#include <gtest/gtest.h>

#include <csignal>
#include <cstdlib>

#include "io/files.h"

namespace ffn {
namespace {

TEST(Interrupt, TheFirstSignalSetsTheFlag) {
  const auto before = std::signal(SIGTERM, SIG_IGN);
  for (const int number : {SIGINT, SIGTERM}) {
    const InterruptScope scope;
    EXPECT_EQ(interrupted(), 0);
    std::raise(number);
    EXPECT_EQ(interrupted(), number);
  }
  EXPECT_EQ(std::signal(SIGTERM, before), SIG_IGN);  // the previous handler came back
}

TEST(InterruptDeathTest, TheSecondSignalKills) {
  const auto twice = [](int first, int second) {
    const InterruptScope scope;
    std::raise(first);
    if (interrupted() == first) std::raise(second);
    std::exit(0);
  };
  EXPECT_EXIT(twice(SIGINT, SIGINT), testing::KilledBySignal(SIGINT), "");
  EXPECT_EXIT(twice(SIGINT, SIGTERM), testing::KilledBySignal(SIGTERM), "");
}

TEST(Interrupt, OneScopeAtATime) {
  const InterruptScope scope;
  testing_io::expect_error(ErrorKind::config, {"already watched"}, [] { InterruptScope another; });
}

}  // namespace
}  // namespace ffn
