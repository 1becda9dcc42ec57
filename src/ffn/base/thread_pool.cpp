#include "ffn/base/thread_pool.h"

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <system_error>
#include <thread>
#include <vector>

#include "ffn/base/check.h"
#include "ffn/base/error.h"
#include "ffn/base/timer.h"

#if defined(__x86_64__)
#include <xmmintrin.h>
#else
#include <cfenv>
#endif

namespace ffn::inline v0 {
namespace {

// True while this thread runs parts of some pool.
thread_local bool inside_task = false;

// Runs one thread's share. noexcept: an exception out of a task is a programmer error and
// terminates.
void run_parts(PartRange range, ThreadPool::Task task, void* context, int thread) noexcept {
  inside_task = true;
  for (std::int64_t part = range.begin; part < range.end; ++part) task(context, part, thread);
  inside_task = false;
}

// Floating-point control without the sticky exception flags.
#if defined(__x86_64__)
constexpr unsigned kMxcsrControl = 0xffc0;  // flush-to-zero, rounding, masks, denormals-are-zero
unsigned float_control() { return _mm_getcsr() & kMxcsrControl; }
void set_float_control(unsigned control) {
  const unsigned now = _mm_getcsr();
  if ((now & kMxcsrControl) != control) _mm_setcsr((now & ~kMxcsrControl) | control);
}
void relax() { _mm_pause(); }
#else
unsigned float_control() { return static_cast<unsigned>(std::fegetround()); }
void set_float_control(unsigned control) { std::fesetround(static_cast<int>(control)); }
void relax() {}
#endif

// Waiting without a system call for this long keeps a train of kernels below a microsecond per
// dispatch and wastes little when the work is over. A wake-up by the system costs 5 µs on bare
// metal and 50 µs measured in a virtual machine, so the caller spins for longer than that: if it
// slept while a worker wakes up, that worker would sleep again while the caller wakes up, and the
// train would pay two wake-ups per dispatch for ever.
constexpr std::int64_t kWorkerSpinNs = 40'000;
constexpr std::int64_t kCallerSpinNs = 200'000;
// The clock is read once per this many probes (about 1 µs).
constexpr int kProbesPerClock = 32;

template <class Done>
bool spin_until(const Done& done, std::int64_t limit_ns) {
  const std::int64_t deadline = monotonic_ns() + limit_ns;
  do {
    for (int i = 0; i < kProbesPerClock; ++i) {
      if (done()) return true;
      relax();
    }
  } while (monotonic_ns() < deadline);
  return done();
}

// One kind of event: spin, then sleep. `waiting_` and the state that `done` reads are sequentially
// consistent: either the waker sees the sleeper counted, or the sleeper sees the new state.
class Gate {
 public:
  // Spins for up to spin_ns (0: not at all) before it sleeps.
  template <class Done>
  void wait(std::int64_t spin_ns, const Done& done) {
    if (spin_ns > 0 ? spin_until(done, spin_ns) : done()) return;
    std::unique_lock lock(mutex_);
    waiting_.fetch_add(1);
    condition_.wait(lock, done);
    waiting_.fetch_sub(1);
  }
  // Call after changing the state.
  void wake() {
    if (waiting_.load() == 0) return;
    // A sleeper between its test of `done` and its sleep holds the lock: wait for it to be asleep.
    {
      const std::scoped_lock lock(mutex_);
    }
    condition_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable condition_;
  std::atomic<int> waiting_{0};
};

class SerialPool final : public ThreadPool {
 public:
  int size() const override { return 1; }
  void run(std::int64_t parts, Task task, void* context) override {
    FFN_ASSERT(!inside_task);
    run_parts({0, parts}, task, context, 0);
  }
};

class StaticPool final : public ThreadPool {
 public:
  explicit StaticPool(int threads) : threads_(threads), may_spin_(threads <= available_threads()) {
    workers_.reserve(static_cast<std::size_t>(threads - 1));
    try {
      for (int thread = 1; thread < threads; ++thread) {
        workers_.emplace_back([this, thread] { work(thread); });
      }
    } catch (const std::system_error& error) {
      stop();
      fail(ErrorKind::device, "thread_pool", "cannot start thread ", workers_.size() + 1, " of ",
           threads, ": ", error.what());
    }
  }
  ~StaticPool() override { stop(); }

  int size() const override { return threads_; }

  void run(std::int64_t parts, Task task, void* context) override {
    FFN_ASSERT(!inside_task);
    FFN_ASSERT(!busy_.exchange(true));
    if (parts <= 1 || threads_ == 1) {
      run_parts({0, parts}, task, context, 0);
    } else {
      job_ = {parts, task, context, float_control()};
      unfinished_.store(threads_ - 1, std::memory_order_relaxed);  // published by epoch_
      epoch_.fetch_add(1);
      start_.wake();
      run_parts(static_partition(parts, threads_, 0), task, context, 0);
      finished_.wait(may_spin_ ? kCallerSpinNs : 0, [this] { return unfinished_.load() == 0; });
    }
    FFN_ASSERT(busy_.exchange(false));
  }

 private:
  struct Job {
    std::int64_t parts;
    Task task;  // nullptr: leave
    void* context;
    unsigned float_control;
  };

  void work(int thread) {
    for (std::uint64_t seen = 0;; ++seen) {
      start_.wait(may_spin_ ? kWorkerSpinNs : 0, [&] { return epoch_.load() != seen; });
      const Job job = job_;  // stays until every worker has counted itself out
      if (job.task == nullptr) return;
      set_float_control(job.float_control);
      run_parts(static_partition(job.parts, threads_, thread), job.task, job.context, thread);
      if (unfinished_.fetch_sub(1) == 1) finished_.wake();
    }
  }

  void stop() {
    job_ = {0, nullptr, nullptr, 0};
    epoch_.fetch_add(1);
    start_.wake();
    for (std::thread& worker : workers_) worker.join();
  }

  // Own cache lines: workers poll epoch_ while others count down unfinished_.
  static constexpr std::size_t kLine = 64;

  const int threads_;
  // With more threads than processors a spinning thread only keeps the one it waits for from
  // running.
  const bool may_spin_;
  Job job_{};
  alignas(kLine) std::atomic<std::uint64_t> epoch_{0};
  alignas(kLine) std::atomic<int> unfinished_{0};
  alignas(kLine) Gate start_;
  Gate finished_;
  std::atomic<bool> busy_{false};  // for the assert: one run at a time
  std::vector<std::thread> workers_;
};

}  // namespace

ThreadPool& serial_pool() {
  static SerialPool pool;
  return pool;
}

std::unique_ptr<ThreadPool> make_thread_pool(int threads) {
  check(threads >= 1 && threads <= kMaxThreads, ErrorKind::config, "thread_pool", threads,
        " threads; expected 1 … ", kMaxThreads);
  return std::make_unique<StaticPool>(threads);
}

}  // namespace ffn::inline v0
