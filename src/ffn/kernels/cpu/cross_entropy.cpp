// Cross-entropy of the softmax of logits, from their logsumexp.
#include "ffn/kernels/cpu/stream.h"
#include "ffn/kernels/cpu/vec_math.h"
#include "ffn/kernels/norm.h"
#include "ffn/kernels/table.h"

namespace ffn::inline v0::kernels::cpu::FFN_ISA_NAMESPACE {
void fill_cross_entropy(KernelTable& table);

namespace {

// max + ln Σ exp(x − max), summed per segment in f32 and over segments in double.
double log_sum_exp(Reader& x, std::int64_t row, std::int64_t cols) {
  float max = -__builtin_inff();
  for_row_segments(cols, [&](std::int64_t col, std::int64_t n) {
    max = largest(max, n, [](Vec v) { return v; }, x.read(row, col, n));
  });
  const Vec top = set(max);
  double total = 0;
  for_row_segments(cols, [&](std::int64_t col, std::int64_t n) {
    total += static_cast<double>(
        sum(n, [=](Vec v) { return exp_flushed(v - top); }, x.read(row, col, n)));
  });
  return static_cast<double>(max) + log_positive(total);
}

std::int64_t cross_entropy_workspace(std::int64_t rows) {
  return rows * static_cast<std::int64_t>(sizeof(double));
}

void cross_entropy_forward(const LaunchContext& ctx, const CrossEntropyForwardArgs& args) {
  const std::int64_t rows = args.logits.rows, cols = args.logits.cols;
  FFN_ASSERT(ctx.workspace_bytes >= cross_entropy_workspace(rows));
  void* workspace = ctx.workspace;
  auto* losses = static_cast<double*>(workspace);
  for_row_ranges(ctx, rows, cols, [&](std::int64_t begin, std::int64_t end) {
    Reader logits(args.logits);
    Writer lse(args.lse);
    for (std::int64_t row = begin; row < end; ++row) {
      const double log_sum = log_sum_exp(logits, row, cols);
      lse.put(row, 0, static_cast<float>(log_sum));
      const std::int32_t target = args.targets[row];
      FFN_ASSERT(target < cols);
      losses[row] = target < 0 ? 0 : log_sum - static_cast<double>(logits.element(row, target));
    }
  });
  double total = 0;
  std::int64_t counted = 0;
  for (std::int64_t row = 0; row < rows; ++row) {
    total += losses[row];
    counted += args.targets[row] >= 0 ? 1 : 0;
  }
  const double mean = counted > 0 ? total / static_cast<double>(counted) : 0;
  Writer(args.loss).put(0, 0, static_cast<float>(mean));
  Writer(args.count).put(0, 0, static_cast<float>(counted));
}

void cross_entropy_backward_row(const CrossEntropyBackwardArgs& args, std::int64_t row, float scale,
                                Reader& logits, Reader& lse, Writer& dlogits) {
  const std::int64_t cols = args.logits.cols, target = args.targets[row];
  FFN_ASSERT(target < cols);
  const Vec slope = set(scale), log_sum = set(lse.element(row, 0));
  for_row_segments(cols, [&](std::int64_t col, std::int64_t n) {
    float* to = dlogits.begin(row, col);
    if (target < 0) {
      fill_with(n, to, 0);
    } else {
      const auto probability = [=](Vec v) { return exp_flushed(v - log_sum); };
      map(n, to, probability, logits.read(row, col, n));
      if (target >= col && target < col + n) to[target - col] -= 1;
      map(n, to, [=](Vec p) { return slope * p; }, static_cast<const float*>(to));
    }
    dlogits.end(row, col, n);
  });
}

void cross_entropy_backward(const LaunchContext& ctx, const CrossEntropyBackwardArgs& args) {
  if (args.dlogits.to.data == nullptr) return;
  const float count = Reader(args.count).element(0, 0);
  const float scale = count > 0 ? Reader(args.dloss).element(0, 0) / count : 0;
  for_row_ranges(ctx, args.logits.rows, args.logits.cols,
                 [&](std::int64_t begin, std::int64_t end) {
                   Reader logits(args.logits), lse(args.lse);
                   Writer dlogits(args.dlogits);
                   for (std::int64_t row = begin; row < end; ++row) {
                     cross_entropy_backward_row(args, row, scale, logits, lse, dlogits);
                   }
                 });
}

}  // namespace

void fill_cross_entropy(KernelTable& table) {
  table.cross_entropy_forward = cross_entropy_forward;
  table.cross_entropy_backward = cross_entropy_backward;
  table.cross_entropy_workspace = cross_entropy_workspace;
}

}  // namespace ffn::inline v0::kernels::cpu::FFN_ISA_NAMESPACE
