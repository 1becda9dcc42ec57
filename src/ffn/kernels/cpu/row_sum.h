// Sums over rows: the gradient of a bias, or of anything repeated along rows.
#pragma once

#include <type_traits>

#include "ffn/kernels/cpu/product_pack.h"

namespace ffn::inline v0::kernels::cpu::FFN_ISA_NAMESPACE {
namespace {

// Rows summed in a register before they join the total: the error grows with kRun + rows/kRun
// instead of with rows.
constexpr std::int64_t kRun = 64;
// Columns, in vectors, that pass together: a quarter of a cache line's worth of streams per row.
constexpr int kSumVectors = 4;
// Elements worth a thread of their own, about 4 µs.
constexpr std::int64_t kEnoughElements = std::int64_t{1} << 15;

// y[period_row, col …] for Vectors vectors, the last of them `last` lanes wide.
template <class Rows, class Out, int Vectors>
void sum_columns(const RowSumArgs& args, const Rows& x, std::int64_t period_row, std::int64_t col,
                 std::int64_t last) {
  const std::int64_t period = args.y.rows;
  Vec total[Vectors];
#pragma GCC unroll 4
  for (int j = 0; j < Vectors; ++j) total[j] = zero();
  for (std::int64_t row = period_row; row < args.x.rows;) {
    Vec run[Vectors];
#pragma GCC unroll 4
    for (int j = 0; j < Vectors; ++j) run[j] = zero();
    for (std::int64_t i = 0; i < kRun && row < args.x.rows; ++i, row += period) {
      const auto* from = x.row(row);
#pragma GCC unroll 4
      for (int j = 0; j < Vectors; ++j) {
        const std::int64_t at = col + j * kLanes;
        const bool partial = j == Vectors - 1 && last < kLanes;
        run[j] = run[j] + (partial ? Rows::read_n(from, at, last) : Rows::read(from, at));
      }
    }
#pragma GCC unroll 4
    for (int j = 0; j < Vectors; ++j) total[j] = total[j] + run[j];
  }
  Out* y = static_cast<Out*>(args.y.data) + period_row * args.y.ld + col;
#pragma GCC unroll 4
  for (int j = 0; j < Vectors; ++j) {
    const std::int64_t lanes = j == Vectors - 1 ? last : kLanes;
    Out* at = y + j * kLanes;
    store_n(at, args.accumulate ? total[j] + load_n(at, lanes) : total[j], lanes);
  }
}

template <class Rows, class Out>
void sum_rows(const RowSumArgs& args, const Rows& x, Range columns) {
  constexpr std::int64_t kWide = kSumVectors * kLanes;
  for (std::int64_t r = 0; r < args.y.rows; ++r) {
    std::int64_t col = columns.begin;
    for (; col + kWide <= columns.end; col += kWide) {
      sum_columns<Rows, Out, kSumVectors>(args, x, r, col, kLanes);
    }
    for (; col < columns.end; col += kLanes) {
      sum_columns<Rows, Out, 1>(args, x, r, col, least(kLanes, columns.end - col));
    }
  }
}

inline void sum_rows(const RowSumArgs& args, Range columns) {
  FFN_ASSERT(args.y.dtype == DType::f32 || args.y.dtype == DType::bf16);
  with_rows(args.x, [&](const auto& rows) {
    using Rows = std::remove_cvref_t<decltype(rows)>;
    if (args.y.dtype == DType::bf16) {
      sum_rows<Rows, Bf16>(args, rows, columns);
    } else {
      sum_rows<Rows, float>(args, rows, columns);
    }
  });
}

// body(columns) on several threads. They split columns only, so every element is summed in one
// order.
template <class Args, class Body>
void for_summed_columns(const LaunchContext& ctx, const Args& args, const Body& body) {
  const std::int64_t enough = kEnoughElements / most(args.x.rows, 1);
  for_ranges(ctx, args.y.cols, kSumVectors * kLanes, most(enough, 1),
             [&](std::int64_t begin, std::int64_t end) { body(Range{begin, end}); });
}

inline void row_sum(const LaunchContext& ctx, const RowSumArgs& args) {
  FFN_ASSERT(args.y.rows == 0 || args.x.rows % args.y.rows == 0);
  for_summed_columns(ctx, args, [&](Range columns) { sum_rows(args, columns); });
}

inline void grouped_row_sum(const LaunchContext& ctx, const GroupedRowSumArgs& args) {
  const std::int64_t E = args.y.rows;
  FFN_ASSERT(args.offsets[0] == 0 && args.offsets[E] == args.x.rows);
  for_summed_columns(ctx, args, [&](Range columns) {
    for (std::int64_t e = 0; e < E; ++e) {
      const std::int64_t first = args.offsets[e], rows = args.offsets[e + 1] - first;
      sum_rows({rows_of(args.x, first, rows), rows_of(args.y, e, 1), args.accumulate}, columns);
    }
  });
}

}  // namespace
}  // namespace ffn::inline v0::kernels::cpu::FFN_ISA_NAMESPACE
