// Batch norm: statistics of a column, summed over chunks of rows.
#include "ffn/kernels/cpu/row_chunks.h"
#include "ffn/kernels/cpu/stream.h"
#include "ffn/kernels/norm.h"
#include "ffn/kernels/table.h"

namespace ffn::inline v0::kernels::cpu::FFN_ISA_NAMESPACE {
void fill_batch_norm(KernelTable& table);

namespace {

// For every chunk of rows and segment of columns, sums over the rows: make() gives a function of
// (row, col, n, first, second) that adds to the two sums of each column.
template <class Make>
void sum_columns(const LaunchContext& ctx, const RowChunks& chunks, std::int64_t cols,
                 const Make& make) {
  chunks.run(ctx, [&](std::int64_t chunk, std::int64_t begin, std::int64_t end) {
    auto add = make();
    for_row_segments(cols, [&](std::int64_t col, std::int64_t n) {
      float* first = chunks.partial(ctx, chunk, 0) + col;
      float* second = chunks.partial(ctx, chunk, 1) + col;
      fill_with(n, first, 0);
      fill_with(n, second, 0);
      for (std::int64_t row = begin; row < end; ++row) add(row, col, n, first, second);
    });
  });
}

// mean[i] and inverse[i] of the batch, and the running statistics.
class BatchStatistics {
 public:
  BatchStatistics(const LaunchContext& ctx, const RowChunks& chunks,
                  const BatchNormForwardArgs& args, float* mean, float* inverse)
      : ctx_(ctx), chunks_(chunks), args_(args), mean_(mean), inverse_(inverse) {}

  void run() {
    const std::int64_t cols = args_.x.cols;
    sum_columns(ctx_, chunks_, cols, [&] {
      return [x = Reader(args_.x)](std::int64_t row, std::int64_t col, std::int64_t n, float* total,
                                   float*) mutable {
        map(
            n, total, [](Vec t, Vec v) { return t + v; }, static_cast<const float*>(total),
            x.read(row, col, n));
      };
    });
    for_row_segments(cols, [&](std::int64_t col, std::int64_t n) { fold_mean(col, n); });
    sum_columns(ctx_, chunks_, cols, [&] {
      return [x = Reader(args_.x), mean = mean_](std::int64_t row, std::int64_t col, std::int64_t n,
                                                 float* total, float*) mutable {
        const auto add = [](Vec t, Vec v, Vec centre) { return fma(v - centre, v - centre, t); };
        const float *old = total, *centre = mean + col;
        map(n, total, add, old, x.read(row, col, n), centre);
      };
    });
    for_row_segments(cols, [&](std::int64_t col, std::int64_t n) { fold_variance(col, n); });
  }

 private:
  Vec per_row() const { return set(1 / static_cast<float>(most(args_.x.rows, 1))); }

  void fold_mean(std::int64_t col, std::int64_t n) {
    const Vec scale = per_row();
    chunks_.fold(ctx_, 0, col, n, mean_ + col);
    const float* total = mean_ + col;
    map(n, mean_ + col, [=](Vec t) { return t * scale; }, total);
    update_running(0, col, n, mean_ + col, 1);
  }

  void fold_variance(std::int64_t col, std::int64_t n) {
    const Vec scale = per_row(), eps = set(args_.eps);
    float* variance = inverse_ + col;
    const float* old = variance;
    chunks_.fold(ctx_, 0, col, n, variance);
    map(n, variance, [=](Vec t) { return t * scale; }, old);
    const auto rows = static_cast<float>(args_.x.rows);
    update_running(1, col, n, variance, args_.x.rows > 1 ? rows / (rows - 1) : 1);
    map(n, variance, [=](Vec v) { return set(1) / sqrt(v + eps); }, old);
  }

  // An empty batch leaves the running statistics as they are.
  void update_running(std::int64_t which, std::int64_t col, std::int64_t n, const float* value,
                      float factor) {
    if (args_.new_running.data == nullptr) return;
    const float momentum = args_.x.rows > 0 ? args_.momentum : 0;
    const Vec keep = set(1 - momentum), take = set(momentum * factor);
    Reader running(args_.running);
    Writer to(args_.new_running);
    map(
        n, to.begin(which, col), [=](Vec old, Vec now) { return fma(take, now, keep * old); },
        running.read(which, col, n), value);
    to.end(which, col, n);
  }

