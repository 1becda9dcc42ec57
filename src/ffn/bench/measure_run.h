// Repeated measurements, each beside a measurement of the machine's own limit, so that a share of
// the peak means something on a busy machine too.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "ffn/base/cpu_features.h"
#include "ffn/base/dtype.h"
#include "ffn/base/thread_pool.h"
#include "ffn/base/timer.h"

namespace ffn::inline v0 {

// What a multiply-add works on: f32 numbers, pairs of bf16 (dot product), quadruples of bytes.
enum class Arithmetic { f32, bf16, int8 };
bool has_arithmetic(Isa isa, Arithmetic arithmetic);
// The fastest multiply-add that this instruction set has for products of rows of `dtype`: bf16 for
// bf16 and int8 for i8 where there is such an instruction, f32 otherwise.
Arithmetic arithmetic_for(Isa isa, DType dtype);

// Speed of multiply-adds, two operations each, on registers alone with every thread of the pool at
// work, over about a millisecond.
struct PeakSpeed {
  double gflops = 0;          // by the clock on the wall, all threads together
  double gflops_per_cpu = 0;  // by CPU time: of one thread while it runs
};
// Zeros where the instruction set has no such arithmetic.
PeakSpeed measure_peak(Isa isa, ThreadPool& pool, Arithmetic arithmetic = Arithmetic::f32);

struct MeasurePlan {
  int warm_up = 3;       // runs at least before the first sample,
  double warm_up_s = 0;  // and seconds
  int samples = 31;      // at least, where a run takes less than long_ms
  int long_samples = 31;
  double long_ms = 50;
  double sampled_s = 0;  // the samples take so many seconds at least
  double sample_ms = 4;  // a sample repeats the run until it has taken about this long
};
// A second and 3 runs of warm-up; then 3 seconds and 30 samples, 5 of runs of 50 ms and longer.
MeasurePlan thorough_plan();
// One run of warm-up and 3 samples: shows that everything works, and little of how fast.
MeasurePlan quick_plan();
// A round of a case that other programs are measured beside, in turn: a tenth of a second and 2
// runs of warm-up, after which the others' threads sleep and the caches are ours; then 0.3 seconds
// and 6 samples, 2 of runs of 50 ms and longer.
MeasurePlan round_plan();

// Milliseconds of one run, a number per sample, with nothing between the samples.
std::vector<double> sample_run(const MeasurePlan& plan, const std::function<void()>& run);

struct MeasuredRun {
  SampleSummary ms;        // of one run
  SampleSummary gflops;    // flops / time
  double peak_gflops = 0;  // the best of the measurements of the peak between the samples
  SampleSummary share;     // gflops / peak, in percent
  // The same by CPU time of the whole process, which other programs on the machine take no part of
  // (but they still share its caches and memory). Threads that wait awake count as running.
  SampleSummary cpu_share;
};

// Times `run`, which does `flops` floating-point operations, on all threads of the pool. A
// measurement of the peak stands before, between and after the samples.
MeasuredRun measure_run(const MeasurePlan& plan, Isa isa, ThreadPool& pool, double flops,
                        const std::function<void()>& run, Arithmetic arithmetic = Arithmetic::f32);

}  // namespace ffn::inline v0
