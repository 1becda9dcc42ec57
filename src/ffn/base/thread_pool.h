// A small static pool. Work is split into `parts` indices fixed by the caller; index i always runs
// on the same code path, so results cannot depend on the number of threads.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

namespace ffn::inline v0 {

// What kernels see: an interface a host program may implement over its own threads.
class ThreadPool {
 public:
  using Task = void (*)(void* context, std::int64_t part, int thread);

  virtual ~ThreadPool() = default;
  // Number of threads that may run tasks at once, the caller included; ≥ 1.
  virtual int size() const = 0;
  // Runs task(context, i, thread) for every i in [0, parts): thread t takes a contiguous range.
  // Returns when all are done. Calling it from inside a task is a programmer error (no nesting).
  // Tasks do not throw. The caller takes part as thread 0.
  virtual void run(std::int64_t parts, Task task, void* context) = 0;

 protected:
  ThreadPool() = default;
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;
};

// The range of parts that `thread` of `threads` takes: contiguous, sizes differ by at most one.
struct PartRange {
  std::int64_t begin, end;
};
constexpr PartRange static_partition(std::int64_t parts, int threads, int thread) {
  const std::int64_t base = parts / threads, extra = parts % threads;
  const std::int64_t begin = thread * base + (thread < extra ? thread : extra);
  return {begin, begin + base + (thread < extra ? 1 : 0)};
}

// Runs everything on the caller.
ThreadPool& serial_pool();
inline constexpr int kMaxThreads = 1024;
// A pool of `threads` (1 … kMaxThreads; caller included). Throws Error{config} outside that range,
// Error{device} when the system refuses a thread. Workers spin briefly, then sleep; during a run
// they use the caller's floating-point control state (rounding, flush-to-zero), so results do not
// depend on which thread computes them. One run at a time: two threads may not share a pool.
std::unique_ptr<ThreadPool> make_thread_pool(int threads);
// Processors this process may use (SMT siblings count); ≥ 1: its affinity mask, lowered to the
// smallest cgroup v2 quota (cpu.max, rounded up) between its own group and the root.
int available_threads();
// Processors granted by the text of one cpu.max file ("150000 100000" → 2), or 0 when it sets no
// limit.
int quota_processors(std::string_view cpu_max);

}  // namespace ffn::inline v0
