#include "ffn/base/blocks.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "ffn/base/error.h"
#include "ffn/base/faults.h"
#include "ffn/base/half.h"

namespace ffn::inline v0 {
namespace {

constexpr int kScaleBytes = 2;

void check_row(std::string_view where, DType dtype, std::int64_t count) {
  check(is_block(dtype), ErrorKind::dtype, where, to_string(dtype),
        " is not a block type; expected q4_0 or q8_0");
  check(count >= 0 && count % kQuantBlock == 0, ErrorKind::shape, where, "row of ", count,
        " elements is not a multiple of ", kQuantBlock);
}

float read_scale(const std::byte* block) {
  F16 scale;
  std::memcpy(&scale, block, kScaleBytes);
  return to_float(scale);
}

void dequantize_q4_0(const std::byte* block, float* x) {
  constexpr int kHalf = kQuantBlock / 2;
  const float scale = read_scale(block);
  const std::byte* pairs = block + kScaleBytes;
  for (int j = 0; j < kHalf; ++j) {
    const int pair = std::to_integer<int>(pairs[j]);
    x[j] = scale * static_cast<float>((pair & 15) - 8);
    x[j + kHalf] = scale * static_cast<float>((pair >> 4) - 8);
  }
}

void dequantize_q8_0(const std::byte* block, float* x) {
  const float scale = read_scale(block);
  const std::byte* values = block + kScaleBytes;
  for (int j = 0; j < kQuantBlock; ++j) {
    x[j] = scale * static_cast<float>(static_cast<std::int8_t>(values[j]));
  }
}

// The element of largest magnitude (the first of several).
float extreme_element(const float* x) {
  float extreme = 0;
  for (int j = 0; j < kQuantBlock; ++j) {
    check(std::fabs(x[j]) <= std::numeric_limits<float>::max(), ErrorKind::dtype, "quantize_row",
          "element is ", x[j], "; only finite weights can be quantised");
    if (std::fabs(x[j]) > std::fabs(extreme)) extreme = x[j];
  }
  return extreme;
}

// Stores `scale` as f16 and returns 1/scale, or 0 when nothing but zeros would be read back:
// 1/scale could be infinite there.
float write_scale(float scale, std::byte* block) {
  const F16 stored = to_f16(scale);
  check(std::isfinite(to_float(stored)), ErrorKind::dtype, "quantize_row", "scale ", scale,
        " exceeds the range of f16 (65504)");
  std::memcpy(block, &stored, kScaleBytes);
  return to_float(stored) == 0 ? 0.0f : 1.0f / scale;
}

void quantize_q4_0(const float* x, std::byte* block) {
  constexpr int kHalf = kQuantBlock / 2;
  const float inverse = write_scale(extreme_element(x) / -8.0f, block);
  const float offset = fault(2) ? 8.0f : 8.5f;
  // In [0.5, 16.5] before truncation, because |x·inverse| ≤ 8.
  const auto nibble = [=](float value) {
    return static_cast<std::byte>(std::min(15, static_cast<int>(value * inverse + offset)));
  };
  for (int j = 0; j < kHalf; ++j) {
    block[kScaleBytes + j] = nibble(x[j]) | (nibble(x[j + kHalf]) << 4);
  }
}

void quantize_q8_0(const float* x, std::byte* block) {
  const float inverse = write_scale(std::fabs(extreme_element(x)) / 127.0f, block);
  for (int j = 0; j < kQuantBlock; ++j) {
    const float steps = x[j] * inverse;
    const float rounded = fault(2) ? std::trunc(steps) : std::round(steps);
    block[kScaleBytes + j] = static_cast<std::byte>(static_cast<std::int8_t>(rounded));
  }
}

}  // namespace

void dequantize_row(DType dtype, const std::byte* source, std::int64_t count, float* x) {
  check_row("dequantize_row", dtype, count);
  const auto dequantize = dtype == DType::q4_0 ? dequantize_q4_0 : dequantize_q8_0;
  const std::int64_t stride = dtype_bytes(dtype, kQuantBlock);
  for (std::int64_t i = 0; i < count; i += kQuantBlock, source += stride) dequantize(source, x + i);
}

void quantize_row(DType dtype, const float* x, std::int64_t count, std::byte* target) {
  check_row("quantize_row", dtype, count);
  const auto quantize = dtype == DType::q4_0 ? quantize_q4_0 : quantize_q8_0;
  const std::int64_t stride = dtype_bytes(dtype, kQuantBlock);
  for (std::int64_t i = 0; i < count; i += kQuantBlock, target += stride) quantize(x + i, target);
}

}  // namespace ffn::inline v0
