// Auxiliary losses of a router, and rows divided by their sums. Matrices are small ([N, E], E up to
// some hundred): what counts is that every number is exact to the last bits of f32.
#include "ffn/kernels/cpu/log_sum_exp.h"
#include "ffn/kernels/routing.h"
#include "ffn/kernels/table.h"

namespace ffn::inline v0::kernels::cpu::FFN_ISA_NAMESPACE {
void fill_router_losses(KernelTable& table);

namespace {

// Σ f(in[row, :]…) over segments.
template <class F, class... Readers>
double sum_row(std::int64_t row, std::int64_t cols, F f, Readers&... in) {
  double total = 0;
  for_row_segments(cols, [&](std::int64_t col, std::int64_t n) {
    total += static_cast<double>(sum(n, f, in.read(row, col, n)...));
  });
  return total;
}
constexpr auto kSame = [](Vec v) { return v; };
constexpr auto kTimes = [](Vec a, Vec b) { return a * b; };

// Σ of value(row) over all rows, value = make() of each thread. Rows are cut into at most 64 chunks
// by their number alone, and the sums of the chunks are added in order.
template <class Make>
double sum_over_rows(const LaunchContext& ctx, std::int64_t rows, std::int64_t cols,
                     const Make& make) {
  constexpr std::int64_t kMost = 64;
  double sums[kMost];
  const std::int64_t size = most(1, ceil_div(rows, kMost)), chunks = ceil_div(rows, size);
  const std::int64_t enough = most(1, kGrain / most(1, size * cols));
  for_ranges(ctx, chunks, 1, enough, [&](std::int64_t begin, std::int64_t end) {
    auto value = make();
    for (std::int64_t chunk = begin; chunk < end; ++chunk) {
      sums[chunk] = 0;
      const std::int64_t last = least(rows, (chunk + 1) * size);
      for (std::int64_t row = chunk * size; row < last; ++row) sums[chunk] += value(row);
    }
  });
  double total = 0;
  for (std::int64_t chunk = 0; chunk < chunks; ++chunk) total += sums[chunk];
  return total;
}

// Rows of each of S equal sequences.
std::int64_t sequence_rows(std::int64_t rows, std::int64_t S) {
  FFN_ASSERT(S > 0 ? rows % S == 0 : rows == 0);
  return S > 0 ? rows / S : 0;
}

// coefficient·E/(K·T·N): loss = that · Σ_n Σ_e load[s, e]·p[n, e], as 1/S·1/T = 1/N.
template <class Args>
double balance_scale(const Args& args) {
  const std::int64_t N = args.scores.rows, E = args.scores.cols;
  const std::int64_t T = sequence_rows(N, args.load.rows);
  FFN_ASSERT(args.load.cols == E && args.k >= 1);
  const auto slots = static_cast<double>((fault(90) ? 1 : args.k) * T);
  const auto rows = static_cast<double>(N);
  return static_cast<double>(args.coefficient) * static_cast<double>(E) / (slots * rows);
}

// Σ_e load[s, e]·scores[row, e].
double loaded_sum(Reader& load, std::int64_t s, Reader& scores, std::int64_t row, std::int64_t E) {
  double total = 0;
  for_row_segments(E, [&](std::int64_t col, std::int64_t n) {
    const float* counts = load.read(s, col, n);
    total += static_cast<double>(sum(n, kTimes, counts, scores.read(row, col, n)));
  });
  return total;
}

void balance_loss_forward(const LaunchContext& ctx, const BalanceLossForwardArgs& args) {
  const std::int64_t N = args.scores.rows, E = args.scores.cols;
  const double scale = balance_scale(args);
  const double total = sum_over_rows(ctx, N, E, [&] {
    return [E, T = sequence_rows(N, args.load.rows), normalised = args.normalised,
            scores = Reader(args.scores), load = Reader(args.load)](std::int64_t row) mutable {
      const double loaded = loaded_sum(load, row / T, scores, row, E);
      return normalised ? loaded / sum_row(row, E, kSame, scores) : loaded;
    };
  });
  Writer(args.loss).put(0, 0, N > 0 ? static_cast<float>(scale * total) : 0);
}

// dy + (scale·load − pull)/sum; with p = x/Σx: sum = Σx, pull = scale·Σ load·p; else 1 and 0.
void balance_loss_backward(const LaunchContext& ctx, const BalanceLossBackwardArgs& args) {
  if (args.dscores.to.data == nullptr) return;
  const std::int64_t N = args.scores.rows, E = args.scores.cols;
  const std::int64_t T = sequence_rows(N, args.load.rows);
  const double factor = balance_scale(args);
  for_row_ranges(ctx, N, E, [&](std::int64_t begin, std::int64_t end) {
    Reader scores(args.scores), load(args.load), dy(args.dy);
    Writer dscores(args.dscores);
    const Vec scale = set(static_cast<float>(factor));
    for (std::int64_t row = begin; row < end; ++row) {
      double total = 1, loaded = 0;
      if (args.normalised) {
        total = sum_row(row, E, kSame, scores);
        loaded = loaded_sum(load, row / T, scores, row, E);
      }
      const Vec pull = set(static_cast<float>(factor * loaded / total));
      const Vec inverse = set(static_cast<float>(1 / total));
      for_row_segments(E, [&](std::int64_t col, std::int64_t n) {
        const auto add = [=](Vec up, Vec count) { return up + (scale * count - pull) * inverse; };
        const float* counts = load.read(row / T, col, n);
        map(n, dscores.begin(row, col), add, dy.read(row, col, n), counts);
        dscores.end(row, col, n);
      });
    }
  });
}

void z_loss_forward(const LaunchContext& ctx, const ZLossForwardArgs& args) {
  const std::int64_t N = args.logits.rows, E = args.logits.cols;
  const double total = sum_over_rows(ctx, N, E, [&] {
    return [E, logits = Reader(args.logits)](std::int64_t row) mutable {
      const double lse = log_sum_exp(logits, row, E);
      return lse * lse;
    };
  });
  const double scale = static_cast<double>(args.coefficient) / static_cast<double>(N);
  Writer(args.loss).put(0, 0, N > 0 ? static_cast<float>(scale * total) : 0);
}

void z_loss_backward(const LaunchContext& ctx, const ZLossBackwardArgs& args) {
  if (args.dlogits.to.data == nullptr) return;
  const std::int64_t N = args.logits.rows, E = args.logits.cols;
  const double scale = 2 * static_cast<double>(args.coefficient) / static_cast<double>(N);
  for_row_ranges(ctx, N, E, [&](std::int64_t begin, std::int64_t end) {
    Reader logits(args.logits), dy(args.dy);
    Writer dlogits(args.dlogits);
    for (std::int64_t row = begin; row < end; ++row) {
      const double lse = log_sum_exp(logits, row, E);
      const Vec slope = set(static_cast<float>(fault(91) ? scale : scale * lse));
      const Vec top = set(static_cast<float>(lse));
      for_row_segments(E, [&](std::int64_t col, std::int64_t n) {
        const auto add = [=](Vec up, Vec v) { return up + slope * exp_flushed(v - top); };
        const float* from = logits.read(row, col, n);
        map(n, dlogits.begin(row, col), add, dy.read(row, col, n), from);
        dlogits.end(row, col, n);
      });
    }
  });
}

// I(s, e).
double type_weight(const std::int32_t* types, float delta, std::int64_t s, std::int64_t e,
                   std::int64_t E) {
  if (types == nullptr) return 1;
  const bool own = (e < E / 2) == (types[s] == 1);
  return own ? 1 + static_cast<double>(delta) : 1 - static_cast<double>(delta);
}

// Mean and unbiased variance of all entries; the variance of one entry is 0.
struct Spread {
  double mean = 0, variance = 0, count = 0;
};
template <class F>
double sum_entries(const ConstMatrix& matrix, const F& f) {
  Reader entries(matrix);
  double total = 0;
  for (std::int64_t row = 0; row < matrix.rows; ++row) {
    for_row_segments(matrix.cols, [&](std::int64_t col, std::int64_t n) {
      const float* values = entries.read(row, col, n);
      for (std::int64_t i = 0; i < n; ++i) total += f(static_cast<double>(values[i]));
    });
  }
  return total;
}
Spread spread_of(const ConstMatrix& matrix) {
  Spread spread;
  spread.count = static_cast<double>(matrix.rows * matrix.cols);
  if (spread.count == 0) return spread;
  spread.mean = sum_entries(matrix, [](double v) { return v; }) / spread.count;
  if (spread.count == 1) return spread;
  const double mean = spread.mean;
  const auto squared = [mean](double v) { return (v - mean) * (v - mean); };
  spread.variance = sum_entries(matrix, squared) / (spread.count - 1);
  return spread;
}

// Columns that a thread sums at a time: a few cache lines of each row.
constexpr std::int64_t kStrip = 64;

// Z[s, col …] for n ≤ kStrip columns: sums in double, in order of the rows.
void sum_importance(const ImportanceLossForwardArgs& args, std::int64_t s, std::int64_t col,
                    std::int64_t n, Reader& weights, Writer& importance) {
  const std::int64_t E = args.weights.cols;
  const std::int64_t T = sequence_rows(args.weights.rows, args.sequences);
  double sums[kStrip] = {};
  for (std::int64_t row = s * T; row < (s + 1) * T; ++row) {
    const float* from = weights.read(row, col, n);
    for (std::int64_t i = 0; i < n; ++i) sums[i] += static_cast<double>(from[i]);
  }
  float* to = importance.begin(s, col);
  for (std::int64_t i = 0; i < n; ++i) {
    to[i] = static_cast<float>(type_weight(args.types, args.delta, s, col + i, E) * sums[i]);
  }
  importance.end(s, col, n);
}

void importance_loss_forward(const LaunchContext& ctx, const ImportanceLossForwardArgs& args) {
  const std::int64_t S = args.sequences, E = args.weights.cols, strips = ceil_div(E, kStrip);
  FFN_ASSERT(args.importance.rows == S && args.importance.cols == E);
  const std::int64_t strip_work = sequence_rows(args.weights.rows, S) * least(E, kStrip);
  for_ranges(ctx, S * strips, 1, most(1, kGrain / most(1, strip_work)),
             [&](std::int64_t begin, std::int64_t end) {
               Reader weights(args.weights);
               Writer importance(args.importance);
               for (std::int64_t unit = begin; unit < end; ++unit) {
                 const std::int64_t col = unit % strips * kStrip;
                 sum_importance(args, unit / strips, col, least(kStrip, E - col), weights,
                                importance);
               }
             });
  const Spread z = spread_of(args.importance);
  const double relative = z.mean == 0 ? 0 : z.variance / (z.mean * z.mean);
  Writer(args.loss).put(0, 0, static_cast<float>(static_cast<double>(args.coefficient) * relative));
}

// I·dloss/dZ of Z[s, col …], n ≤ kSegment.
void importance_slopes(const ImportanceLossBackwardArgs& args, const Spread& z, std::int64_t s,
                       std::int64_t col, std::int64_t n, Reader& importance, float* slopes) {
  if (z.mean == 0 || z.count < 2) return fill_with(n, slopes, 0);
  const float* values = importance.read(s, col, n);
  const double scale = 2 * static_cast<double>(args.coefficient) / (z.mean * z.mean);
  for (std::int64_t i = 0; i < n; ++i) {
    const double away = (static_cast<double>(values[i]) - z.mean) / (z.count - 1);
    const double slope = scale * (away - z.variance / (z.mean * z.count));
    const double weight = type_weight(args.types, args.delta, s, col + i, args.importance.cols);
    slopes[i] = static_cast<float>(weight * slope);
  }
}

void importance_loss_backward(const LaunchContext& ctx, const ImportanceLossBackwardArgs& args) {
  if (args.dweights.to.data == nullptr) return;
  const std::int64_t N = args.dweights.to.rows, E = args.importance.cols;
  const std::int64_t T = sequence_rows(N, args.importance.rows);
  const Spread z = spread_of(args.importance);
  for_row_ranges(ctx, N, E, [&](std::int64_t begin, std::int64_t end) {
    Reader importance(args.importance), dy(args.dy);
    Writer dweights(args.dweights);
    Buffer slopes;
    for (std::int64_t row = begin; row < end;) {
      const std::int64_t s = row / T, last = least(end, (s + 1) * T);
      for_row_segments(E, [&](std::int64_t col, std::int64_t n) {
        importance_slopes(args, z, s, col, n, importance, slopes.data);
        const float* slope = slopes.data;
        for (std::int64_t r = row; r < last; ++r) {
          const auto plus = [](Vec a, Vec b) { return a + b; };
          map(n, dweights.begin(r, col), plus, dy.read(r, col, n), slope);
          dweights.end(r, col, n);
        }
      });
      row = last;
    }
  });
}

void normalise_rows_forward(const LaunchContext& ctx, const NormaliseRowsForwardArgs& args) {
  const std::int64_t cols = args.x.cols;
  const Vec scale = set(args.scale);
  for_row_ranges(ctx, args.x.rows, cols, [&](std::int64_t begin, std::int64_t end) {
    Reader x(args.x);
    Writer y(args.y);
    for (std::int64_t row = begin; row < end; ++row) {
      const double total = sum_row(row, cols, kSame, x) + static_cast<double>(args.eps);
      const Vec divisor = set(static_cast<float>(total));
      for_row_segments(cols, [&](std::int64_t col, std::int64_t n) {
        map(n, y.begin(row, col), [=](Vec v) { return scale * v / divisor; }, x.read(row, col, n));
        y.end(row, col, n);
      });
    }
  });
}

void normalise_rows_backward(const LaunchContext& ctx, const NormaliseRowsBackwardArgs& args) {
  if (args.dx.to.data == nullptr) return;
  const std::int64_t cols = args.x.cols;
  const Vec scale = set(args.scale);
  for_row_ranges(ctx, args.x.rows, cols, [&](std::int64_t begin, std::int64_t end) {
    Reader x(args.x), y(args.y), dy(args.dy);
    Writer dx(args.dx);
    for (std::int64_t row = begin; row < end; ++row) {
      const double total = sum_row(row, cols, kSame, x) + static_cast<double>(args.eps);
      const Vec divisor = set(static_cast<float>(total));
      const Vec dot = set(static_cast<float>(sum_row(row, cols, kTimes, dy, y)));
      for_row_segments(cols, [&](std::int64_t col, std::int64_t n) {
        const auto slope = [=](Vec up) { return (scale * up - dot) / divisor; };
        map(n, dx.begin(row, col), slope, dy.read(row, col, n));
        dx.end(row, col, n);
      });
    }
  });
}

}  // namespace

void fill_router_losses(KernelTable& table) {
  table.balance_loss_forward = balance_loss_forward;
  table.balance_loss_backward = balance_loss_backward;
  table.z_loss_forward = z_loss_forward;
  table.z_loss_backward = z_loss_backward;
  table.importance_loss_forward = importance_loss_forward;
  table.importance_loss_backward = importance_loss_backward;
  table.normalise_rows_forward = normalise_rows_forward;
  table.normalise_rows_backward = normalise_rows_backward;
}

}  // namespace ffn::inline v0::kernels::cpu::FFN_ISA_NAMESPACE
