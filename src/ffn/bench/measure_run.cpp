#include "ffn/bench/measure_run.h"

#include <algorithm>
#include <ctime>
#include <vector>

#include "ffn/bench/limit_loops.h"

namespace ffn::inline v0 {
namespace {

// About a millisecond on vector hardware: 12 chains at two per cycle are six cycles a round.
constexpr std::int64_t kRounds = 500'000;
// fma without hardware support is a library call.
constexpr std::int64_t kScalarRounds = 20'000;

// Seconds of CPU time of this process, all threads together.
double cpu_seconds() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

LimitLoops::Compute loop_of(Isa isa, Arithmetic arithmetic) {
  const LimitLoops& loops = limit_loops(isa);
  switch (arithmetic) {
    case Arithmetic::f32: return loops.f32;
    case Arithmetic::bf16: return loops.bf16;
    case Arithmetic::int8: return loops.int8;
  }
  return nullptr;
}

// How often a sample repeats the run, and how many samples there are at least.
struct Pace {
  int repeats, least;
};
Pace warm_up(const MeasurePlan& plan, const std::function<void()>& run) {
  const Stopwatch warming;
  for (int i = 0; i < plan.warm_up || warming.elapsed_s() < plan.warm_up_s; ++i) run();
  const Stopwatch once;
  run();
  const double once_ms = std::max(once.elapsed_ms(), 1e-6);  // the clock's grain
  return {std::max(1, static_cast<int>(plan.sample_ms / once_ms)),
          once_ms < plan.long_ms ? plan.samples : plan.long_samples};
}

// Times and peaks of the samples, as they come.
class Samples {
 public:
  Samples(Isa isa, ThreadPool& pool, Arithmetic arithmetic, double flops)
      : isa_(isa), pool_(pool), arithmetic_(arithmetic), flops_(flops) {
    add_peak();
  }

  void add(int repeats, const std::function<void()>& run) {
    const double cpu = cpu_seconds();
    const Stopwatch watch;
    for (int r = 0; r < repeats; ++r) run();
    const double total_ms = watch.elapsed_ms();
    total_s_ += 1e-3 * total_ms;
    ms_.push_back(total_ms / repeats);
    gflops_.push_back(flops_ / ms_.back() * 1e-6);
    // A run shorter than the accounting's grain may seem to take no CPU time at all.
    const double cpu_s = std::max(cpu_seconds() - cpu, 1e-9);
    cpu_gflops_.push_back(flops_ * repeats / cpu_s * 1e-9);
    add_peak();
  }

  int count() const { return static_cast<int>(ms_.size()); }
  double total_s() const { return total_s_; }

  MeasuredRun summary() const {
    // The wall clock can only lower a peak, so the best one is the limit; CPU time of a millisecond
    // is accounted too coarsely for that.
    const double peak = summarize(peaks_).maximum, cpu_peak = summarize(cpu_peaks_).median;
    return {summarize(ms_), summarize(gflops_), peak, shares(gflops_, peak),
            shares(cpu_gflops_, cpu_peak)};
  }

 private:
  void add_peak() {
    const PeakSpeed peak = measure_peak(isa_, pool_, arithmetic_);
    peaks_.push_back(peak.gflops);
    cpu_peaks_.push_back(peak.gflops_per_cpu);
  }
  static SampleSummary shares(std::vector<double> speeds, double limit) {
    for (double& speed : speeds) speed *= 100 / limit;
    return summarize(speeds);
  }

  Isa isa_;
  ThreadPool& pool_;
  Arithmetic arithmetic_;
  double flops_, total_s_ = 0;
  std::vector<double> ms_, gflops_, cpu_gflops_, peaks_, cpu_peaks_;
};

}  // namespace

bool has_arithmetic(Isa isa, Arithmetic arithmetic) { return loop_of(isa, arithmetic) != nullptr; }

Arithmetic arithmetic_for(Isa isa, DType dtype) {
  const Arithmetic wanted = dtype == DType::bf16 ? Arithmetic::bf16
                            : dtype == DType::i8 ? Arithmetic::int8
                                                 : Arithmetic::f32;
  return has_arithmetic(isa, wanted) ? wanted : Arithmetic::f32;
}

PeakSpeed measure_peak(Isa isa, ThreadPool& pool, Arithmetic arithmetic) {
  struct Job {
    LimitLoops::Compute loop;
    std::int64_t rounds;
  } job{loop_of(isa, arithmetic), isa == Isa::scalar ? kScalarRounds : kRounds};
  if (job.loop == nullptr) return {};
  const double flops = static_cast<double>(job.loop(1)) * static_cast<double>(job.rounds) *
                       static_cast<double>(pool.size());
  const double cpu = cpu_seconds();
  const Stopwatch watch;
  pool.run(
      pool.size(),
      [](void* context, std::int64_t, int) {
        const Job& own = *static_cast<const Job*>(context);
        own.loop(own.rounds);
      },
      &job);
  const double seconds = watch.elapsed_s();
  return {flops / seconds * 1e-9, flops / std::max(cpu_seconds() - cpu, 1e-9) * 1e-9};
}

MeasurePlan thorough_plan() {
  return {.warm_up = 3, .warm_up_s = 1, .samples = 30, .long_samples = 5, .sampled_s = 3};
}

MeasurePlan quick_plan() { return {.warm_up = 1, .samples = 3, .long_samples = 3, .sample_ms = 1}; }

MeasurePlan round_plan() {
  return {.warm_up = 2, .warm_up_s = 0.1, .samples = 6, .long_samples = 2, .sampled_s = 0.3};
}

std::vector<double> sample_run(const MeasurePlan& plan, const std::function<void()>& run) {
  const Pace pace = warm_up(plan, run);
  std::vector<double> ms;
  double total_ms = 0;
  while (ms.size() < static_cast<std::size_t>(pace.least) || total_ms < 1e3 * plan.sampled_s) {
    const Stopwatch watch;
    for (int r = 0; r < pace.repeats; ++r) run();
    const double sample_ms = watch.elapsed_ms();
    total_ms += sample_ms;
    ms.push_back(sample_ms / pace.repeats);
  }
  return ms;
}

MeasuredRun measure_run(const MeasurePlan& plan, Isa isa, ThreadPool& pool, double flops,
                        const std::function<void()>& run, Arithmetic arithmetic) {
  const Pace pace = warm_up(plan, run);
  Samples samples(isa, pool, arithmetic, flops);
  while (samples.count() < pace.least || samples.total_s() < plan.sampled_s)
    samples.add(pace.repeats, run);
  return samples.summary();
}

}  // namespace ffn::inline v0
