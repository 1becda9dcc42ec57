// Rows moved by index.
#include <algorithm>

#include "ffn/base/faults.h"
#include "ffn/kernels/reference/access.h"
#include "ffn/kernels/reference/families.h"

namespace ffn::inline v0::kernels::reference {
namespace {

void gather_rows(const LaunchContext&, const GatherRowsArgs& args) {
  FFN_ASSERT(args.x.cols == args.y.cols);
  with_compute_type({args.x.dtype, args.y.dtype}, [&]<class T>() {
    const Input<T> x(args.x);
    const Output<T> y(args.y, args.accumulate);
    for (std::int64_t row = 0; row < args.y.rows; ++row) {
      const std::int32_t source = args.index[row];
      FFN_ASSERT(source >= -1 && source < args.x.rows);
      for (std::int64_t col = 0; col < args.y.cols; ++col) {
        y.put(row, col, source >= 0 ? x(source, col) : T(0));
      }
    }
  });
}

// One row of sums, so that every row of y is rounded once. Complex is the widest compute type.
std::int64_t scatter_add_rows_workspace(std::int64_t, std::int64_t cols, DType) {
  return cols * static_cast<std::int64_t>(sizeof(Complex));
}

void scatter_add_rows(const LaunchContext& ctx, const ScatterAddRowsArgs& args) {
  FFN_ASSERT(args.x.cols == args.y.cols);
  FFN_ASSERT(ctx.workspace_bytes >=
             scatter_add_rows_workspace(args.y.rows, args.y.cols, args.y.dtype));
  with_compute_type({args.x.dtype, args.y.dtype}, [&]<class T>() {
    const Input<T> x(args.x);
    const Output<T> y(args.y, args.accumulate);
    const std::int64_t cols = args.y.cols;
    T* sums = reinterpret_cast<T*>(ctx.workspace);
    for (std::int64_t target = 0; target < args.y.rows; ++target) {
      std::fill_n(sums, cols, T(0));
      for (std::int64_t row = 0; row < args.x.rows; ++row) {
        if (args.index[row] != target) continue;
        if (fault(21)) std::fill_n(sums, cols, T(0));
        for (std::int64_t col = 0; col < cols; ++col) sums[col] += x(row, col);
      }
      for (std::int64_t col = 0; col < cols; ++col) y.put(target, col, sums[col]);
    }
  });
}

}  // namespace

void add_indexing_kernels(KernelTable& table) {
  table.gather_rows = gather_rows;
  table.scatter_add_rows = scatter_add_rows;
  table.scatter_add_rows_workspace = scatter_add_rows_workspace;
}

}  // namespace ffn::inline v0::kernels::reference
