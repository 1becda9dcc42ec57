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
        " is no block type; expected q4_0, q4_1, q5_0, q8_0, q4_k or q6_k");
  check(count >= 0 && count % block_elements(dtype) == 0, ErrorKind::shape, where, "row of ", count,
        " elements is not a multiple of ", block_elements(dtype));
}

float read_scale(const std::byte* block) {
  F16 scale;
  std::memcpy(&scale, block, kScaleBytes);
  return to_float(scale);
}

int low_half(std::byte pair) { return std::to_integer<int>(pair) & 15; }
int high_half(std::byte pair) { return std::to_integer<int>(pair) >> 4; }

void dequantize_q4_0(const std::byte* block, float* x) {
  constexpr int kHalf = kQuantBlock / 2;
  const float scale = read_scale(block);
  const std::byte* pairs = block + kScaleBytes;
  for (int j = 0; j < kHalf; ++j) {
    x[j] = scale * static_cast<float>(low_half(pairs[j]) - 8);
    x[j + kHalf] = scale * static_cast<float>(high_half(pairs[j]) - 8);
  }
}

void dequantize_q4_1(const std::byte* block, float* x) {
  constexpr int kHalf = kQuantBlock / 2;
  const float scale = read_scale(block), offset = read_scale(block + kScaleBytes);
  const std::byte* pairs = block + 2 * kScaleBytes;
  for (int j = 0; j < kHalf; ++j) {
    x[j] = scale * static_cast<float>(low_half(pairs[j])) + offset;
    x[j + kHalf] = scale * static_cast<float>(high_half(pairs[j])) + offset;
  }
}

void dequantize_q5_0(const std::byte* block, float* x) {
  constexpr int kHalf = kQuantBlock / 2;
  const float scale = read_scale(block);
  std::uint32_t fifth;
  std::memcpy(&fifth, block + kScaleBytes, sizeof fifth);
  const std::byte* pairs = block + kScaleBytes + sizeof fifth;
  const auto high = [&](int j) { return static_cast<int>(fifth >> j & 1u) << 4; };
  for (int j = 0; j < kHalf; ++j) {
    x[j] = scale * static_cast<float>((low_half(pairs[j]) | high(j)) - 16);
    x[j + kHalf] = scale * static_cast<float>((high_half(pairs[j]) | high(j + kHalf)) - 16);
  }
}

void dequantize_q8_0(const std::byte* block, float* x) {
  const float scale = read_scale(block);
  const std::byte* values = block + kScaleBytes;
  for (int j = 0; j < kQuantBlock; ++j) {
    x[j] = scale * static_cast<float>(static_cast<std::int8_t>(values[j]));
  }
}

struct Group {
  int scale, minimum;
};

// Of q4_k, six bits each.
Group read_group(const std::byte* scales, int group) {
  const auto at = [scales](int i) { return std::to_integer<int>(scales[i]); };
  if (group < 4) return {at(group) & 63, at(group + 4) & 63};
  return {(at(group + 4) & 15) | at(group - 4) >> 6 << 4, at(group + 4) >> 4 | at(group) >> 6 << 4};
}

void dequantize_q4_k(const std::byte* block, float* x) {
  constexpr int kGroups = 8, kGroup = kSuperBlock / kGroups, kScales = 12;
  const float scale = read_scale(block), minimum = read_scale(block + kScaleBytes);
  const std::byte* scales = block + 2 * kScaleBytes;
  for (int group = 0; group < kGroups; ++group, x += kGroup) {
    const std::byte* pairs = scales + kScales + group / 2 * kGroup;
    const Group own = read_group(scales, group);
    const float step = scale * static_cast<float>(own.scale);
    const float offset = minimum * static_cast<float>(own.minimum);
    for (int j = 0; j < kGroup; ++j) {
      const int q = group % 2 == 0 ? low_half(pairs[j]) : high_half(pairs[j]);
      x[j] = step * static_cast<float>(q) - offset;
    }
  }
}

void dequantize_q6_k(const std::byte* block, float* x) {
  constexpr int kHalf = kSuperBlock / 2, kRun = kHalf / 4;
  const std::byte* scales = block + kHalf + kHalf / 2;
  const float scale = read_scale(scales + kSuperBlock / 16);
  for (int i = 0; i < kSuperBlock; ++i) {
    const int half = i / kHalf, run = i % kHalf / kRun, l = i % kRun;
    const std::byte lower = block[half * kHalf / 2 + run % 2 * kRun + l];
    const int upper = std::to_integer<int>(block[kHalf + half * kRun + l]) >> (2 * run) & 3;
    const int q = (run < 2 ? low_half(lower) : high_half(lower)) | upper << 4;
    const auto own = static_cast<std::int8_t>(scales[i / 16]);
    x[i] = scale * static_cast<float>(own) * static_cast<float>(q - 32);
  }
}

using Dequantize = void (*)(const std::byte* block, float* x);

Dequantize dequantize_of(DType dtype) {
  switch (dtype) {
    case DType::q4_0: return dequantize_q4_0;
    case DType::q4_1: return dequantize_q4_1;
    case DType::q5_0: return dequantize_q5_0;
    case DType::q4_k: return dequantize_q4_k;
    case DType::q6_k: return dequantize_q6_k;
    default: return dequantize_q8_0;
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
  const Dequantize dequantize = dequantize_of(dtype);
  const std::int64_t block = block_elements(dtype), stride = dtype_bytes(dtype, block);
  for (std::int64_t i = 0; i < count; i += block, source += stride) dequantize(source, x + i);
}

void quantize_row(DType dtype, const float* x, std::int64_t count, std::byte* target) {
  check_row("quantize_row", dtype, count);
  check(dtype == DType::q4_0 || dtype == DType::q8_0, ErrorKind::dtype, "quantize_row",
        to_string(dtype), " blocks are read only; expected q4_0 or q8_0");
  const auto quantize = dtype == DType::q4_0 ? quantize_q4_0 : quantize_q8_0;
  const std::int64_t stride = dtype_bytes(dtype, kQuantBlock);
  for (std::int64_t i = 0; i < count; i += kQuantBlock, target += stride) quantize(x + i, target);
}

}  // namespace ffn::inline v0
