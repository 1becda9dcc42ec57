#include "ffn/autograd/slab_plan.h"

#include <algorithm>
#include <cstddef>
#include <limits>
#include <numeric>

#include "ffn/base/faults.h"

namespace ffn::inline v0 {
namespace {

struct Life {
  std::size_t begin;
  std::size_t end = std::numeric_limits<std::size_t>::max();
  std::int64_t bytes;
};

std::vector<Life> lives_of(std::span<const MemoryEvent> events) {
  std::vector<Life> lives;
  for (std::size_t time = 0; time < events.size(); ++time) {
    const MemoryEvent& event = events[time];
    if (event.acquire) {
      lives.push_back({.begin = time, .bytes = event.bytes});
    } else {
      lives[static_cast<std::size_t>(event.number)].end = time;
    }
  }
  return lives;
}

}  // namespace

SlabPlan plan_slab(std::span<const MemoryEvent> events) {
  const std::vector<Life> lives = lives_of(events);
  std::vector<std::size_t> by_size(lives.size());
  std::iota(by_size.begin(), by_size.end(), std::size_t{0});
  // Equal sizes keep the order of acquisition, so the plan depends on the events only.
  std::sort(by_size.begin(), by_size.end(), [&](std::size_t a, std::size_t b) {
    return lives[a].bytes != lives[b].bytes ? lives[a].bytes > lives[b].bytes : a < b;
  });

  SlabPlan plan;
  plan.offsets.assign(lives.size(), 0);
  std::vector<std::size_t> placed;       // by offset
  const std::size_t early = fault(302);  // lives end one event too soon
  for (const std::size_t next : by_size) {
    std::int64_t offset = 0;
    for (const std::size_t other : placed) {
      const bool together =
          lives[next].begin + early < lives[other].end && lives[other].begin < lives[next].end;
      if (!together) continue;
      if (offset + lives[next].bytes <= plan.offsets[other]) break;  // fits in the gap before it
      offset = std::max(offset, plan.offsets[other] + lives[other].bytes);
    }
    plan.offsets[next] = offset;
    plan.bytes = std::max(plan.bytes, offset + lives[next].bytes);
    const auto after = std::upper_bound(
        placed.begin(), placed.end(), offset,
        [&](std::int64_t value, std::size_t at) { return value < plan.offsets[at]; });
    placed.insert(after, next);
  }
  return plan;
}

}  // namespace ffn::inline v0
