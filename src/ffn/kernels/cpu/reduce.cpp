// Reductions of a whole matrix to one number.
#include "ffn/kernels/reduce.h"

#include "ffn/kernels/cpu/stream.h"
#include "ffn/kernels/table.h"

namespace ffn::inline v0::kernels::cpu::FFN_ISA_NAMESPACE {
void fill_reduce(KernelTable& table);

namespace {

constexpr std::int64_t kChunk = 8 * kSegment;  // 4096, as reduce.h says
// Sums side by side: enough for the compiler to keep two vectors of doubles in flight, and the same
// number on every ISA.
constexpr int kSums = 16;

double segment_squares(const float* x, std::int64_t n) {
  double sums[kSums] = {};
  std::int64_t i = 0;
  for (; i + kSums <= n; i += kSums) {
    for (int j = 0; j < kSums; ++j) {
      const auto value = static_cast<double>(x[i + j]);
      sums[j] += value * value;
    }
  }
  for (int j = 0; i + j < n; ++j) {
    const auto value = static_cast<double>(x[i + j]);
    sums[j] += value * value;
  }
  for (int width = kSums / 2; width > 0; width /= 2)
    for (int j = 0; j < width; ++j) sums[j] += sums[j + width];
  return sums[0];
}

std::int64_t chunks_per_row(std::int64_t cols) { return ceil_div(cols, kChunk); }

std::int64_t sum_squares_workspace(std::int64_t rows, std::int64_t cols) {
  return rows * chunks_per_row(cols) * static_cast<std::int64_t>(sizeof(double));
}

void sum_squares(const LaunchContext& ctx, const SumSquaresArgs& args) {
  FFN_ASSERT(args.sum.dtype == DType::f64 && args.sum.rows == 1 && args.sum.cols == 1);
  FFN_ASSERT(ctx.workspace_bytes >= sum_squares_workspace(args.x.rows, args.x.cols));
  const std::int64_t per_row = chunks_per_row(args.x.cols), chunks = args.x.rows * per_row;
  void* workspace = ctx.workspace;
  auto* partial = static_cast<double*>(workspace);
  for_ranges(ctx, chunks, 1, kGrain / kChunk, [&](std::int64_t begin, std::int64_t end) {
    Reader x(args.x);
    for (std::int64_t chunk = begin; chunk < end; ++chunk) {
      const std::int64_t row = chunk / per_row, first = chunk % per_row * kChunk;
      const std::int64_t last = least(first + kChunk, args.x.cols);
      double sum = 0;
      for (std::int64_t col = first; col < last; col += kSegment) {
        const std::int64_t n = least(kSegment, last - col);
        sum += segment_squares(x.read(row, col, n), n);
      }
      partial[chunk] = sum;
    }
  });
  double total = 0;
  for (std::int64_t chunk = 0; chunk < chunks; ++chunk) total += partial[chunk];
  *static_cast<double*>(args.sum.data) = total;
}

}  // namespace

void fill_reduce(KernelTable& table) {
  table.sum_squares = sum_squares;
  table.sum_squares_workspace = sum_squares_workspace;
}

}  // namespace ffn::inline v0::kernels::cpu::FFN_ISA_NAMESPACE