  const LaunchContext& ctx_;
  const RowChunks& chunks_;
  const BatchNormForwardArgs& args_;
  float *mean_, *inverse_;
};

// The running variance as 1/√(variance + eps), the running mean as it is.
void read_running(const BatchNormForwardArgs& args, float* mean, float* inverse) {
  Reader running(args.running);
  const Vec eps = set(args.eps);
  for_row_segments(args.x.cols, [&](std::int64_t col, std::int64_t n) {
    map(n, mean + col, [](Vec v) { return v; }, running.read(0, col, n));
    map(n, inverse + col, [=](Vec v) { return set(1) / sqrt(v + eps); }, running.read(1, col, n));
  });
}

void write_statistics(const Matrix& stats, std::int64_t cols, const float* mean,
                      const float* inverse) {
  Writer to(stats);
  for (std::int64_t which = 0; which < 2; ++which) {
    const float* from = which == 0 ? mean : inverse;
    for_row_segments(cols, [&](std::int64_t col, std::int64_t n) {
      map(n, to.begin(which, col), [](Vec v) { return v; }, from + col);
      to.end(which, col, n);
    });
  }
}

void batch_norm_forward(const LaunchContext& ctx, const BatchNormForwardArgs& args) {
  const std::int64_t cols = args.x.cols;
  const RowChunks chunks(args.x.rows, cols);
  float *mean = chunks.vector(ctx, 0), *inverse = chunks.vector(ctx, 1);
  if (args.stats.data != nullptr) {
    BatchStatistics(ctx, chunks, args, mean, inverse).run();
    write_statistics(args.stats, cols, mean, inverse);
  } else {
    read_running(args, mean, inverse);
  }
  Grid::by_rows(args.x).run(ctx, [&] {
    return [=, x = Reader(args.x), weight = Reader(args.weight, 1), bias = Reader(args.bias, 0),
            y = Writer(args.y)](const Segment& at) mutable {
      const auto normalise = [](Vec v, Vec m, Vec r, Vec w, Vec b) {
        return fma((v - m) * r, w, b);
      };
      const float *centre = mean + at.col, *scale = inverse + at.col;
      map(at.n, y.begin(at.row, at.col), normalise, x.read(at.row, at.col, at.n), centre, scale,
          weight.read(0, at.col, at.n), bias.read(0, at.col, at.n));
      y.end(at.row, at.col, at.n);
    };
  });
}

// Both sums of the backward: Σ dy·x̂ and Σ dy.
void sum_slopes(const LaunchContext& ctx, const RowChunks& chunks,
                const BatchNormBackwardArgs& args) {
  sum_columns(ctx, chunks, args.x.cols, [&] {
    return [x = Reader(args.x), dy = Reader(args.dy), mean = Reader(args.stats),
            inverse = Reader(args.stats)](std::int64_t row, std::int64_t col, std::int64_t n,
                                          float* dweight, float* dbias) mutable {
      const auto add = [](Vec w, Vec b, Vec v, Vec up, Vec m, Vec r) {
        return Pair{fma(up, (v - m) * r, w), b + up};
      };
      const float *old_weight = dweight, *old_bias = dbias;
      map_pair(n, dweight, dbias, add, old_weight, old_bias, x.read(row, col, n),
               dy.read(row, col, n), mean.read(0, col, n), inverse.read(1, col, n));
    };
  });
}

void batch_norm_backward(const LaunchContext& ctx, const BatchNormBackwardArgs& args) {
  const std::int64_t cols = args.x.cols;
  const RowChunks chunks(args.x.rows, cols);
  sum_slopes(ctx, chunks, args);
  chunks.fold(ctx, 0, args.dweight);
  chunks.fold(ctx, 1, args.dbias);
  if (args.dx.to.data == nullptr) return;
  float *sum_dyx = chunks.vector(ctx, 0), *sum_dy = chunks.vector(ctx, 1);
  for_row_segments(cols, [&](std::int64_t col, std::int64_t n) {
    chunks.fold(ctx, 0, col, n, sum_dyx + col);
    chunks.fold(ctx, 1, col, n, sum_dy + col);
  });
  const Vec per_row = set(1 / static_cast<float>(most(args.x.rows, 1)));
  Grid::by_rows(args.x).run(ctx, [&] {
    return [=, x = Reader(args.x), weight = Reader(args.weight, 1), dy = Reader(args.dy),
            mean = Reader(args.stats), inverse = Reader(args.stats),
            dx = Writer(args.dx)](const Segment& at) mutable {
      const auto slope = [=](Vec v, Vec up, Vec m, Vec r, Vec w, Vec dyx, Vec dy_sum) {
        const Vec pulled = fnma((v - m) * r, dyx * per_row, fnma(dy_sum, per_row, up));
        return r * w * pulled;
      };
      const float *dyx = sum_dyx + at.col, *dy_sum = sum_dy + at.col;
      map(at.n, dx.begin(at.row, at.col), slope, x.read(at.row, at.col, at.n),
          dy.read(at.row, at.col, at.n), mean.read(0, at.col, at.n), inverse.read(1, at.col, at.n),
          weight.read(0, at.col, at.n), dyx, dy_sum);
      dx.end(at.row, at.col, at.n);
    };
  });
}

}  // namespace

void fill_batch_norm(KernelTable& table) {
  table.batch_norm_forward = batch_norm_forward;
  table.batch_norm_backward = batch_norm_backward;
}

}  // namespace ffn::inline v0::kernels::cpu::FFN_ISA_NAMESPACE
