#include <gtest/gtest.h>

#include "ffn/bench/bench_report.h"
#include "ffn/bench/suite.h"

namespace ffn {
namespace {

// Never a time: only that every case is verified, measured and within the plan of its memory.
TEST(RunBench, TheSmokeSuiteFromEndToEnd) {
  const std::vector<BenchSuite> suites{embedded_suite("smoke")};
  const std::vector<BenchCase> cases = select_cases(suites, "");
  std::vector<std::string> told;
  const BenchReport report = run_bench(cases, {.threads = 2, .quick = true, .version = "test"},
                                       [&](std::size_t done, const BenchCase& next) {
                                         EXPECT_EQ(done, told.size());
                                         told.push_back(next.name);
                                       });
  EXPECT_TRUE(report.quick);
  EXPECT_EQ(report.threads, 2);
  EXPECT_EQ(report.version, "test");
  EXPECT_GT(report.limits.all.memory_gbps, 0);
  ASSERT_EQ(report.cases.size(), cases.size());
  ASSERT_EQ(told.size(), cases.size());
  for (std::size_t i = 0; i < cases.size(); ++i) {
    const CaseResult& c = report.cases[i];
    SCOPED_TRACE(c.name);
    EXPECT_EQ(c.name, told[i]);
    EXPECT_FALSE(c.verified.empty());
    EXPECT_EQ(c.samples, 3);
    EXPECT_GT(c.median_ms, 0);
    EXPECT_LE(c.p10_ms, c.median_ms);
    EXPECT_LE(c.median_ms, c.p90_ms);
    EXPECT_GT(c.gflops, 0);
    EXPECT_EQ(c.kind == "product", !c.measured_bytes.has_value());
    EXPECT_EQ(c.predicted_bytes, c.measured_bytes);
    const bool moves = c.kind == "product" || c.pass == "forward";
    EXPECT_EQ(c.gbps.has_value(), moves);
    EXPECT_EQ(c.memory_level.empty(), !moves);
    if (c.name == "cold") {
      EXPECT_EQ(c.memory_level, "memory");
    }
  }
  EXPECT_EQ(bench_json(parse_bench_report(bench_json(report), "now")), bench_json(report));
}

}  // namespace
}  // namespace ffn
