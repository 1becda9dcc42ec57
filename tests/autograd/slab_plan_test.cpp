// plan_slab on random lives: what lives together never overlaps, and the slab is no smaller than
// the highest live sum and no larger than the sum of all.
#include "ffn/autograd/slab_plan.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "ffn/base/philox.h"

namespace ffn {
namespace {

struct Random {
  RandomStream stream;
  std::uint64_t next = 0;
  std::uint32_t below(std::uint32_t bound) { return stream.below(bound, 0, next++); }
};

// Acquires and releases at random; some buffers are never released.
std::vector<MemoryEvent> random_events(std::uint64_t seed, int count) {
  Random random{RandomStream(seed, "events")};
  std::vector<MemoryEvent> events;
  std::vector<MemoryEvent> live;
  std::int32_t number = 0;
  for (int i = 0; i < count; ++i) {
    if (live.empty() || random.below(5) < 3) {
      const MemoryEvent event{number++, true, 64 * (1 + random.below(40))};
      events.push_back(event);
      live.push_back(event);
    } else {
      const std::size_t victim = random.below(static_cast<std::uint32_t>(live.size()));
      events.push_back({live[victim].number, false, live[victim].bytes});
      live.erase(live.begin() + static_cast<std::ptrdiff_t>(victim));
    }
  }
  return events;
}

TEST(SlabPlan, BuffersThatLiveTogetherNeverOverlap) {
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    const std::vector<MemoryEvent> events = random_events(seed, 120);
    const SlabPlan plan = plan_slab(events);
    std::vector<MemoryEvent> live;
    std::int64_t live_bytes = 0, peak = 0, sum = 0;
    for (const MemoryEvent& event : events) {
      if (!event.acquire) {
        std::erase_if(live, [&](const MemoryEvent& other) { return other.number == event.number; });
        live_bytes -= event.bytes;
        continue;
      }
      const std::int64_t begin = plan.offsets[static_cast<std::size_t>(event.number)];
      ASSERT_EQ(begin % 64, 0);
      ASSERT_LE(begin + event.bytes, plan.bytes);
      for (const MemoryEvent& other : live) {
        const std::int64_t there = plan.offsets[static_cast<std::size_t>(other.number)];
        ASSERT_TRUE(begin + event.bytes <= there || there + other.bytes <= begin) << seed;
      }
      live.push_back(event);
      live_bytes += event.bytes;
      sum += event.bytes;
      peak = std::max(peak, live_bytes);
    }
    EXPECT_GE(plan.bytes, peak);
    EXPECT_LE(plan.bytes, sum);
  }
}

TEST(SlabPlan, ReusesTheBytesOfWhatIsGone) {
  const std::vector<MemoryEvent> events = {{0, true, 128}, {1, true, 64},  {0, false, 128},
                                           {2, true, 128}, {1, false, 64}, {2, false, 128}};
  EXPECT_EQ(plan_slab(events).bytes, 192);
}

TEST(SlabPlan, NothingNeedsNothing) { EXPECT_EQ(plan_slab({}).bytes, 0); }

}  // namespace
}  // namespace ffn
