#include <algorithm>

#include "ffn/base/error.h"
#include "ffn/bench/bench_report.h"

namespace ffn::inline v0 {
namespace {

CaseComparison compare(const CaseResult& old, const CaseResult& now) {
  CaseComparison both{now.key(), now.median_ms, old.median_ms, now.median_ms / old.median_ms,
                      SpeedVerdict::same};
  if (now.p10_ms > old.p90_ms) both.verdict = SpeedVerdict::slower;
  if (now.p90_ms < old.p10_ms) both.verdict = SpeedVerdict::faster;
  return both;
}

}  // namespace

std::string_view to_string(SpeedVerdict verdict) {
  switch (verdict) {
    case SpeedVerdict::same: return "same";
    case SpeedVerdict::slower: return "slower";
    case SpeedVerdict::faster: return "faster";
    case SpeedVerdict::alone: return "alone";
  }
  return "";
}

std::vector<CaseComparison> compare_reports(const BenchReport& old, const BenchReport& now) {
  std::vector<CaseComparison> comparison;
  for (const CaseResult& c : now.cases) {
    const auto same = std::ranges::find_if(old.cases, [&](const CaseResult& other) {
      return other.key() == c.key() && other.isa == c.isa && other.threads == c.threads;
    });
    if (same == old.cases.end()) {
      comparison.push_back({.name = c.key(), .new_ms = c.median_ms});
    } else {
      comparison.push_back(compare(*same, c));
    }
  }
  const bool any = std::ranges::any_of(
      comparison, [](const CaseComparison& c) { return c.verdict != SpeedVerdict::alone; });
  check(any, ErrorKind::config, "--compare",
        "the older run has none of these cases on this instruction set with as many threads");
  return comparison;
}

bool any_slower(std::span<const CaseComparison> comparison) {
  return std::ranges::any_of(
      comparison, [](const CaseComparison& c) { return c.verdict == SpeedVerdict::slower; });
}

}  // namespace ffn::inline v0
