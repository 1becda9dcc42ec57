// Rows gathered and scattered by index.
#include "ffn/kernels/indexing.h"

#include "ffn/kernels/cpu/stream.h"
#include "ffn/kernels/table.h"

namespace ffn::inline v0::kernels::cpu::FFN_ISA_NAMESPACE {
void fill_indexing(KernelTable& table);

namespace {

void gather_rows(const LaunchContext& ctx, const GatherRowsArgs& args) {
  FFN_ASSERT(args.x.cols == args.y.cols);
  const bool exact = !args.accumulate && args.x.dtype == args.y.dtype;
  Grid::by_rows(args.y).run(ctx, [&] {
    return [&args, exact, x = Reader(args.x),
            y = Writer(args.y, args.accumulate)](const Segment& at) mutable {
      const std::int64_t source = args.index[at.row];
      FFN_ASSERT(source >= -1 && source < args.x.rows);
      if (source < 0) {
        if (args.accumulate) return;
        fill_with(at.n, y.begin(at.row, at.col), 0);
      } else if (exact) {
        return copy_elements(args.x, source, args.y, at.row, at.col, at.n);
      } else {
        const float* from = x.read(source, at.col, at.n);
        map(at.n, y.begin(at.row, at.col), [](Vec v) { return v; }, from);
      }
      y.end(at.row, at.col, at.n);
    };
  });
}

// f32 sums of a narrower y, [rows, cols].
std::int64_t scatter_add_rows_workspace(std::int64_t rows, std::int64_t cols, DType y) {
  return y == DType::f32 ? 0 : rows * cols * 4;
}

// Columns [col, col + n) of all rows.
void scatter_columns(const ScatterAddRowsArgs& args, const Matrix& sums, std::int64_t col,
                     std::int64_t n) {
  const auto plus = [](Vec a, Vec b) { return a + b; };
  const auto same = [](Vec v) { return v; };
  const bool narrow = args.y.dtype != DType::f32;
  const auto sums_of = [&](std::int64_t row) {
    return static_cast<float*>(sums.data) + row * sums.ld + col;
  };
  Reader x(args.x), old(args.y);
  for (std::int64_t row = 0; row < args.y.rows; ++row) {
    if (!args.accumulate) {
      fill_with(n, sums_of(row), 0);
    } else if (narrow) {
      map(n, sums_of(row), same, old.read(row, col, n));
    }
  }
  for (std::int64_t row = 0; row < args.x.rows; ++row) {
    const std::int64_t target = args.index[row];
    FFN_ASSERT(target >= -1 && target < args.y.rows);
    if (target < 0) continue;
    float* to = sums_of(target);
    map(n, to, plus, static_cast<const float*>(to), x.read(row, col, n));
  }
  if (!narrow) return;
  Writer y(args.y);
  for (std::int64_t row = 0; row < args.y.rows; ++row) {
    map(n, y.begin(row, col), same, static_cast<const float*>(sums_of(row)));
    y.end(row, col, n);
  }
}

void scatter_add_rows(const LaunchContext& ctx, const ScatterAddRowsArgs& args) {
  FFN_ASSERT(args.x.cols == args.y.cols);
  const std::int64_t rows = args.y.rows, cols = args.y.cols;
  FFN_ASSERT(ctx.workspace_bytes >= scatter_add_rows_workspace(rows, cols, args.y.dtype));
  Matrix sums = args.y;
  if (args.y.dtype != DType::f32) sums = {ctx.workspace, DType::f32, rows, cols, cols};
  // Cut at 32 columns, a cache line of bf16: no two threads write to one line.
  const std::int64_t enough = most(1, kGrain / most(1, args.x.rows + rows));
  for_ranges(ctx, cols, 32, enough, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t col = begin; col < end; col += kSegment) {
      scatter_columns(args, sums, col, least(kSegment, end - col));
    }
  });
}

}  // namespace

void fill_indexing(KernelTable& table) {
  table.gather_rows = gather_rows;
  table.scatter_add_rows = scatter_add_rows;
  table.scatter_add_rows_workspace = scatter_add_rows_workspace;
}

}  // namespace ffn::inline v0::kernels::cpu::FFN_ISA_NAMESPACE
