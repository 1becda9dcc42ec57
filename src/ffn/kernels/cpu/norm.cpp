// Layer norm and RMS norm: statistics of a row, in segments whose f32 sums are added in double.
#include "ffn/kernels/norm.h"

#include "ffn/kernels/cpu/row_chunks.h"
#include "ffn/kernels/cpu/stream.h"
#include "ffn/kernels/table.h"

namespace ffn::inline v0::kernels::cpu::FFN_ISA_NAMESPACE {
void fill_norm(KernelTable& table);

namespace {

// mean over a row of f(x, …).
template <class F, class... Readers>
inline double row_mean(std::int64_t row, std::int64_t cols, F f, Readers&... in) {
  double total = 0;
  for_row_segments(cols, [&](std::int64_t col, std::int64_t n) {
    total += static_cast<double>(sum(n, f, in.read(row, col, n)...));
  });
  return total / static_cast<double>(most(cols, 1));
}

struct RowStatistics {
  float mean, inverse;
};

RowStatistics layer_norm_statistics(Reader& x, std::int64_t row, std::int64_t cols, float eps) {
  const double mean = row_mean(row, cols, [](Vec v) { return v; }, x);
  const Vec centre = set(static_cast<float>(mean));
  const auto squared = [=](Vec v) { return (v - centre) * (v - centre); };
  const double variance = row_mean(row, cols, squared, x);
  const auto e = static_cast<double>(eps);
  const double root = fault(41) ? __builtin_sqrt(variance) + e : __builtin_sqrt(variance + e);
  return {static_cast<float>(mean), static_cast<float>(1 / root)};
}

void layer_norm_forward(const LaunchContext& ctx, const LayerNormForwardArgs& args) {
  const std::int64_t cols = args.x.cols;
  for_row_ranges(ctx, args.x.rows, cols, [&](std::int64_t begin, std::int64_t end) {
    Reader x(args.x), weight(args.weight, 1), bias(args.bias, 0);
    Writer y(args.y), stats(args.stats);
    for (std::int64_t row = begin; row < end; ++row) {
      const RowStatistics s = layer_norm_statistics(x, row, cols, args.eps);
      const Vec mean = set(s.mean), r = set(s.inverse);
      for_row_segments(cols, [&](std::int64_t col, std::int64_t n) {
        map(
            n, y.begin(row, col), [=](Vec v, Vec w, Vec b) { return fma((v - mean) * r, w, b); },
            x.read(row, col, n), weight.read(0, col, n), bias.read(0, col, n));
        y.end(row, col, n);
      });
      if (!stats.present()) continue;
      stats.put(row, 0, s.mean);
      stats.put(row, 1, s.inverse);
    }
  });
}

// One row's part of the layer norm backward: adds to the chunk's sums, writes dx.
class LayerNormBackwardRow {
 public:
  LayerNormBackwardRow(const LayerNormBackwardArgs& args, float* dweight, float* dbias)
      : cols_(args.x.cols),
        x_(args.x),
        weight_(args.weight, 1),
        stats_(args.stats),
        dy_(args.dy),
        dx_(args.dx),
        dweight_(dweight),
        dbias_(dbias) {}

  void run(std::int64_t row) {
    const Vec mean = set(stats_.element(row, 0)), r = set(stats_.element(row, 1));
    Vec mean_g = zero(), mean_gx = zero();
    if (dx_.present()) {
      double g = 0, gx = 0;
      for_row_segments(cols_, [&](std::int64_t col, std::int64_t n) {
        const float *v = x_.read(row, col, n), *w = weight_.read(0, col, n);
        const float* u = dy_.read(row, col, n);
        const auto product = [=](Vec up, Vec wt, Vec value) {
          return up * wt * ((value - mean) * r);
        };
        g += static_cast<double>(sum(n, [](Vec up, Vec wt) { return up * wt; }, u, w));
        gx += static_cast<double>(sum(n, product, u, w, v));
      });
      const auto count = static_cast<double>(most(cols_, 1));
      mean_g = set(static_cast<float>(g / count));
      mean_gx = set(static_cast<float>(gx / count));
    }
    for_row_segments(cols_, [&](std::int64_t col, std::int64_t n) {
      const float *v = x_.read(row, col, n), *u = dy_.read(row, col, n);
      add_to_sums(col, n, mean, r, v, u);
      if (!dx_.present()) return;
      const auto slope = [=](Vec value, Vec up, Vec wt) {
        return r * (fnma((value - mean) * r, mean_gx, fma(up, wt, neg(mean_g))));
      };
      map(n, dx_.begin(row, col), slope, v, u, weight_.read(0, col, n));
      dx_.end(row, col, n);
    });
  }

 private:
  void add_to_sums(std::int64_t col, std::int64_t n, Vec mean, Vec r, const float* v,
                   const float* u) const {
    const float *dweight = dweight_ + col, *dbias = dbias_ + col;
    const auto add = [=](Vec w, Vec b, Vec value, Vec up) {
      return Pair{fma(up, (value - mean) * r, w), b + up};
    };
    map_pair(n, dweight_ + col, dbias_ + col, add, dweight, dbias, v, u);
  }

