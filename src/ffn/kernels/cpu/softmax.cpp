// Softmax over rows.
#include "ffn/kernels/cpu/stream.h"
#include "ffn/kernels/cpu/vec_math.h"
#include "ffn/kernels/norm.h"
#include "ffn/kernels/table.h"

namespace ffn::inline v0::kernels::cpu::FFN_ISA_NAMESPACE {
void fill_softmax(KernelTable& table);

namespace {

// The columns [0, n) that `row` sees.
std::int64_t visible_columns(const SoftmaxForwardArgs& args, std::int64_t row) {
  if (!args.causal) return args.x.cols;
  FFN_ASSERT(args.causal_period > 0);
  const std::int64_t last = args.causal_offset + row % args.causal_period;
  return most(0, least(args.x.cols, last + 1));
}

// Where the result is f32, or fits one buffer, numerators wait there for their sum; otherwise (a
// long row of bf16) they are computed twice. y may be x.
void softmax_row(const SoftmaxForwardArgs& args, std::int64_t row, Reader& x, Writer& y) {
  const std::int64_t visible = visible_columns(args, row);
  const bool kept = y.is_memory() || visible <= kSegment;
  const Vec scale = set(args.scale);
  float max = -__builtin_inff();
  for_row_segments(visible, [&](std::int64_t col, std::int64_t n) {
    max = largest(max, n, [=](Vec v) { return scale * v; }, x.read(row, col, n));
  });
  const Vec top = set(max);
  const auto numerator = [=](Vec v) { return exp_flushed(scale * v - top); };
  double total = 0;
  for_row_segments(visible, [&](std::int64_t col, std::int64_t n) {
    const float* from = x.read(row, col, n);
    float* to = y.begin(row, col);
    if (kept) map(n, to, numerator, from);
    const auto same = [](Vec v) { return v; };
    const float* numerators = to;
    total += static_cast<double>(kept ? sum(n, same, numerators) : sum(n, numerator, from));
  });
  const Vec inverse = set(static_cast<float>(1 / total));
  for_row_segments(visible, [&](std::int64_t col, std::int64_t n) {
    float* to = y.begin(row, col);
    const float* numerators = to;
    if (kept) {
      map(n, to, [=](Vec v) { return v * inverse; }, numerators);
    } else {
      map(n, to, [=](Vec v) { return numerator(v) * inverse; }, x.read(row, col, n));
    }
    y.end(row, col, n);
  });
  for (std::int64_t col = visible; col < args.x.cols; col += kSegment) {
    const std::int64_t n = least(kSegment, args.x.cols - col);
    fill_with(n, y.begin(row, col), 0);
    y.end(row, col, n);
  }
}

void softmax_forward(const LaunchContext& ctx, const SoftmaxForwardArgs& args) {
  for_row_ranges(ctx, args.x.rows, args.x.cols, [&](std::int64_t begin, std::int64_t end) {
    Reader x(args.x);
    Writer y(args.y);
    for (std::int64_t row = begin; row < end; ++row) softmax_row(args, row, x, y);
  });
}

void softmax_backward(const LaunchContext& ctx, const SoftmaxBackwardArgs& args) {
  if (args.dx.to.data == nullptr) return;
  const std::int64_t cols = args.y.cols;
  const Vec scale = set(args.scale);
  for_row_ranges(ctx, args.y.rows, cols, [&](std::int64_t begin, std::int64_t end) {
    Reader y(args.y), dy(args.dy);
    Writer dx(args.dx);
    for (std::int64_t row = begin; row < end; ++row) {
      double total = 0;
      for_row_segments(cols, [&](std::int64_t col, std::int64_t n) {
        const auto times = [](Vec a, Vec b) { return a * b; };
        total += static_cast<double>(sum(n, times, y.read(row, col, n), dy.read(row, col, n)));
      });
      const Vec dot = set(static_cast<float>(total));
      for_row_segments(cols, [&](std::int64_t col, std::int64_t n) {
        map(
            n, dx.begin(row, col), [=](Vec p, Vec up) { return scale * p * (up - dot); },
            y.read(row, col, n), dy.read(row, col, n));
        dx.end(row, col, n);
      });
    }
  });
}

}  // namespace

void fill_softmax(KernelTable& table) {
  table.softmax_forward = softmax_forward;
  table.softmax_backward = softmax_backward;
}

}  // namespace ffn::inline v0::kernels::cpu::FFN_ISA_NAMESPACE
