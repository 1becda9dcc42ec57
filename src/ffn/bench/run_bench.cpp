#include "ffn/base/process.h"
#include "ffn/bench/bench_report.h"
#include "ffn/train/train_config.h"

namespace ffn::inline v0 {
namespace {

// Milliseconds for each limit of the machine.
constexpr double kLimit_ms = 50, kQuickLimit_ms = 5;

CaseResult named_result(const BenchCase& c, const BenchMachine& on) {
  CaseResult result;
  result.suite = c.suite;
  result.name = c.name;
  result.kind = kind_of(c);
  result.shape = shape_text(c);
  result.n = rows_of(c);
  result.dtype = dtype_text(c);
  result.pass = pass_text(c);
  result.isa = to_string(on.isa);
  result.threads = on.pool->size();
  return result;
}

void add_times(CaseResult& result, const MeasuredRun& measured) {
  result.samples = static_cast<std::int64_t>(measured.ms.count);
  result.median_ms = measured.ms.median;
  result.p10_ms = measured.ms.p10;
  result.p90_ms = measured.ms.p90;
  result.gflops = measured.gflops.median;
  result.peak_gflops = measured.peak_gflops;
  result.share_of_peak = measured.share.median / 100;
  result.cpu_share_of_peak = measured.cpu_share.median / 100;
}

CaseResult run_case(const BenchCase& c, const BenchMachine& on, const SpeedLimits& limits,
                    const MeasurePlan& plan) {
  const Workload work = make_workload(c, on);
  CaseResult result = named_result(c, on);
  result.verified = work.verified;
  const Arithmetic arithmetic = arithmetic_for(on.isa, arithmetic_dtype(c));
  add_times(result, measure_run(plan, on.isa, *on.pool, work.flops, work.run, arithmetic));
  if (work.moved_bytes > 0) {
    const MemoryLevel level =
        work.cold ? memory_level(limits) : level_for(limits, on.caches, work.moved_bytes);
    result.memory_level = level.name;
    result.gbps = static_cast<double>(work.moved_bytes) / result.median_ms * 1e-6;
    result.share_of_bandwidth = *result.gbps / level.gbps;
  }
  result.predicted_bytes = work.predicted_bytes;
  if (work.measured_bytes) result.measured_bytes = work.measured_bytes();
  return result;
}

}  // namespace

BenchReport run_bench(std::span<const BenchCase> cases, const BenchOptions& options,
                      const std::function<void(std::size_t done, const BenchCase& next)>& before) {
  const std::unique_ptr<ThreadPool> pool = make_thread_pool(options.threads);
  const BenchMachine on{choose_isa(), pool.get(), read_cache_sizes()};
  BenchReport report;
  report.cpu = processor_name();
  report.cores = available_threads();
  report.threads = pool->size();
  report.isa = to_string(on.isa);
  report.version = options.version;
  report.compiler = compiler_name();
  report.quick = options.quick;
  report.limits =
      measure_limits(on.isa, *pool, on.caches, options.quick ? kQuickLimit_ms : kLimit_ms);
  const MeasurePlan plan = options.quick ? quick_plan() : thorough_plan();
  for (const BenchCase& c : cases) {
    if (before) before(report.cases.size(), c);
    report.cases.push_back(run_case(c, on, report.limits.all, plan));
  }
  return report;
}

}  // namespace ffn::inline v0
