// Weights that every run finds in memory, not in a cache: copies that take turns.
#pragma once

#include <cstdint>

#include "ffn/bench/machine_limits.h"

namespace ffn::inline v0 {

// So many copies of `read` bytes that all of them together are four times L3; fewer, but one at
// least, where copies of `held` bytes each would take more than two gigabytes.
std::int64_t cold_copies(std::int64_t read, std::int64_t held, const CacheSizes& caches);

}  // namespace ffn::inline v0
