// Products of blocks with rows that are brought to 8 bits.
#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "ffn/kernels/reference/access.h"
#include "ffn/kernels/reference/families.h"

namespace ffn::inline v0::kernels::reference {
namespace {

// 32 values of a row as integers.
struct RowGroup {
  float scale = 0;
  std::int8_t quants[kQuantBlock] = {};
};

RowGroup quantize_group(const Input<double>& a, std::int64_t m, std::int64_t first) {
  RowGroup group;
  float values[kQuantBlock], largest = 0;
  for (std::int64_t k = 0; k < kQuantBlock; ++k) {
    values[k] = static_cast<float>(a(m, first + k));
    if (!std::isfinite(values[k])) {
      group.scale = std::numeric_limits<float>::quiet_NaN();
      return group;
    }
    largest = std::max(largest, std::abs(values[k]));
  }
  if (largest < 0x1p-100f) return group;
  group.scale = largest / 127.0f;
  const float inverse = 127.0f / largest;
  for (std::int64_t k = 0; k < kQuantBlock; ++k)
    group.quants[k] = static_cast<std::int8_t>(std::nearbyint(values[k] * inverse));
  return group;
}

void block_product(const LaunchContext&, const BlockProductArgs& args) {
  const std::int64_t M = args.c.rows, N = args.c.cols, K = args.a.cols;
  FFN_ASSERT(is_block(args.b.dtype) && args.b.cols == K && args.b.rows == N && args.a.rows == M);
  const Input<double> a(args.a), b(args.b), bias(args.bias);
  const Output<double> c(args.c, args.accumulate);
  for (std::int64_t m = 0; m < M; ++m) {
    std::vector<RowGroup> row;
    for (std::int64_t k = 0; k < K; k += kQuantBlock) row.push_back(quantize_group(a, m, k));
    for (std::int64_t n = 0; n < N; ++n) {
      double sum = 0;
      for (std::int64_t k = 0; k < K; ++k) {
        const RowGroup& group = row[static_cast<std::size_t>(k / kQuantBlock)];
        sum += static_cast<double>(group.scale) * group.quants[k % kQuantBlock] * b(n, k);
      }
      c.put(m, n, sum + bias.get_or(0, n, 0));
    }
  }
}

}  // namespace

void add_block_product_kernels(KernelTable& table) {
  table.block_product = block_product;
  table.block_product_workspace = [](const BlockProductShape&, int) -> std::int64_t { return 0; };
}

}  // namespace ffn::inline v0::kernels::reference
