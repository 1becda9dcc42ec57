// log Σ exp over a row.
#pragma once

#include "ffn/kernels/cpu/stream.h"
#include "ffn/kernels/cpu/vec_math.h"

namespace ffn::inline v0::kernels::cpu::FFN_ISA_NAMESPACE {
namespace {

// max + ln Σ exp(x − max), summed per segment in f32 and over segments in double.
double log_sum_exp(Reader& x, std::int64_t row, std::int64_t cols) {
  float max = -__builtin_inff();
  for_row_segments(cols, [&](std::int64_t col, std::int64_t n) {
    max = largest(max, n, [](Vec v) { return v; }, x.read(row, col, n));
  });
  const Vec top = set(max);
  double total = 0;
  for_row_segments(cols, [&](std::int64_t col, std::int64_t n) {
    total += static_cast<double>(
        sum(n, [=](Vec v) { return exp_flushed(v - top); }, x.read(row, col, n)));
  });
  return static_cast<double>(max) + log_positive(total);
}

}  // namespace
}  // namespace ffn::inline v0::kernels::cpu::FFN_ISA_NAMESPACE
