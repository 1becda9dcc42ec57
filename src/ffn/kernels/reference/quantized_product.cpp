// Products of integers, and how values become integers.
#include <algorithm>
#include <vector>

#include "ffn/base/blocks.h"
#include "ffn/kernels/reference/access.h"
#include "ffn/kernels/reference/families.h"

namespace ffn::inline v0::kernels::reference {
namespace {

// One group; the packed layout is a row of these, `group` quants each.
struct Group {
  float scale = 0;
  std::vector<std::int8_t> quants;
};

Group quantize(const std::vector<float>& values, int bits) {
  Group group{0, std::vector<std::int8_t>(values.size())};
  float extreme = 0;
  for (const float value : values) {
    if (std::abs(value) > std::abs(extreme)) extreme = value;
  }
  if (extreme == 0) return group;
  group.scale = bits == 8 ? std::abs(extreme) / 127.0f : extreme / -8.0f;
  const float inverse = bits == 8 ? 127.0f / std::abs(extreme) : -8.0f / extreme;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const float nearest = std::nearbyint(values[i] * inverse);
    group.quants[i] = static_cast<std::int8_t>(bits == 8 ? nearest : std::min(nearest, 7.0f));
  }
  return group;
}

// A block of q8_0 or q4_0 as it stands.
Group read_block(const ConstMatrix& b, std::int64_t row, std::int64_t block) {
  Group group{0, std::vector<std::int8_t>(kQuantBlock)};
  const auto* at = static_cast<const std::uint8_t*>(b.data) +
                   dtype_bytes(b.dtype, row * b.ld + block * kQuantBlock);
  F16 scale;
  std::memcpy(&scale, at, sizeof scale);
  group.scale = to_float(scale);
  for (std::size_t j = 0; j < group.quants.size(); ++j) {
    const std::uint8_t* quants = at + sizeof scale;
    const int nibble = j < 16 ? quants[j] & 0xf : quants[j - 16] >> 4;
    group.quants[j] = static_cast<std::int8_t>(b.dtype == DType::q4_0 ? nibble - 8 : quants[j]);
  }
  return group;
}

std::vector<float> row_part(const Input<double>& from, std::int64_t row, std::int64_t first,
                            std::int64_t last) {
  std::vector<float> values;
  for (std::int64_t k = first; k < last; ++k) values.push_back(static_cast<float>(from(row, k)));
  return values;
}

std::int64_t group_bytes(const QuantizedFormat& format) { return 4 + format.group; }
std::int64_t groups_of(const QuantizedFormat& format, std::int64_t K) {
  return (K + format.group - 1) / format.group;
}

std::int64_t packed_quantized_bytes(const QuantizedFormat& format, std::int64_t N, std::int64_t K) {
  return N * groups_of(format, K) * group_bytes(format);
}

void pack_quantized(const LaunchContext&, const PackQuantizedArgs& args) {
  const QuantizedFormat& format = args.format;
  const std::int64_t K = args.b.cols;
  FFN_ASSERT(args.b.dtype != DType::q8_0 || (format.group == kQuantBlock && format.bits == 8));
  FFN_ASSERT(args.b.dtype != DType::q4_0 || (format.group == kQuantBlock && format.bits == 4));
  const Input<double> b(args.b);
  auto* to = static_cast<std::byte*>(args.packed);
  for (std::int64_t n = 0; n < args.b.rows; ++n) {
    for (std::int64_t first = 0; first < K; first += format.group, to += group_bytes(format)) {
      const std::int64_t last = std::min(K, first + format.group);
      const Group group = is_block(args.b.dtype)
                              ? read_block(args.b, n, first / format.group)
                              : quantize(row_part(b, n, first, last), format.bits);
      std::memcpy(to, &group.scale, 4);
      std::memset(to + 4, 0, static_cast<std::size_t>(format.group));
      std::memcpy(to + 4, group.quants.data(), group.quants.size());
    }
  }
}

double group_product(const Group& a, const std::byte* b) {
  float scale;
  std::memcpy(&scale, b, sizeof scale);
  std::int64_t sum = 0;
  for (std::size_t i = 0; i < a.quants.size(); ++i)
    sum += std::int64_t{a.quants[i]} * static_cast<std::int8_t>(b[4 + i]);
  return static_cast<double>(a.scale) * static_cast<double>(scale) * static_cast<double>(sum);
}

void quantized_product(const LaunchContext&, const QuantizedProductArgs& args) {
  const QuantizedFormat& format = args.format;
  const std::int64_t M = args.c.rows, N = args.c.cols, K = args.a.cols;
  const std::int64_t row_bytes = groups_of(format, K) * group_bytes(format);
  const Input<double> a(args.a), bias(args.bias);
  const Output<double> c(args.c, args.accumulate);
  for (std::int64_t m = 0; m < M; ++m) {
    std::vector<Group> row;
    for (std::int64_t first = 0; first < K; first += format.group)
      row.push_back(quantize(row_part(a, m, first, std::min(K, first + format.group)), 8));
    for (std::int64_t n = 0; n < N; ++n) {
      const auto* at = static_cast<const std::byte*>(args.packed_b) + n * row_bytes;
      double sum = 0;
      for (const Group& group : row) {
        sum += group_product(group, at);
        at += group_bytes(format);
      }
      c.put(m, n, sum + bias.get_or(0, n, 0));
    }
  }
}

}  // namespace

void add_quantized_product_kernels(KernelTable& table) {
  table.quantized_product = quantized_product;
  table.quantized_product_workspace = [](const QuantizedProductShape&, int) -> std::int64_t {
    return 0;
  };
  table.pack_quantized = pack_quantized;
  table.packed_quantized_bytes = packed_quantized_bytes;
}

}  // namespace ffn::inline v0::kernels::reference
