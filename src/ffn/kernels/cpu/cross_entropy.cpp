// Cross-entropy of the softmax of logits, from their logsumexp; targets as classes or as rows of
// weights.
#include "ffn/kernels/cpu/log_sum_exp.h"
#include "ffn/kernels/norm.h"
#include "ffn/kernels/table.h"

namespace ffn::inline v0::kernels::cpu::FFN_ISA_NAMESPACE {
void fill_cross_entropy(KernelTable& table);

namespace {

// Σ f(x[row, :]) over segments.
template <class F>
double sum_row(Reader& x, std::int64_t row, std::int64_t cols, const F& f) {
  double total = 0;
  for_row_segments(cols, [&](std::int64_t col, std::int64_t n) {
    total += static_cast<double>(sum(n, f, x.read(row, col, n)));
  });
  return total;
}
constexpr auto kSame = [](Vec v) { return v; };

std::int64_t cross_entropy_workspace(std::int64_t rows) {
  return rows * static_cast<std::int64_t>(sizeof(double));
}

// Runs row_loss(row, log_sum, logits) for every row on several threads, then adds up in order of
// the rows. A row that does not count returns kIgnored.
constexpr double kIgnored = -__builtin_inf();

template <class Args, class MakeRow>
void mean_loss(const LaunchContext& ctx, const Args& args, const MakeRow& make) {
  const std::int64_t rows = args.logits.rows, cols = args.logits.cols;
  FFN_ASSERT(ctx.workspace_bytes >= cross_entropy_workspace(rows));
  void* workspace = ctx.workspace;
  auto* losses = static_cast<double*>(workspace);
  for_row_ranges(ctx, rows, cols, [&](std::int64_t begin, std::int64_t end) {
    Reader logits(args.logits);
    Writer lse(args.lse);
    auto row_loss = make();
    for (std::int64_t row = begin; row < end; ++row) {
      const double log_sum = log_sum_exp(logits, row, cols);
      lse.put(row, 0, static_cast<float>(log_sum));
      losses[row] = row_loss(row, log_sum, logits);
    }
  });
  double total = 0;
  std::int64_t counted = 0;
  for (std::int64_t row = 0; row < rows; ++row) {
    if (losses[row] == kIgnored) continue;
    total += losses[row];
    ++counted;
  }
  const double mean = counted > 0 ? total / static_cast<double>(counted) : 0;
  Writer(args.loss).put(0, 0, static_cast<float>(mean));
  Writer(args.count).put(0, 0, static_cast<float>(counted));
}

void cross_entropy_forward(const LaunchContext& ctx, const CrossEntropyForwardArgs& args) {
  const std::int64_t cols = args.logits.cols;
  const double spread = static_cast<double>(args.smoothing);
  mean_loss(ctx, args, [&] {
    return [&args, cols, spread](std::int64_t row, double log_sum, Reader& logits) {
      const std::int32_t target = args.targets[row];
      FFN_ASSERT(target < cols);
      if (target < 0) return kIgnored;
      const double chosen = static_cast<double>(logits.element(row, target));
      if (spread == 0) return log_sum - chosen;
      const double mean = sum_row(logits, row, cols, kSame) / static_cast<double>(cols);
      return log_sum - (1 - spread) * chosen - spread * mean;
    };
  });
}

void cross_entropy_backward_row(const CrossEntropyBackwardArgs& args, std::int64_t row, float scale,
                                Reader& logits, Reader& lse, Writer& dlogits) {
  const std::int64_t cols = args.logits.cols, target = args.targets[row];
  FFN_ASSERT(target < cols);
  const Vec slope = set(scale), log_sum = set(lse.element(row, 0));
  const Vec spread = set(args.smoothing / static_cast<float>(cols));
  for_row_segments(cols, [&](std::int64_t col, std::int64_t n) {
    float* to = dlogits.begin(row, col);
    if (target < 0) {
      fill_with(n, to, 0);
    } else {
      const auto probability = [=](Vec v) { return exp_flushed(v - log_sum) - spread; };
      map(n, to, probability, logits.read(row, col, n));
      if (target >= col && target < col + n) to[target - col] -= 1 - args.smoothing;
      map(n, to, [=](Vec p) { return slope * p; }, static_cast<const float*>(to));
    }
    dlogits.end(row, col, n);
  });
}

// dloss / count; 0 when nothing was counted.
template <class Args>
float loss_scale(const Args& args) {
  const float count = Reader(args.count).element(0, 0);
  return count > 0 ? Reader(args.dloss).element(0, 0) / count : 0;
}

void cross_entropy_backward(const LaunchContext& ctx, const CrossEntropyBackwardArgs& args) {
  if (args.dlogits.to.data == nullptr) return;
  const float scale = loss_scale(args);
  for_row_ranges(ctx, args.logits.rows, args.logits.cols,
                 [&](std::int64_t begin, std::int64_t end) {
                   Reader logits(args.logits), lse(args.lse);
                   Writer dlogits(args.dlogits);
                   for (std::int64_t row = begin; row < end; ++row) {
                     cross_entropy_backward_row(args, row, scale, logits, lse, dlogits);
                   }
                 });
}

bool all_zero(Reader& targets, std::int64_t row, std::int64_t cols) {
  return sum_row(targets, row, cols, [](Vec v) { return abs(v); }) == 0;
}

void soft_cross_entropy_forward(const LaunchContext& ctx, const SoftCrossEntropyForwardArgs& args) {
  const std::int64_t cols = args.logits.cols;
  mean_loss(ctx, args, [&] {
    return [cols, smoothing = args.smoothing, targets = Reader(args.targets)](
               std::int64_t row, double log_sum, Reader& logits) mutable {
      if (all_zero(targets, row, cols)) return kIgnored;
      const double weight = fault(72) ? 1 : sum_row(targets, row, cols, kSame);
      const Vec keep = set(1 - smoothing), top = set(static_cast<float>(log_sum));
      const Vec spread = set(static_cast<float>(static_cast<double>(smoothing) * weight) /
                             static_cast<float>(cols));
      double total = 0;
      for_row_segments(cols, [&](std::int64_t col, std::int64_t n) {
        // A class that does not count may have a logit of −inf.
        const auto term = [=](Vec x, Vec t) {
          const Vec share = fma(keep, t, spread);
          return select(eq(share, zero()), zero(), share * (top - x));
        };
        total +=
            static_cast<double>(sum(n, term, logits.read(row, col, n), targets.read(row, col, n)));
      });
      return total;
    };
  });
}

void soft_cross_entropy_backward_row(const SoftCrossEntropyBackwardArgs& args, std::int64_t row,
                                     float scale, Reader& logits, Reader& targets, float log_sum,
                                     Writer& dlogits) {
  const std::int64_t cols = args.logits.cols;
  const bool ignored = all_zero(targets, row, cols);
  const double weight = sum_row(targets, row, cols, kSame);
  const Vec slope = set(scale), top = set(log_sum), keep = set(1 - args.smoothing);
  const Vec all = set(static_cast<float>(weight));
  const Vec spread = set(static_cast<float>(static_cast<double>(args.smoothing) * weight) /
                         static_cast<float>(cols));
  const auto gradient = [=](Vec x, Vec t) {
    return slope * (all * exp_flushed(x - top) - fma(keep, t, spread));
  };
  for_row_segments(cols, [&](std::int64_t col, std::int64_t n) {
    float* to = dlogits.begin(row, col);
    if (ignored) {
      fill_with(n, to, 0);
    } else {
      map(n, to, gradient, logits.read(row, col, n), targets.read(row, col, n));
    }
    dlogits.end(row, col, n);
  });
}

void soft_cross_entropy_backward(const LaunchContext& ctx,
                                 const SoftCrossEntropyBackwardArgs& args) {
  if (args.dlogits.to.data == nullptr) return;
  const float scale = loss_scale(args);
  for_row_ranges(ctx, args.logits.rows, args.logits.cols,
                 [&](std::int64_t begin, std::int64_t end) {
                   Reader logits(args.logits), lse(args.lse), targets(args.targets);
                   Writer dlogits(args.dlogits);
                   for (std::int64_t row = begin; row < end; ++row) {
                     soft_cross_entropy_backward_row(args, row, scale, logits, targets,
                                                     lse.element(row, 0), dlogits);
                   }
                 });
}

}  // namespace

void fill_cross_entropy(KernelTable& table) {
  table.cross_entropy_forward = cross_entropy_forward;
  table.cross_entropy_backward = cross_entropy_backward;
  table.soft_cross_entropy_forward = soft_cross_entropy_forward;
  table.soft_cross_entropy_backward = soft_cross_entropy_backward;
  table.cross_entropy_workspace = cross_entropy_workspace;
}

}  // namespace ffn::inline v0::kernels::cpu::FFN_ISA_NAMESPACE
