#include "ffn/bench/counted_runs.h"

#include <gtest/gtest.h>

#include "ffn/bench/suite.h"

namespace ffn {
namespace {

TEST(CountedRuns, AnnouncesEveryCaseInOrder) {
  const std::vector<BenchSuite> suites{embedded_suite("smoke")};
  std::vector<std::string> announced;
  run_counted(select_cases(suites, "smoke/glu"), 2,
              [&](const std::string& key) { announced.push_back(key); });
  EXPECT_EQ(announced, (std::vector<std::string>{"smoke/glu/forward", "smoke/glu/backward"}));
}

TEST(CountedRuns, OneCallIsOneRun) {
  int runs = 0;
  counted_run([&] { ++runs; });
  EXPECT_EQ(runs, 1);
}

}  // namespace
}  // namespace ffn
