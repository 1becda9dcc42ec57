// Products, sums, copies and row scaling.
#include "ffn/kernels/pointwise.h"

#include "ffn/kernels/cpu/stream.h"
#include "ffn/kernels/table.h"

namespace ffn::inline v0::kernels::cpu::FFN_ISA_NAMESPACE {
void fill_pointwise(KernelTable& table);

namespace {

constexpr auto times = [](Vec a, Vec b) { return a * b; };

void multiply_forward(const LaunchContext& ctx, const MultiplyForwardArgs& args) {
  Grid(args.y, args.a, args.b).run(ctx, [&] {
    return [a = Reader(args.a), b = Reader(args.b), y = Writer(args.y)](const Segment& at) mutable {
      const float* left = a.read(at.row, at.col, at.n);
      const float* right = b.read(at.row, at.col, at.n);
      map(at.n, y.begin(at.row, at.col), times, left, right);
      y.end(at.row, at.col, at.n);
    };
  });
}

void multiply_backward(const LaunchContext& ctx, const MultiplyBackwardArgs& args) {
  Grid(args.dy, args.a, args.b, args.da.to, args.db.to).run(ctx, [&] {
    return [a = Reader(args.a), b = Reader(args.b), dy = Reader(args.dy), da = Writer(args.da),
            db = Writer(args.db)](const Segment& at) mutable {
      const float* upstream = dy.read(at.row, at.col, at.n);
      if (db.present()) {  // first: da may be dy
        map(at.n, db.begin(at.row, at.col), times, upstream, a.read(at.row, at.col, at.n));
        db.end(at.row, at.col, at.n);
      }
      if (da.present()) {
        map(at.n, da.begin(at.row, at.col), times, upstream, b.read(at.row, at.col, at.n));
        da.end(at.row, at.col, at.n);
      }
    };
  });
}

void add_forward(const LaunchContext& ctx, const AddForwardArgs& args) {
  if (args.a.rows == 0) return;
  FFN_ASSERT(args.b.rows > 0 && args.a.rows % args.b.rows == 0);
  const bool same = args.a.rows == args.b.rows;
  const auto make = [&] {
    return [&args, same, a = Reader(args.a), b = Reader(args.b),
            y = Writer(args.y)](const Segment& at) mutable {
      const float* left = a.read(at.row, at.col, at.n);
      const std::int64_t row = same ? at.row : at.row % args.b.rows;
      const float* right = b.read(row, at.col, at.n);
      map(at.n, y.begin(at.row, at.col), [](Vec u, Vec v) { return u + v; }, left, right);
      y.end(at.row, at.col, at.n);
    };
  };
  (same ? Grid(args.y, args.a, args.b) : Grid::by_rows(args.y)).run(ctx, make);
}

void copy(const LaunchContext& ctx, const CopyArgs& args) {
  const bool exact = args.alpha == 1 && !args.accumulate && args.x.dtype == args.y.dtype;
  if (exact && args.x.data == args.y.data && args.x.ld == args.y.ld) return;
  const Vec alpha = set(args.alpha);
  Grid(args.y, args.x).run(ctx, [&] {
    return [&args, exact, alpha, x = Reader(args.x),
            y = Writer(args.y, args.accumulate)](const Segment& at) mutable {
      if (exact) return copy_elements(args.x, at.row, args.y, at.row, at.col, at.n);
      const float* from = x.read(at.row, at.col, at.n);
      map(at.n, y.begin(at.row, at.col), [=](Vec v) { return alpha * v; }, from);
      y.end(at.row, at.col, at.n);
    };
  });
}

void fill(const LaunchContext& ctx, const FillArgs& args) {
  Grid(args.y).run(ctx, [&] {
    return [&args, y = Writer(args.y)](const Segment& at) mutable {
      fill_with(at.n, y.begin(at.row, at.col), args.value);
      y.end(at.row, at.col, at.n);
    };
  });
}

void scale_rows_forward(const LaunchContext& ctx, const ScaleRowsForwardArgs& args) {
  Grid::by_rows(args.y).run(ctx, [&] {
    return [x = Reader(args.x), w = Reader(args.w), y = Writer(args.y)](const Segment& at) mutable {
      const Vec weight = set(w.element(at.row, 0));
      const float* from = x.read(at.row, at.col, at.n);
      map(at.n, y.begin(at.row, at.col), [=](Vec v) { return weight * v; }, from);
      y.end(at.row, at.col, at.n);
    };
  });
}

void scale_rows_backward_row(std::int64_t row, std::int64_t cols, Reader& x, Reader& w, Reader& dy,
                             Writer& dx, Writer& dw) {
  const Vec weight = set(dx.present() ? w.element(row, 0) : 0);
  double dot = 0;
  for_row_segments(cols, [&](std::int64_t col, std::int64_t n) {
    const float* upstream = dy.read(row, col, n);
    if (dw.present()) dot += static_cast<double>(sum(n, times, upstream, x.read(row, col, n)));
    if (!dx.present()) return;
    map(n, dx.begin(row, col), [=](Vec u) { return weight * u; }, upstream);
    dx.end(row, col, n);
  });
  if (dw.present()) dw.put(row, 0, static_cast<float>(dot));
}

void scale_rows_backward(const LaunchContext& ctx, const ScaleRowsBackwardArgs& args) {
  for_row_ranges(ctx, args.dy.rows, args.dy.cols, [&](std::int64_t begin, std::int64_t end) {
    Reader x(args.x), w(args.w), dy(args.dy);
    Writer dx(args.dx), dw(args.dw);
    for (std::int64_t row = begin; row < end; ++row) {
      scale_rows_backward_row(row, args.dy.cols, x, w, dy, dx, dw);
    }
  });
}

}  // namespace

void fill_pointwise(KernelTable& table) {
  table.multiply_forward = multiply_forward;
  table.multiply_backward = multiply_backward;
  table.add_forward = add_forward;
  table.copy = copy;
  table.fill = fill;
  table.scale_rows_forward = scale_rows_forward;
  table.scale_rows_backward = scale_rows_backward;
}

}  // namespace ffn::inline v0::kernels::cpu::FFN_ISA_NAMESPACE
