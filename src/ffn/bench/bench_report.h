// What a benchmark run found, as it is printed, stored and compared.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ffn/bench/workload.h"
#include "ffn/report/table.h"

namespace ffn::inline v0 {

struct CaseResult {
  std::string suite, name, kind, shape;  // kind_of(), shape_text()
  std::int64_t n = 0;                    // rows_of()
  std::string dtype, pass;               // dtype_text(), pass_text()
  std::string isa;
  std::int64_t threads = 1;
  std::string verified;
  std::int64_t samples = 0;
  double median_ms = 0, p10_ms = 0, p90_ms = 0;
  double gflops = 0;             // needed flops over the median
  double peak_gflops = 0;        // measured between the samples
  double share_of_peak = 0;      // a fraction
  double cpu_share_of_peak = 0;  // the same by CPU time
  // Bytes moved at least, over the median; of the level of memory that holds them.
  std::optional<double> gbps = {}, share_of_bandwidth = {};
  std::string memory_level;
  std::optional<std::int64_t> predicted_bytes = {}, measured_bytes = {};

  std::string key() const { return suite + "/" + name; }
};

// slower, faster: the spreads (p10 to p90) of both runs lie apart. alone: the older run has no such
// case.
enum class SpeedVerdict { same, slower, faster, alone };
std::string_view to_string(SpeedVerdict verdict);

// A case beside the same one of an older run.
struct CaseComparison {
  std::string name;  // CaseResult::key()
  double new_ms = 0;
  std::optional<double> old_ms = {};  // medians
  std::optional<double> ratio = {};   // new_ms / old_ms: above 1 is slower
  SpeedVerdict verdict = SpeedVerdict::alone;
};

struct BenchReport {
  std::string cpu;
  std::int64_t cores = 1;  // that this process may use
  std::int64_t threads = 1;
  std::string isa, version, compiler;
  bool quick = false;
  MachineLimits limits;
  std::vector<CaseResult> cases;
  std::vector<CaseComparison> comparison = {};  // empty when nothing was compared
};

struct BenchOptions {
  int threads = 1;
  bool quick = false;  // quick_plan() in place of thorough_plan(), and limits likewise
  std::string version;
};
// Measures the machine's limits, then verifies and measures case by case, `before` each telling how
// many are done. Errors: those of make_workload(); config for an impossible number of threads.
BenchReport run_bench(
    std::span<const BenchCase> cases, const BenchOptions& options,
    const std::function<void(std::size_t done, const BenchCase& next)>& before = {});

// ---- compared ----
// The cases of `now`, in their order, beside those of `old` with the same suite, name, instruction
// set and number of threads. Throws Error{config} when there is none of them.
std::vector<CaseComparison> compare_reports(const BenchReport& old, const BenchReport& now);
bool any_slower(std::span<const CaseComparison> comparison);

// ---- shown ----
Table limits_table(const BenchReport& report);  // a row for one thread, and one for all
Table cases_table(const BenchReport& report);
Table comparison_table(std::span<const CaseComparison> comparison);
// All of it: a line about the machine and the tables; the table of cases alone as CSV, with the
// columns of the comparison where there is one; bench_json().
std::string bench_text(const BenchReport& report, TableFormat format);

// ---- stored ----
// {"schema": 1, "machine": {…}, "quick": false, "cases": [{…}, …], "comparison": [{…}, …]}; what
// does not apply is null, and without a comparison there is no such key.
std::string bench_json(const BenchReport& report);
// The reverse, but for the comparison, which stays empty. An unknown key is an error. Errors:
// Error{io} naming `where` and the key.
BenchReport parse_bench_report(std::string_view text, std::string_view where);
BenchReport read_bench_report(const std::string& path);

}  // namespace ffn::inline v0