  std::int64_t cols_;
  Reader x_, weight_, stats_, dy_;
  Writer dx_;
  float *dweight_, *dbias_;
};

void layer_norm_backward(const LaunchContext& ctx, const LayerNormBackwardArgs& args) {
  const RowChunks chunks(args.x.rows, args.x.cols);
  chunks.run(ctx, [&](std::int64_t chunk, std::int64_t begin, std::int64_t end) {
    float* dweight = chunks.partial(ctx, chunk, 0);
    float* dbias = chunks.partial(ctx, chunk, 1);
    fill_with(args.x.cols, dweight, 0);
    fill_with(args.x.cols, dbias, 0);
    LayerNormBackwardRow backward(args, dweight, dbias);
    for (std::int64_t row = begin; row < end; ++row) backward.run(row);
  });
  chunks.fold(ctx, 0, args.dweight);
  chunks.fold(ctx, 1, args.dbias);
}

void rms_norm_forward(const LaunchContext& ctx, const RmsNormForwardArgs& args) {
  const std::int64_t cols = args.x.cols;
  const bool weighted = args.weight.data != nullptr;
  const Vec offset = set(weighted ? args.weight_offset : 0);
  for_row_ranges(ctx, args.x.rows, cols, [&](std::int64_t begin, std::int64_t end) {
    Reader x(args.x), weight(args.weight, 1);
    Writer y(args.y), stats(args.stats);
    for (std::int64_t row = begin; row < end; ++row) {
      const double square = row_mean(row, cols, [](Vec v) { return v * v; }, x);
      const auto r = static_cast<float>(1 / __builtin_sqrt(square + static_cast<double>(args.eps)));
      const Vec scale = set(r);
      for_row_segments(cols, [&](std::int64_t col, std::int64_t n) {
        map(
            n, y.begin(row, col), [=](Vec v, Vec w) { return v * scale * (offset + w); },
            x.read(row, col, n), weight.read(0, col, n));
        y.end(row, col, n);
      });
      if (stats.present()) stats.put(row, 0, r);
    }
  });
}

class RmsNormBackwardRow {
 public:
  RmsNormBackwardRow(const RmsNormBackwardArgs& args, float* dweight)
      : cols_(args.x.cols),
        offset_(set(args.weight.data != nullptr ? args.weight_offset : 0)),
        x_(args.x),
        weight_(args.weight, 1),
        stats_(args.stats),
        dy_(args.dy),
        dx_(args.dx),
        dweight_(dweight) {}

  void run(std::int64_t row) {
    const float inverse = stats_.element(row, 0);
    const Vec r = set(inverse), offset = offset_;
    Vec pull = zero();  // r²·mean(g·x)
    if (dx_.present()) {
      const auto product = [=](Vec up, Vec w, Vec v) { return up * (offset + w) * v; };
      double total = 0;
      for_row_segments(cols_, [&](std::int64_t col, std::int64_t n) {
        total += static_cast<double>(
            sum(n, product, dy_.read(row, col, n), weight_.read(0, col, n), x_.read(row, col, n)));
      });
      const auto square = static_cast<double>(inverse) * static_cast<double>(inverse);
      pull = set(static_cast<float>(square * total / static_cast<double>(most(cols_, 1))));
    }
    for_row_segments(cols_, [&](std::int64_t col, std::int64_t n) {
      const float *v = x_.read(row, col, n), *u = dy_.read(row, col, n);
      const float* sums = dweight_ + col;
      map(
          n, dweight_ + col, [=](Vec s, Vec value, Vec up) { return fma(up, value * r, s); }, sums,
          v, u);
      if (!dx_.present()) return;
      const auto slope = [=](Vec value, Vec up, Vec w) {
        return r * fnma(value, pull, up * (offset + w));
      };
      map(n, dx_.begin(row, col), slope, v, u, weight_.read(0, col, n));
      dx_.end(row, col, n);
    });
  }

 private:
  std::int64_t cols_;
  Vec offset_;
  Reader x_, weight_, stats_, dy_;
  Writer dx_;
  float* dweight_;
};

void rms_norm_backward(const LaunchContext& ctx, const RmsNormBackwardArgs& args) {
  const RowChunks chunks(args.x.rows, args.x.cols);
  chunks.run(ctx, [&](std::int64_t chunk, std::int64_t begin, std::int64_t end) {
    float* dweight = chunks.partial(ctx, chunk, 0);
    fill_with(args.x.cols, dweight, 0);
    RmsNormBackwardRow backward(args, dweight);
    for (std::int64_t row = begin; row < end; ++row) backward.run(row);
  });
  chunks.fold(ctx, 0, args.dweight);
}

std::int64_t norm_workspace(std::int64_t rows, std::int64_t cols) {
  return RowChunks(rows, cols).workspace_bytes();
}

}  // namespace

void fill_norm(KernelTable& table) {
  table.layer_norm_forward = layer_norm_forward;
  table.layer_norm_backward = layer_norm_backward;
  table.rms_norm_forward = rms_norm_forward;
  table.rms_norm_backward = rms_norm_backward;
  table.norm_workspace = norm_workspace;
}

}  // namespace ffn::inline v0::kernels::cpu::FFN_ISA_NAMESPACE
