#include "ffn/base/thread_pool.h"

#include <gtest/gtest.h>
#include <sched.h>

#include <atomic>
#include <cfenv>
#include <chrono>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "ffn/base/error.h"

#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

namespace ffn {
namespace {

// Runs a lambda (part, thread) over the pool.
template <class Body>
void run(ThreadPool& pool, std::int64_t parts, const Body& body) {
  pool.run(
      parts,
      [](void* context, std::int64_t part, int thread) {
        (*static_cast<const Body*>(context))(part, thread);
      },
      const_cast<Body*>(&body));
}

TEST(ThreadPool, PartitionCoversEveryPartOnceInOrder) {
  for (int threads = 1; threads <= 9; ++threads) {
    for (std::int64_t parts = 0; parts <= 40; ++parts) {
      std::int64_t next = 0;
      for (int thread = 0; thread < threads; ++thread) {
        const PartRange range = static_partition(parts, threads, thread);
        EXPECT_EQ(range.begin, next);
        EXPECT_GE(range.end - range.begin, parts / threads);
        EXPECT_LE(range.end - range.begin, (parts + threads - 1) / threads);
        next = range.end;
      }
      EXPECT_EQ(next, parts);
    }
  }
}

TEST(ThreadPool, EveryPartRunsOnceOnItsThread) {
  for (int threads = 1; threads <= 8; ++threads) {
    const auto pool = make_thread_pool(threads);
    EXPECT_EQ(pool->size(), threads);
    for (const std::int64_t parts : {0, 1, 2, 3, 7, 8, 9, 100}) {
      std::vector<int> visits(static_cast<std::size_t>(parts), 0);
      std::vector<int> by(static_cast<std::size_t>(parts), -1);
      const auto caller = std::this_thread::get_id();
      run(*pool, parts, [&](std::int64_t part, int thread) {
        ++visits[static_cast<std::size_t>(part)];
        by[static_cast<std::size_t>(part)] = thread;
        EXPECT_EQ(std::this_thread::get_id() == caller, thread == 0);
      });
      for (std::int64_t part = 0; part < parts; ++part) {
        const int thread = by[static_cast<std::size_t>(part)];
        ASSERT_EQ(visits[static_cast<std::size_t>(part)], 1);
        const PartRange range = static_partition(parts, threads, thread);
        if (parts > 1) {
          EXPECT_TRUE(range.begin <= part && part < range.end);
        }
      }
    }
  }
}

TEST(ThreadPool, ThreadsRunAtOnce) {
  const auto pool = make_thread_pool(3);
  // Every part waits for all: finishes only if three threads are inside together.
  std::atomic<int> arrived{0};
  run(*pool, 3, [&](std::int64_t, int) {
    ++arrived;
    while (arrived.load() < 3) std::this_thread::yield();
  });
  EXPECT_EQ(arrived.load(), 3);
}

// A sum whose order matters in floating point: partials by part, combined in part order.
float ordered_sum(ThreadPool& pool) {
  constexpr std::int64_t kParts = 37;
  std::vector<float> partials(kParts);
  run(pool, kParts, [&](std::int64_t part, int) {
    float sum = 0;
    for (std::int64_t i = 0; i < 1000; ++i) {
      sum += 1.0f / static_cast<float>((part * 1000 + i) % 977 + 1);
    }
    partials[static_cast<std::size_t>(part)] = sum;
  });
  float total = 0;
  for (const float partial : partials) total += partial;
  return total;
}

TEST(ThreadPool, ResultsDoNotDependOnTheNumberOfThreads) {
  const float expected = ordered_sum(serial_pool());
  for (int threads = 1; threads <= 8; ++threads) {
    const auto pool = make_thread_pool(threads);
    for (int repeat = 0; repeat < 5; ++repeat) EXPECT_EQ(ordered_sum(*pool), expected) << threads;
  }
}

// Unsynchronised writes by the workers, read by the caller between dispatches: a thread sanitizer
// sees any missing ordering. Pauses let the workers fall asleep, so waking is covered as well as
// spinning.
TEST(ThreadPool, ManyDispatches) {
  for (const int threads : {2, 3, 4}) {
    const auto pool = make_thread_pool(threads);
    std::vector<std::int64_t> sums(16, 0);
    constexpr std::int64_t kDispatches = 5000;
    for (std::int64_t i = 0; i < kDispatches; ++i) {
      run(*pool, 16,
          [&](std::int64_t part, int) { sums[static_cast<std::size_t>(part)] += i + part; });
      if (i % 50 == 0) std::this_thread::sleep_for(std::chrono::microseconds(i % 3 * 60));
    }
    for (std::int64_t part = 0; part < 16; ++part) {
      ASSERT_EQ(sums[static_cast<std::size_t>(part)],
                kDispatches * (kDispatches - 1) / 2 + kDispatches * part);
    }
  }
}

TEST(ThreadPool, UnevenWorkIsWaitedFor) {
  const auto pool = make_thread_pool(2);
  for (const int slow : {0, 1}) {
    std::vector<int> done(2, 0);
    run(*pool, 2, [&](std::int64_t part, int) {
      if (part == slow) std::this_thread::sleep_for(std::chrono::milliseconds(2));
      done[static_cast<std::size_t>(part)] = 1;
    });
    EXPECT_EQ(done, (std::vector<int>{1, 1}));
  }
}

TEST(ThreadPool, LivesAndDiesQuickly) {
  for (int i = 0; i < 100; ++i) {
    const auto pool = make_thread_pool(1 + i % 5);
    if (i % 2 == 0) run(*pool, 5, [](std::int64_t, int) {});
  }
}

TEST(ThreadPool, WorkersUseTheCallersRounding) {
  const auto pool = make_thread_pool(3);
  const auto thirds = [&] {
    std::vector<double> values(3);
    const volatile double one = 1, three = 3;
    run(*pool, 3,
        [&](std::int64_t part, int) { values[static_cast<std::size_t>(part)] = one / three; });
    return values;
  };
  const std::vector<double> nearest = thirds();
  std::fesetround(FE_UPWARD);
  const std::vector<double> upward = thirds();
  std::fesetround(FE_TONEAREST);
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(nearest[i], 1.0 / 3.0);
    EXPECT_GT(upward[i], 1.0 / 3.0) << "thread " << i;
  }
  EXPECT_EQ(thirds(), nearest) << "and return with it";
}

#if defined(__x86_64__)
TEST(ThreadPool, WorkersUseTheCallersFlushToZero) {
  const auto pool = make_thread_pool(3);
  const auto subnormals = [&] {
    std::vector<float> values(3);
    const volatile float tiny = 1e-30f;
    run(*pool, 3,
        [&](std::int64_t part, int) { values[static_cast<std::size_t>(part)] = tiny * 1e-10f; });
    return values;
  };
  const unsigned control = _mm_getcsr();
  _mm_setcsr(control | 0x8000u);
  const std::vector<float> flushed = subnormals();
  _mm_setcsr(control);
  const std::vector<float> kept = subnormals();
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(flushed[i], 0.0f) << "thread " << i;
    EXPECT_GT(kept[i], 0.0f) << "thread " << i;
  }
}
#endif

