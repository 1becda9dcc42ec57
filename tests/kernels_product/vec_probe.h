// The vector type's conversions and partial accesses, reachable from a test: compiled once per ISA
// like the kernels themselves.
#pragma once

#include <cstdint>

#include "ffn/base/half.h"

namespace ffn::test {

struct VecProbe {
  int lanes;
  void (*round_to_bf16)(const float* in, Bf16* out);  // lanes elements
  void (*widen_bf16)(const Bf16* in, float* out);
  void (*widen_f16)(const F16* in, float* out);
  float (*set_f16)(std::uint16_t bits);                         // lane 0
  void (*load_n)(const float* in, std::int64_t n, float* out);  // out: lanes elements
  void (*load_n_bf16)(const Bf16* in, std::int64_t n, float* out);
  void (*store_n)(const float* in, std::int64_t n, float* out);
  void (*store_n_bf16)(const float* in, std::int64_t n, Bf16* out);
  void (*transpose)(const float* in, float* out);  // lanes × lanes
  void (*pow2i)(const float* in, float* out);
  void (*to_int)(const float* in, std::int32_t* out);  // round to nearest, halves to even
  float (*reduce_add)(const float* in);
  int sums;                                          // that reduce_adds adds up at once
  void (*reduce_adds)(const float* in, float* out);  // sums × lanes → sums
  float (*reduce_max)(const float* in);
  // (x < y ? x : y), lane by lane, by lt and select
  void (*select_less)(const float* x, const float* y, float* out);
  // Pairs of bf16 values: 2·lanes values, lanes sums.
  void (*dot_pairs)(const Bf16* a, const Bf16* b, const float* sum, float* out);
  void (*load_pairs_n)(const Bf16* in, std::int64_t n, Bf16* out);
  void (*pair_up)(const Bf16* first, const Bf16* second, Bf16* out);
  void (*bytes)(const std::uint8_t* in, float* plain, float* as_signed);
};

namespace scalar {
VecProbe vec_probe();
}
namespace avx2 {
VecProbe vec_probe();
}
namespace avx512 {
VecProbe vec_probe();
}
namespace avx512_bf16 {
VecProbe vec_probe();
}

}  // namespace ffn::test
