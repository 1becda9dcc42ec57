// What every benchmark shares: repeated measurements, each beside a measurement of the machine's
// own limit, so that a share of the peak means something on a busy machine too.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "ffn/base/cpu_features.h"
#include "ffn/base/thread_pool.h"
#include "ffn/base/timer.h"

namespace ffn::bench {

// Speed of f32 multiply-adds with every thread of the pool at work, over about a millisecond.
struct Peak {
  double gflops;          // by the clock on the wall, all threads together
  double gflops_per_cpu;  // by CPU time: of one thread while it runs
};
Peak measure_peak(Isa isa, ThreadPool& pool);

struct Result {
  SampleSummary ms;      // of one run
  SampleSummary gflops;  // flops / time
  double peak_gflops;    // the best of the measurements of the peak between the samples
  SampleSummary share;   // gflops / peak, in percent
  // The same by CPU time of the whole process, which other programs on the machine take no part of
  // (but they still share its caches and memory). Threads that wait awake count as running.
  SampleSummary cpu_share;
};

struct Plan {
  int warm_up = 3;
  int samples = 31;
  double sample_ms = 4;  // a sample repeats the run until it has taken about this long
};

// Times `run`, which does `flops` floating-point operations, on all threads of the pool. A
// measurement of the peak stands before, between and after the samples.
Result measure(const Plan& plan, Isa isa, ThreadPool& pool, double flops,
               const std::function<void()>& run);

// Prints rows of a Markdown table, the heading first.
class Table {
 public:
  explicit Table(const std::vector<std::string>& columns) {
    add(columns);
    add(std::vector<std::string>(columns.size(), "---"));
  }
  void add(const std::vector<std::string>& cells) const;
};

// 3 significant digits; "median (p10–p90)".
std::string format_number(double value);
std::string format_spread(const SampleSummary& summary);

// Numbers ≥ 1 from the command line, after `--<name>`; `fallback` when the option is absent. Prints
// an error and exits with status 2 when the value is no such number.
int read_option(int argc, char** argv, const std::string& name, int fallback);

}  // namespace ffn::bench
