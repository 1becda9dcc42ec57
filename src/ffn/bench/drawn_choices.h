// Routing that is fixed from outside, so that a measurement does not depend on what a fresh router
// happens to prefer.
#pragma once

#include <cstdint>
#include <vector>

#include "ffn/bench/bench_case.h"

namespace ffn::inline v0 {

// K different experts of E for each of so many rows, [rows, K] row by row: expert e is drawn with
// weight 1 (uniform) or 1/(e + 1) (zipf) among those that the row does not have yet. The same on
// every machine. 1 ≤ K ≤ E.
std::vector<std::int32_t> drawn_choices(std::int64_t rows, std::int64_t E, std::int64_t K,
                                        RoutingShares routing);

}  // namespace ffn::inline v0
