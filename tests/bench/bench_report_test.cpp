#include "ffn/bench/bench_report.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "io/files.h"

namespace ffn {
namespace {

using testing_io::expect_error;

CaseResult made_up_case(const char* name, double p10_ms, double median_ms, double p90_ms) {
  CaseResult c;
  c.suite = "made";
  c.name = name;
  c.kind = "layer";
  c.shape = "glu(silu) at 576";
  c.n = 8;
  c.dtype = "bf16";
  c.isa = "avx2";
  c.threads = 2;
  c.verified = "8 rows whole";
  c.samples = 30;
  c.p10_ms = p10_ms;
  c.median_ms = median_ms;
  c.p90_ms = p90_ms;
  c.gflops = 12.5;
  c.peak_gflops = 100;
  c.share_of_peak = 0.125;
  c.cpu_share_of_peak = 0.13;
  return c;
}

BenchReport made_up_report() {
  BenchReport report;
  report.cpu = "A processor";
  report.cores = report.threads = 2;
  report.isa = "avx2";
  report.version = "0.1.0";
  report.compiler = "GCC 12.2.0";
  report.limits.one = {1, 100, 0, 0, 200, 90, 60, 20};
  report.limits.all = {2, 200, 400, 800, 400, 180, 110, 35};
  report.cases = {made_up_case("same", 9, 10, 11), made_up_case("other", 19, 20, 21)};
  CaseResult& full = report.cases[1];
  full.pass = "backward, recompute";
  full.gbps = 17.5;
  full.share_of_bandwidth = 0.5;
  full.memory_level = "memory";
  full.predicted_bytes = 4096;
  full.measured_bytes = 4096;
  return report;
}

TEST(BenchReport, IsReadAsItWasWritten) {
  const BenchReport report = made_up_report();
  const std::string text = bench_json(report);
  const BenchReport read = parse_bench_report(text, "old.json");
  EXPECT_EQ(bench_json(read), text);
  EXPECT_EQ(read.cases[1].predicted_bytes, 4096);
  EXPECT_FALSE(read.cases[0].gbps.has_value());
  EXPECT_EQ(read.limits.all.int8_gflops, 800);
  EXPECT_EQ(read.limits.one.bf16_gflops, 0);
}

TEST(BenchReport, AComparedOneIsReadToo) {
  BenchReport report = made_up_report();
  report.comparison = compare_reports(made_up_report(), report);
  const std::string text = bench_json(report);
  EXPECT_NE(text.find("\"verdict\": \"same\""), std::string::npos);
  EXPECT_EQ(parse_bench_report(text, "old.json").cases.size(), 2u);
}

TEST(BenchReport, MistakesInAFileAreNamed) {
  const auto expect = [](std::string_view from, std::string_view to, std::string_view says) {
    std::string text = bench_json(made_up_report());
    const std::size_t at = text.find(from);
    ASSERT_NE(at, std::string::npos) << from;
    text.replace(at, from.size(), to);
    expect_error(ErrorKind::io, {"old.json", says}, [&] { parse_bench_report(text, "old.json"); });
  };
  expect("\"p10_ms\"", "\"p11_ms\"", "lacks the key 'cases[0].p10_ms'");
  expect("\"samples\": 30", "\"samples\": 30, \"more\": 1", "unknown key 'cases[0].more'");
  expect("\"median_ms\": 10.0", "\"median_ms\": 0", "'cases[0].median_ms' is 0");
  expect("\"quick\": false", "\"quick\": 0", "'quick' is no true or false");
  expect("\"l3_gbps\"", "\"l4_gbps\"", "lacks the key 'machine.one_thread.l3_gbps'");
}

TEST(CompareReports, OnlySpreadsThatLieApartDecide) {
  const BenchReport old = made_up_report();  // 9 to 11
  const auto verdict = [&](double p10_ms, double median_ms, double p90_ms) {
    BenchReport now = old;
    now.cases = {made_up_case("same", p10_ms, median_ms, p90_ms)};
    const auto comparison = compare_reports(old, now);
    EXPECT_EQ(comparison[0].ratio, median_ms / 10);
    EXPECT_EQ(any_slower(comparison), comparison[0].verdict == SpeedVerdict::slower);
    return comparison[0].verdict;
  };
  EXPECT_EQ(verdict(10.9, 12, 13), SpeedVerdict::same);
  EXPECT_EQ(verdict(11.0, 12, 13), SpeedVerdict::same);
  EXPECT_EQ(verdict(11.1, 12, 13), SpeedVerdict::slower);
  EXPECT_EQ(verdict(7, 8, 9), SpeedVerdict::same);
  EXPECT_EQ(verdict(7, 8, 8.9), SpeedVerdict::faster);
}

TEST(CompareReports, CasesOfAnotherKindStandAlone) {
  const BenchReport old = made_up_report();
  BenchReport now = old;
  now.cases[0].threads = 1;
  const auto comparison = compare_reports(old, now);
  EXPECT_EQ(comparison[0].verdict, SpeedVerdict::alone);
  EXPECT_FALSE(comparison[0].ratio.has_value());
  EXPECT_EQ(comparison[1].verdict, SpeedVerdict::same);
  now.cases[1].isa = "scalar";
  expect_error(ErrorKind::config, {"has none of these cases"}, [&] { compare_reports(old, now); });
}

TEST(BenchText, SaysAllThatIsKnown) {
  BenchReport report = made_up_report();
  report.comparison = compare_reports(report, report);
  const std::string md = bench_text(report, TableFormat::md);
  for (const char* part : {"A processor, 2 processors, avx2", "memory_gbps", "made/other",
                           "12.50 %", "4 KiB", "verdict"})
    EXPECT_NE(md.find(part), std::string::npos) << part;
  EXPECT_EQ(md.find("Quick"), std::string::npos);
  report.quick = true;
  EXPECT_NE(bench_text(report, TableFormat::md).find("Quick"), std::string::npos);
  const std::string csv = bench_text(report, TableFormat::csv);
  EXPECT_NE(csv.find(",old_ms,ratio,verdict\r\n"), std::string::npos);
  EXPECT_EQ(std::ranges::count(csv, '\n'), 3);
  EXPECT_EQ(bench_text(report, TableFormat::json), bench_json(report));
}

}  // namespace
}  // namespace ffn