TEST(ThreadPool, RefusesImpossibleSizes) {
  for (const int threads : {0, -1, kMaxThreads + 1}) {
    try {
      make_thread_pool(threads);
      ADD_FAILURE() << threads;
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::config);
    }
  }
}

TEST(ThreadPool, QuotaOfACgroup) {
  EXPECT_EQ(quota_processors("max 100000"), 0);
  EXPECT_EQ(quota_processors("200000 100000"), 2);
  EXPECT_EQ(quota_processors("150000 100000\n"), 2);
  EXPECT_EQ(quota_processors("1000 100000"), 1);
  EXPECT_EQ(quota_processors("9000000000000000000 1"), kMaxThreads);
  for (const char* bad : {"", "max", "100000", "100000 ", "0 100000", "-5 100000", "5 0", "x y",
                          "99999999999999999999 1"}) {
    EXPECT_EQ(quota_processors(bad), 0) << bad;
  }
}

TEST(ThreadPool, AvailableThreadsFollowTheAffinityMask) {
  const int all = available_threads();
  ASSERT_GE(all, 1);
  cpu_set_t before;
  ASSERT_EQ(sched_getaffinity(0, sizeof before, &before), 0);
  EXPECT_LE(all, CPU_COUNT(&before));
  cpu_set_t one;
  CPU_ZERO(&one);
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (CPU_ISSET(cpu, &before)) {
      CPU_SET(cpu, &one);
      break;
    }
  }
  ASSERT_EQ(sched_setaffinity(0, sizeof one, &one), 0);
  EXPECT_EQ(available_threads(), 1);
  // More threads than processors: nobody spins, everything still runs.
  const auto pool = make_thread_pool(4);
  EXPECT_EQ(ordered_sum(*pool), ordered_sum(serial_pool()));
  ASSERT_EQ(sched_setaffinity(0, sizeof before, &before), 0);
}

class ThreadPoolDeathTest : public testing::Test {
 protected:
  void SetUp() override { GTEST_FLAG_SET(death_test_style, "threadsafe"); }
};

#if defined(FFN_ASSERTS)
TEST_F(ThreadPoolDeathTest, NestingAsserts) {
  const auto nest = [](ThreadPool& outer, ThreadPool& inner) {
    run(outer, 4, [&](std::int64_t, int) { run(inner, 4, [](std::int64_t, int) {}); });
  };
  EXPECT_DEATH(nest(serial_pool(), serial_pool()), "inside_task");
  EXPECT_DEATH(
      {
        const auto pool = make_thread_pool(2);
        nest(*pool, *pool);
      },
      "inside_task");
}
#endif

TEST_F(ThreadPoolDeathTest, AThrowingTaskTerminates) {
  EXPECT_DEATH(
      run(serial_pool(), 1, [](std::int64_t, int) { throw std::runtime_error("from a task"); }),
      "from a task");
}

}  // namespace
}  // namespace ffn
