// One element of quantised blocks, in double. Layouts and equations: base/blocks.h.
#pragma once

#include <cstdint>
#include <cstring>

#include "ffn/base/check.h"
#include "ffn/base/dtype.h"
#include "ffn/base/half.h"

namespace ffn::inline v0::kernels::reference {

inline double half_at(const std::uint8_t* at) {
  F16 half;
  std::memcpy(&half, at, sizeof half);
  return static_cast<double>(to_float(half));
}
// The j-th of 32 integers of 4 bits.
inline int nibble(const std::uint8_t* pairs, std::int64_t j) {
  return j < 16 ? pairs[j] & 15 : pairs[j - 16] >> 4;
}

inline double q5_0_element(const std::uint8_t* block, std::int64_t j) {
  const int fifth = block[2 + j / 8] >> j % 8 & 1;
  return half_at(block) * (nibble(block + 6, j) + 16 * fifth - 16);
}
inline double q4_k_element(const std::uint8_t* block, std::int64_t j) {
  const std::int64_t group = j / 32;
  const std::uint8_t *packed = block + 4, *pairs = block + 16 + group / 2 * 32;
  int scale = packed[group] & 63, minimum = packed[group + 4] & 63;
  if (group >= 4) {
    scale = (packed[group + 4] & 15) + 16 * (packed[group - 4] >> 6);
    minimum = (packed[group + 4] >> 4) + 16 * (packed[group] >> 6);
  }
  const int q = group % 2 == 0 ? pairs[j % 32] & 15 : pairs[j % 32] >> 4;
  return half_at(block) * scale * q - half_at(block + 2) * minimum;
}
inline double q6_k_element(const std::uint8_t* block, std::int64_t j) {
  const std::int64_t half = j / 128, run = j / 32 % 4, l = j % 32;
  const int lower = block[64 * half + run % 2 * 32 + l] >> (run < 2 ? 0 : 4) & 15;
  const int upper = block[128 + 32 * half + l] >> (2 * run) & 3;
  const auto scale = static_cast<std::int8_t>(block[192 + j / 16]);
  return half_at(block + 208) * scale * (lower + 16 * upper - 32);
}

// Element i of consecutive blocks. Products of scales and integers are exact.
inline double read_block_element(const void* data, DType dtype, std::int64_t i) {
  const std::int64_t j = i % block_elements(dtype);
  const auto* block = static_cast<const std::uint8_t*>(data) + dtype_bytes(dtype, i - j);
  switch (dtype) {
    case DType::q4_0: return half_at(block) * (nibble(block + 2, j) - 8);
    case DType::q4_1: return half_at(block) * nibble(block + 4, j) + half_at(block + 2);
    case DType::q5_0: return q5_0_element(block, j);
    case DType::q8_0: return half_at(block) * static_cast<std::int8_t>(block[2 + j]);
    case DType::q4_k: return q4_k_element(block, j);
    case DType::q6_k: return q6_k_element(block, j);
    default: FFN_ASSERT(false); return 0;
  }
}

}  // namespace ffn::inline v0::kernels::reference
