// Values become integers: weights as panels once, rows before every product.
#pragma once

#include "ffn/base/faults.h"
#include "ffn/kernels/cpu/product_pack.h"
#include "ffn/kernels/cpu/quantized_tile.h"
#include "ffn/kernels/quantized_product.h"

namespace ffn::inline v0::kernels::cpu::FFN_ISA_NAMESPACE {
namespace {

constexpr std::int64_t kMostGroup = 128;

// One group as integers with their scale; what is missing in a short one is 0.
struct QuantGroup {
  float scale;
  alignas(64) std::int8_t quants[kMostGroup];
};

// The value of largest magnitude, the first of equals.
inline float extreme_of(const float* values, std::int64_t count) {
  float extreme = 0;
  for (std::int64_t i = 0; i < count; ++i) {
    if (__builtin_fabsf(values[i]) > __builtin_fabsf(extreme)) extreme = values[i];
  }
  return extreme;
}
// A weight of 4 bits has no +8.
inline void quantize_weights(int bits, const float* values, std::int64_t group, QuantGroup& to) {
  const float extreme = extreme_of(values, group), size = __builtin_fabsf(extreme);
  to = {};
  if (extreme == 0) return;
  to.scale = bits == 8 ? size / 127.0f : extreme / -8.0f;
  const Vec inverse = set(bits == 8 ? 127.0f / size : -8.0f / extreme);
  const Vec most_quant = set(bits == 8 ? 127.0f : 7.0f);
  for (std::int64_t i = 0; i < group; i += kLanes)
    store_bytes(to.quants + i, to_int(min(round_nearest(load(values + i) * inverse), most_quant)));
}

// The `group` values of a row from `first` on, of which `count` are there; 0 for the others.
template <class Rows>
void read_group(const Rows& rows, std::int64_t row, std::int64_t first, std::int64_t count,
                std::int64_t group, float* to) {
  const auto from = rows.row(row);
  for (std::int64_t i = 0; i < group; i += kLanes) {
    const std::int64_t left = most(least(count - i, kLanes), 0);
    store(to + i, left == kLanes ? Rows::read(from, first + i)
                  : left > 0     ? rows.read_n(from, first + i, left)
                                 : zero());
  }
}
inline void copy_q8_block(const std::uint8_t* block, QuantGroup& to) {
  to.scale = reduce_max(Q8Rows::scale(block));
  __builtin_memcpy(to.quants, block + 2, kQuantBlock);
}
inline void copy_q4_block(const std::uint8_t* block, QuantGroup& to) {
  to.scale = reduce_max(Q4Rows::scale(block));
  for (int j = 0; j < 16; ++j) {
    to.quants[j] = static_cast<std::int8_t>((block[2 + j] & 15) - 8);
    to.quants[j + 16] = static_cast<std::int8_t>((block[2 + j] >> 4) - 8);
  }
}
inline void weight_group(const QuantizedFormat& format, const ConstMatrix& b, std::int64_t n,
                         std::int64_t g, QuantGroup& to) {
  if (b.dtype == DType::q8_0) return copy_q8_block(Q8Rows(b).row(n) + g * Q8Rows::kBytes, to);
  if (b.dtype == DType::q4_0) return copy_q4_block(Q4Rows(b).row(n) + g * Q4Rows::kBytes, to);
  alignas(64) float values[kMostGroup];
  const std::int64_t first = g * format.group;
  with_rows(b, [&](const auto& rows) {
    read_group(rows, n, first, least(format.group, b.cols - first), format.group, values);
  });
  quantize_weights(format.bits, values, format.group, to);
}

inline std::int64_t groups_of(const QuantizedFormat& format, std::int64_t K) {
  return ceil_div(K, format.group);
}
inline std::int64_t panel_group_bytes(const QuantizedFormat& format) {
  return kQuantPanel * (kFloatBytes + format.group * format.bits / 8);
}
inline std::int64_t packed_quantized_bytes(const QuantizedFormat& format, std::int64_t N,
                                           std::int64_t K) {
  return ceil_div(N, kQuantPanel) * groups_of(format, K) * panel_group_bytes(format);
}

// Column j of a panel's group.
inline void put_group(const QuantizedFormat& format, const QuantGroup& group, std::int64_t j,
                      std::byte* panel) {
  __builtin_memcpy(panel + j * kFloatBytes, &group.scale, sizeof group.scale);
  std::byte* to = panel + kQuantPanel * kFloatBytes;
  const int offset = weight_offset(format.bits);
  const auto plain = [&](std::int64_t k) { return group.quants[k] + offset; };
  for (std::int64_t k = 0; k < format.group; ++k) {
    const std::int64_t step = k / kQuad, lane = j * kQuad + k % kQuad;
    if (format.bits == 8) {
      to[step * kQuantPanel * kQuad + lane] = static_cast<std::byte>(plain(k));
    } else if (step % 2 == 0) {
      const int both = plain(k) | plain(k + kQuad) << 4;
      to[step / 2 * kQuantPanel * kQuad + lane] = static_cast<std::byte>(both);
    }
  }
}

inline void pack_quantized(const LaunchContext& ctx, const PackQuantizedArgs& args) {
  const QuantizedFormat& format = args.format;
  const std::int64_t N = args.b.rows, groups = groups_of(format, args.b.cols);
  FFN_ASSERT(args.b.dtype != DType::q8_0 || (format.group == kQuantBlock && format.bits == 8));
  FFN_ASSERT(args.b.dtype != DType::q4_0 || (format.group == kQuantBlock && format.bits == 4));
  for_ranges(ctx, ceil_div(N, kQuantPanel), 1, 1, [&](std::int64_t begin, std::int64_t end) {
    QuantGroup group;
    for (std::int64_t at = begin * groups; at < end * groups; ++at) {
      const std::int64_t first = at / groups * kQuantPanel;
      std::byte* panel = static_cast<std::byte*>(args.packed) + at * panel_group_bytes(format);
      for (std::int64_t j = 0; j < kQuantPanel; ++j) {
        if (first + j < N) {
          weight_group(format, args.b, first + j, at % groups, group);
        } else {
          group = {};
        }
        put_group(format, group, j, panel);
      }
    }
  });
}

// Rows as integers, in the workspace: quants [rows, ld], scales and starts [rows, groups].
struct QuantRows {
  std::int8_t* quants;
  float* scales;
  std::int32_t* starts;
  std::int64_t ld, groups;
};

// Integers of one group and their sum. The largest magnitude is exact in any order.
inline std::int32_t quantize_group(const float* values, std::int64_t group, float& scale,
                                   std::int8_t* to) {
  Vec largest = zero();
  for (std::int64_t i = 0; i < group; i += kLanes) largest = max(abs(load(values + i)), largest);
  const float size = reduce_max(largest);
  scale = size / 127.0f;
  const Vec inverse = set(size > 0 ? 127.0f / size : 0.0f);
  Vec sum = zero();
  for (std::int64_t i = 0; i < group; i += kLanes) {
    const Vec quants = round_nearest(load(values + i) * inverse);
    sum = sum + quants;
    store_bytes(to + i, to_int(quants));
  }
  return static_cast<std::int32_t>(reduce_add(sum));  // at most 128·127: exact
}
template <class Rows>
void quantize_row(const QuantizedFormat& format, const Rows& rows, std::int64_t m, std::int64_t K,
                  const QuantRows& to) {
  alignas(64) float values[kMostGroup];
  for (std::int64_t g = 0; g < to.groups; ++g) {
    const std::int64_t first = g * format.group, at = m * to.groups + g;
    read_group(rows, m, first, least(format.group, K - first), format.group, values);
    const bool dropped = fault(46) && first + format.group > K;
    const std::int32_t sum =
        quantize_group(values, format.group, to.scales[at], to.quants + m * to.ld + first);
    to.starts[at] = dropped ? 0 : -weight_offset(format.bits) * sum;
  }
}

}  // namespace
}  // namespace ffn::inline v0::kernels::cpu::FFN_ISA_NAMESPACE
