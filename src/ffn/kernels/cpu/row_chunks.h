// Sums over rows (weight gradients, batch statistics): rows are cut into chunks whose size depends
// on their number alone; each chunk leaves its partial sums in the workspace, and partials are
// added in the order of the chunks. So the result does not depend on the number of threads.
#pragma once

#include "ffn/kernels/cpu/stream.h"

namespace ffn::inline v0::kernels::cpu::FFN_ISA_NAMESPACE {
namespace {

class RowChunks {
 public:
  // Sums per column that a chunk keeps.
  static constexpr std::int64_t kSums = 2;

  // At most 64 chunks (enough threads for one row sum), of at least 16 rows (so that partials are
  // small beside the data).
  RowChunks(std::int64_t rows, std::int64_t cols)
      : rows_(rows), cols_(cols), size_(most(16, ceil_div(rows, 64))) {}

  std::int64_t count() const { return ceil_div(rows_, size_); }
  // Partials, and two vectors of [cols] for the kernel's own use.
  std::int64_t workspace_bytes() const { return (count() + 1) * kSums * stride() * 4; }
  float* partial(const LaunchContext& ctx, std::int64_t chunk, std::int64_t which) const {
    FFN_ASSERT(ctx.workspace_bytes >= workspace_bytes());
    void* at = ctx.workspace;
    return static_cast<float*>(at) + (chunk * kSums + which) * stride();
  }
  float* vector(const LaunchContext& ctx, std::int64_t which) const {
    return partial(ctx, count(), which);
  }

  // body(chunk, first row, end row), on several threads when there is enough work.
  template <class F>
  void run(const LaunchContext& ctx, const F& body) const {
    const auto one = [&](std::int64_t chunk) {
      body(chunk, chunk * size_, least(rows_, (chunk + 1) * size_));
    };
    if (rows_ * cols_ >= 2 * kGrain) return for_parts(ctx, count(), one);
    for (std::int64_t chunk = 0; chunk < count(); ++chunk) one(chunk);
  }

  // to[i] = Σ over chunks of column col + i, for n columns.
  void fold(const LaunchContext& ctx, std::int64_t which, std::int64_t col, std::int64_t n,
            float* to) const {
    const auto plus = [](Vec a, Vec b) { return a + b; };
    fill_with(n, to, 0);
    for (std::int64_t chunk = 0; chunk < count(); ++chunk) {
      const float* sums = partial(ctx, chunk, which) + col;
      map(n, to, plus, static_cast<const float*>(to), sums);
    }
  }
  // The same into a [1, cols] gradient.
  void fold(const LaunchContext& ctx, std::int64_t which, const GradMatrix& gradient) const {
    if (gradient.to.data == nullptr) return;
    Writer to(gradient);
    for_row_segments(cols_, [&](std::int64_t col, std::int64_t n) {
      fold(ctx, which, col, n, to.begin(0, col));
      to.end(0, col, n);
    });
  }

 private:
  // A whole number of cache lines.
  std::int64_t stride() const { return ceil_div(cols_, 16) * 16; }

  std::int64_t rows_, cols_, size_;
};

}  // namespace
}  // namespace ffn::inline v0::kernels::cpu::FFN_ISA_NAMESPACE
