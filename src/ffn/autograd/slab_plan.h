// Where every buffer of a recorded step lies in one slab.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace ffn::inline v0 {

// One event of a step. The k-th acquisition has number k; a buffer that is never released lives to
// the end of the step.
struct MemoryEvent {
  std::int32_t number;
  bool acquire;
  std::int64_t bytes;  // of the buffer, rounded; also on release

  friend bool operator==(const MemoryEvent&, const MemoryEvent&) = default;
};

struct SlabPlan {
  std::vector<std::int64_t> offsets;  // by acquisition number
  std::int64_t bytes = 0;
};

// Largest buffer first, each at the lowest offset that is free for its whole life. No two buffers
// whose lives overlap share a byte. O(n²) comparisons in the number of acquisitions.
SlabPlan plan_slab(std::span<const MemoryEvent> events);

}  // namespace ffn::inline v0
