#include "peak_fma.h"

#include "ffn/kernels/cpu/vec.h"

namespace ffn::bench::FFN_ISA_NAMESPACE {

// Twelve independent chains hide the latency of up to six cycles at two multiply-adds per cycle.
// Returns the floating-point operations done (two per multiply-add).
std::int64_t run_fma(std::int64_t rounds) {
  using namespace ffn::kernels::cpu::FFN_ISA_NAMESPACE;
  constexpr int kChains = 12;
  Vec sum[kChains];
#pragma GCC unroll 12
  for (int i = 0; i < kChains; ++i) sum[i] = set(static_cast<float>(i));
  const Vec near_one = set(0.9999f), small = set(1e-4f);
#pragma GCC unroll 4
  for (std::int64_t r = 0; r < rounds; ++r) {
#pragma GCC unroll 12
    for (int i = 0; i < kChains; ++i) sum[i] = fma(sum[i], near_one, small);
  }
  Vec total = zero();
#pragma GCC unroll 12
  for (int i = 0; i < kChains; ++i) total = total + sum[i];
  // A use of the result that the compiler cannot see through.
  volatile float sink = reduce_add(total);
  static_cast<void>(sink);
  return rounds * kChains * 2 * kLanes;
}

}  // namespace ffn::bench::FFN_ISA_NAMESPACE
