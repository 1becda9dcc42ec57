// Permutations from random streams.
#pragma once

#include <cstdint>
#include <span>

#include "ffn/base/philox.h"

namespace ffn::inline v0 {

// Fills `order` with 0 … size − 1 in the order of Fisher and Yates: position i − 1 is exchanged
// with below(i) of (step, element i), for i = size … 2. At most 2^32 − 1 elements.
void permute(const RandomStream& stream, std::uint64_t step, std::span<std::uint32_t> order);

}  // namespace ffn::inline v0
