// Operands of products, and which of their rows are looked at again.
#pragma once

#include <cstdint>
#include <vector>

#include "ffn/autograd/executor.h"

namespace ffn::inline v0 {

// Values in (−1, 1) [rows, cols] from the stream `name`; of a block type, quantised.
Tensor drawn_operand(Executor& ex, const char* name, DType dtype, std::int64_t rows,
                     std::int64_t cols);
// At most 32 of [0, count), the first and the last included: rows or columns of C that are compared
// with the reference.
std::vector<std::int64_t> sampled(std::int64_t count);

}  // namespace ffn::inline v0
