// What a run costs: predicted by a dry executor, measured by a real one, and equal to the byte.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "ffn/base/ledger.h"

namespace ffn::inline v0 {

struct PlanReport {
  std::int64_t peak_bytes = 0;                      // highest live bytes of all tags together
  std::array<std::int64_t, kTags> bytes_at_peak{};  // by tag; sums to peak_bytes
  std::array<std::int64_t, kTags> peak_by_tag{};    // each tag's own highest
  std::int64_t slab_bytes = 0;                      // one block that holds a whole step's buffers
  std::int64_t forward_flops = 0;                   // 2 × multiply-adds of products
  std::int64_t backward_flops = 0;                  // recomputation counts here
  std::string peak_where;                           // "linear forward"

  friend bool operator==(const PlanReport&, const PlanReport&) = default;
};

}  // namespace ffn::inline v0
