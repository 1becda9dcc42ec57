// How fast this machine can compute and read at best, measured.
#pragma once

#include <cstdint>
#include <string>

#include "ffn/bench/measure_run.h"

namespace ffn::inline v0 {

// Data caches as one thread sees them.
struct CacheSizes {
  std::int64_t l1_bytes = 32 << 10, l2_bytes = 512 << 10, l3_bytes = 32 << 20;

  friend bool operator==(const CacheSizes&, const CacheSizes&) = default;
};
// From index*/{level,type,size} below `folder`; what is not said there from sysconf, and then as
// above. The folder goes first: virtual machines have been seen whose sysconf says 256 MiB of L3
// for 32.
CacheSizes read_cache_sizes(const std::string& folder = "/sys/devices/system/cpu/cpu0/cache");

// Of some threads at work together; 0 where the instruction set lacks the arithmetic.
struct SpeedLimits {
  int threads = 1;
  double f32_gflops = 0, bf16_gflops = 0, int8_gflops = 0;        // two per multiply-add
  double l1_gbps = 0, l2_gbps = 0, l3_gbps = 0, memory_gbps = 0;  // 10^9 bytes read a second
};

struct MachineLimits {
  CacheSizes caches;
  SpeedLimits one, all;
};

// The best of several measurements of about `each_ms` milliseconds for every limit: whatever else
// runs can only lower one. Every thread reads memory of its own: half of L1, half of L2, two to
// four times L2 for L3, and its share of four times L3 (64 MiB to 1 GiB) for memory.
MachineLimits measure_limits(Isa isa, ThreadPool& pool, const CacheSizes& caches, double each_ms);

// A level of memory by what must fit into it.
struct MemoryLevel {
  std::string name;  // "L1", "L2", "L3", "memory"
  double gbps = 0;
};
// The smallest level that holds `bytes`, of which every thread works on its share.
MemoryLevel level_for(const SpeedLimits& limits, const CacheSizes& caches, std::int64_t bytes);
MemoryLevel memory_level(const SpeedLimits& limits);

}  // namespace ffn::inline v0
