// The comparison of a layer's results with the reference's.
#pragma once

#include <span>
#include <string>

#include "ffn/bench/layer_run.h"

namespace ffn::inline v0 {

// Throws Error{device} naming `name`, the part and the place of the first value that is further off
// than a share of the largest value of its part, or of a thousandth of the largest of all where a
// part is nothing but what rounding left (the gradient of a bias before a batch norm). The share is
// 1e-4 for f32, far above the rounding of sums of some thousand terms, and 2e-2 for bf16, two or
// three values of 8 bits after one another; a wrong row, expert or neuron is of order 1. Both sides
// had the same weights and inputs, and have the same parts.
void require_values(const std::string& name, std::span<const NamedValues> exact,
                    std::span<const NamedValues> found, DType dtype);

}  // namespace ffn::inline v0
