#include "ffn/bench/machine_limits.h"

#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <fstream>
#include <memory>

#include "ffn/base/allocator.h"
#include "ffn/bench/limit_loops.h"

namespace ffn::inline v0 {
namespace {

constexpr int kTries = 5;

std::string first_word(const std::string& path) {
  std::ifstream file(path);
  std::string word;
  file >> word;
  return word;
}

// "512K" or "32M" in bytes; 0 for anything else.
std::int64_t size_of(const std::string& text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || value < 0 || value > (1 << 30)) return 0;
  const std::string unit(end, text.data() + text.size());
  if (unit == "K") return value << 10;
  return unit == "M" ? value << 20 : 0;
}

std::int64_t system_size(int name) { return std::max<long>(0, ::sysconf(name)); }

// A block of the allocator's, every page touched by the thread that will read it.
class ReadJob {
 public:
  ReadJob(ThreadPool& pool, std::int64_t bytes_each)
      : pool_(pool),
        floats_(std::max(bytes_each / 4 / kReadUnit, std::int64_t{1}) * kReadUnit),
        bytes_(4 * floats_ * pool.size()),
        data_(static_cast<float*>(allocate_bytes(bytes_))) {
    run([](ReadJob& job, float* own) {
      std::memset(static_cast<void*>(own), 1, static_cast<std::size_t>(4 * job.floats_));
    });
  }
  ~ReadJob() { release_bytes(data_, bytes_); }
  ReadJob(const ReadJob&) = delete;
  ReadJob& operator=(const ReadJob&) = delete;

  // Bytes per second of so many passes, all threads together.
  double speed(LimitLoops::Read read, std::int64_t passes) {
    read_ = read;
    passes_ = passes;
    const Stopwatch watch;
    run([](ReadJob& job, float* own) { job.read_(own, job.floats_, job.passes_); });
    return static_cast<double>(bytes_ * passes) / watch.elapsed_s();
  }
  std::int64_t bytes() const { return bytes_; }

 private:
  using Part = void (*)(ReadJob& job, float* own);
  void run(Part part) {
    part_ = part;
    pool_.run(
        pool_.size(),
        [](void* context, std::int64_t index, int) {
          ReadJob& job = *static_cast<ReadJob*>(context);
          job.part_(job, job.data_ + index * job.floats_);
        },
        this);
  }

  ThreadPool& pool_;
  std::int64_t floats_, bytes_, passes_ = 1;
  float* data_;
  Part part_ = nullptr;
  LimitLoops::Read read_ = nullptr;
};

// 10^9 bytes per second, by the way of reading that is faster here.
double read_speed(Isa isa, ThreadPool& pool, std::int64_t bytes_each, double each_ms) {
  ReadJob job(pool, bytes_each);
  const LimitLoops& loops = limit_loops(isa);
  const double least_s = 1e-3 * each_ms / (2 * kTries);
  double best = 0;
  for (const LimitLoops::Read read : {loops.read, loops.read_apart}) {
    // Doubled until a try is long enough: first passes are slow, and starting threads takes time.
    std::int64_t passes = 1;
    while (static_cast<double>(job.bytes() * passes) / job.speed(read, passes) < least_s)
      passes *= 2;
    for (int i = 0; i < kTries; ++i) best = std::max(best, job.speed(read, passes));
  }
  return 1e-9 * best;
}

// A measurement of the peak takes about a millisecond.
double compute_speed(Isa isa, ThreadPool& pool, Arithmetic arithmetic, double each_ms) {
  double best = 0;
  for (int i = 0; i < std::max(kTries, static_cast<int>(each_ms)); ++i)
    best = std::max(best, measure_peak(isa, pool, arithmetic).gflops);
  return best;
}

SpeedLimits measure_speeds(Isa isa, ThreadPool& pool, const CacheSizes& caches, double each_ms) {
  const std::int64_t threads = pool.size();
  const auto compute = [&](Arithmetic arithmetic) {
    return has_arithmetic(isa, arithmetic) ? compute_speed(isa, pool, arithmetic, each_ms) : 0.0;
  };
  const auto read = [&](std::int64_t bytes_each) {
    return read_speed(isa, pool, bytes_each, each_ms);
  };
  constexpr std::int64_t kLeast = std::int64_t{64} << 20, kMost = std::int64_t{1} << 30;
  // Virtual machines share L3 with others: the less of it, the surer.
  const std::int64_t in_l3 =
      std::min(4 * caches.l2_bytes, std::max(2 * caches.l2_bytes, caches.l3_bytes / 2 / threads));
  const std::int64_t in_memory = std::clamp(4 * caches.l3_bytes, kLeast, kMost);
  return {.threads = pool.size(),
          .f32_gflops = compute(Arithmetic::f32),
          .bf16_gflops = compute(Arithmetic::bf16),
          .int8_gflops = compute(Arithmetic::int8),
          .l1_gbps = read(caches.l1_bytes / 2),
          .l2_gbps = read(caches.l2_bytes / 2),
          .l3_gbps = read(in_l3),
          .memory_gbps = read(in_memory / threads)};
}

}  // namespace

CacheSizes read_cache_sizes(const std::string& folder) {
  CacheSizes sizes;
  const auto take = [](std::int64_t& to, std::int64_t found) {
    if (found > 0) to = found;
  };
  take(sizes.l1_bytes, system_size(_SC_LEVEL1_DCACHE_SIZE));
  take(sizes.l2_bytes, system_size(_SC_LEVEL2_CACHE_SIZE));
  take(sizes.l3_bytes, system_size(_SC_LEVEL3_CACHE_SIZE));
  for (int index = 0; index < 8; ++index) {
    const std::string cache = folder + "/index" + std::to_string(index) + "/";
    if (first_word(cache + "type") == "Instruction") continue;
    const std::string level = first_word(cache + "level");
    const std::int64_t found = size_of(first_word(cache + "size"));
    if (level == "1") take(sizes.l1_bytes, found);
    if (level == "2") take(sizes.l2_bytes, found);
    if (level == "3") take(sizes.l3_bytes, found);
  }
  return sizes;
}

MachineLimits measure_limits(Isa isa, ThreadPool& pool, const CacheSizes& caches, double each_ms) {
  MachineLimits limits;
  limits.caches = caches;
  limits.one = measure_speeds(isa, serial_pool(), caches, each_ms);
  limits.all = pool.size() == 1 ? limits.one : measure_speeds(isa, pool, caches, each_ms);
  return limits;
}

MemoryLevel memory_level(const SpeedLimits& limits) { return {"memory", limits.memory_gbps}; }

MemoryLevel level_for(const SpeedLimits& limits, const CacheSizes& caches, std::int64_t bytes) {
  const std::int64_t each = bytes / limits.threads;
  if (each <= caches.l1_bytes) return {"L1", limits.l1_gbps};
  if (each <= caches.l2_bytes) return {"L2", limits.l2_gbps};
  if (bytes <= caches.l3_bytes) return {"L3", limits.l3_gbps};
  return memory_level(limits);
}

}  // namespace ffn::inline v0
