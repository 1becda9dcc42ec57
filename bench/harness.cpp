#include "harness.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <string_view>

#include "peak_fma.h"

namespace ffn::bench {
namespace {

using RunFma = std::int64_t (*)(std::int64_t rounds);

RunFma fma_loop(Isa isa) {
  switch (isa) {
#if defined(FFN_CPU_X86)
    case Isa::avx2: return avx2::run_fma;
    case Isa::avx512: return avx512::run_fma;
    case Isa::avx512_bf16: return avx512_bf16::run_fma;
#endif
    default: return scalar::run_fma;
  }
}

// About a millisecond on vector hardware: 12 chains at two per cycle are six cycles a round.
constexpr std::int64_t kRounds = 500'000;
// fma without hardware support is a library call.
constexpr std::int64_t kScalarRounds = 20'000;

// Seconds of CPU time of this process, all threads together.
double cpu_seconds() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

}  // namespace

Peak measure_peak(Isa isa, ThreadPool& pool) {
  struct Job {
    RunFma loop;
    std::int64_t rounds;
  } job{fma_loop(isa), isa == Isa::scalar ? kScalarRounds : kRounds};
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
  return {flops / seconds * 1e-9, flops / (cpu_seconds() - cpu) * 1e-9};
}

Result measure(const Plan& plan, Isa isa, ThreadPool& pool, double flops,
               const std::function<void()>& run) {
  for (int i = 0; i < plan.warm_up; ++i) run();
  const Stopwatch once;
  run();
  const int repeats = std::max(1, static_cast<int>(plan.sample_ms / once.elapsed_ms()));
  std::vector<double> ms, gflops, cpu_gflops, peaks, cpu_peaks;
  const auto add_peak = [&] {
    const Peak peak = measure_peak(isa, pool);
    peaks.push_back(peak.gflops);
    cpu_peaks.push_back(peak.gflops_per_cpu);
  };
  add_peak();
  for (int i = 0; i < plan.samples; ++i) {
    const double cpu = cpu_seconds();
    const Stopwatch watch;
    for (int r = 0; r < repeats; ++r) run();
    ms.push_back(watch.elapsed_ms() / repeats);
    gflops.push_back(flops / ms.back() * 1e-6);
    cpu_gflops.push_back(flops * repeats / (cpu_seconds() - cpu) * 1e-9);
    add_peak();
  }
  const auto shares = [](std::vector<double> speeds, double limit) {
    for (double& speed : speeds) speed *= 100 / limit;
    return summarize(speeds);
  };
  // The wall clock can only lower a peak, so the best one is the limit; CPU time of a millisecond
  // is accounted too coarsely for that.
  const double peak = summarize(peaks).maximum, cpu_peak = summarize(cpu_peaks).median;
  return {summarize(ms), summarize(gflops), peak, shares(gflops, peak),
          shares(cpu_gflops, cpu_peak)};
}

void Table::add(const std::vector<std::string>& cells) const {
  for (const std::string& cell : cells) std::printf("| %s ", cell.c_str());
  std::printf("|\n");
  std::fflush(stdout);
}

std::string format_number(double value) {
  std::array<char, 32> text{};
  const int decimals = value >= 100 ? 0 : value >= 10 ? 1 : value >= 1 ? 2 : 3;
  std::snprintf(text.data(), text.size(), "%.*f", decimals, value);
  return text.data();
}

std::string format_spread(const SampleSummary& summary) {
  return format_number(summary.median) + " (" + format_number(summary.p10) + "–" +
         format_number(summary.p90) + ")";
}

int read_option(int argc, char** argv, const std::string& name, int fallback) {
  for (int i = 1; i + 1 < argc; ++i) {
    if (name != argv[i]) continue;
    const std::string_view text = argv[i + 1];
    int value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error == std::errc{} && end == text.data() + text.size() && value >= 1) return value;
    std::fprintf(stderr, "%s: expected a number ≥ 1, got '%s'\n", name.c_str(), argv[i + 1]);
    std::exit(2);
  }
  return fallback;
}

}  // namespace ffn::bench
