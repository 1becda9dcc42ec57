// log Σ exp over a row.
#pragma once

#include <cmath>

#include "ffn/base/scalar.h"
#include "ffn/kernels/reference/access.h"

namespace ffn::inline v0::kernels::reference {

// Of the first `cols` > 0 columns.
template <class T>
T log_sum_exp(const Input<T>& logits, std::int64_t row, std::int64_t cols) {
  T max = logits(row, 0);
  for (std::int64_t col = 1; col < cols; ++col) max = max_by_real(max, logits(row, col));
  T sum{};
  for (std::int64_t col = 0; col < cols; ++col) sum += std::exp(logits(row, col) - max);
  return max + std::log(sum);
}

}  // namespace ffn::inline v0::kernels::reference
