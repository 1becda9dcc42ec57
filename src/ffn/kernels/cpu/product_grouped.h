// One product per expert over ragged rows. Work is cut into (expert, strip of columns): a strip
// packs its own part of B, so nothing is shared between threads and an expert without rows costs
// nothing.
#pragma once

#include "ffn/kernels/cpu/product_plan.h"

namespace ffn::inline v0::kernels::cpu::FFN_ISA_NAMESPACE {
namespace {

// Columns of a strip, whole panels. Wide enough to use prepared A well, narrow enough that few
// experts still occupy all threads.
constexpr std::int64_t kStripColumns = 256 / kPanel * kPanel;

// What one thread needs to work on a strip of any expert, in words: packed B and the scratch of
// tiles, or A of few rows; behind them an expert's bias.
struct StripLayout {
  std::int64_t columns, packed, bias_at, total;
  ScratchFloats scratch;
};
inline StripLayout strip_layout(const ProductShape& shape) {
  StripLayout layout{};
  const Word word = word_of(shape.a, shape.b);
  layout.columns =
      least(packed_extent(shape.c, word, shape.n, shape.k, product_piece(shape.k)).columns,
            kStripColumns);
  const std::int64_t depth = shape.c == DType::bf16 ? shape.k : least(shape.k, kPackedDepth);
  layout.packed = layout.columns * words_of(word, depth);
  layout.scratch = scratch_floats(shape, layout.columns);
  const std::int64_t tiles = layout.packed + layout.scratch.a + layout.scratch.sums;
  ProductShape few = shape;
  if (shape.form != ProductForm::tn) few.m = least(shape.m, kFewRows);
  const std::int64_t few_rows = few.m <= kFewRows ? few_rows_floats(few) : 0;
  layout.bias_at = round_up(most(tiles, few_rows), 16);
  const std::int64_t bias = shape.form == ProductForm::nt ? round_up(shape.n, kPanel) : 0;
  layout.total = layout.bias_at + round_up(bias, 16);
  return layout;
}

inline std::int64_t grouped_product_workspace(const ProductShape& shape, std::int64_t experts,
                                              int threads) {
  if (shape.m <= 0 || shape.n <= 0 || experts <= 0) return 0;
  return threads * strip_layout(shape).total * kFloatBytes;
}

inline Problem expert_problem(const GroupedProductArgs& args, std::int64_t e) {
  const std::int64_t first = args.offsets[e], rows = args.offsets[e + 1] - first;
  Problem problem{
      args.form,       rows_of(args.a, first, rows),       {}, 0, args.c.cols, 0, 0, nullptr,
      args.accumulate, word_of(args.a.dtype, args.b.dtype)};
  if (args.form == ProductForm::tn) {
    problem.M = args.c.rows / args.experts;
    problem.K = rows;
    problem.c = rows_of(args.c, e * problem.M, problem.M);
  } else {
    problem.M = rows;
    problem.K = args.a.cols;
    problem.c = rows_of(args.c, first, rows);
  }
  problem.piece = product_piece(problem.K);
  return problem;
}

// The bias of an expert in the given columns (cut at panels) as f32, zero-padded to whole panels.
// `buffer` belongs to column 0.
inline const float* strip_bias(const ConstMatrix& bias, std::int64_t e, Range columns,
                               float* buffer) {
  if (bias.data == nullptr) return nullptr;
  const std::int64_t expert = fault(92) && e > 0 ? e - 1 : e;
  ConstMatrix strip = rows_of(bias, expert, 1);
  const std::int64_t bytes = bias.dtype == DType::bf16 ? 2 : kFloatBytes;
  strip.data = static_cast<const std::byte*>(strip.data) + columns.begin * bytes;
  strip.cols = columns.end - columns.begin;
  widen_bias(strip, strip.cols, buffer + columns.begin);
  return buffer;
}

// The given columns of one expert's product, on the calling thread.
inline void multiply_strip(const Problem& problem, const ConstMatrix& b, Range columns,
                           const StripLayout& layout, float* own) {
  if (has_few_rows(problem.form, problem.word, problem.M)) {
    multiply_few_rows(problem, b, few_rows_a(problem, own), columns);
    return;
  }
  const BlockScratch scratch{own + layout.packed, own + layout.packed + layout.scratch.a};
  const std::int64_t depth =
      packed_extent(problem.c.dtype, problem.word, problem.N, problem.K, problem.piece).depth;
  std::int64_t at = 0;
  do {
    const Range k{at, least(at + depth, problem.K)};
    const PackedB unpacked{own,
                           words_of(problem.word, k.end - k.begin) * kPanel,
                           columns.begin,
                           k.begin,
                           problem.word,
                           &b,
                           own};
    multiply_range(problem, unpacked, {0, problem.M}, columns, k, scratch);
    at += depth;
  } while (at < problem.K);
}

// Rows that packing a strip of B costs as much as.
constexpr std::int64_t kStripOverhead = 8;

inline void grouped_product(const LaunchContext& ctx, const GroupedProductArgs& args) {
  const bool tn = args.form == ProductForm::tn;
  const std::int64_t E = args.experts, N = args.c.cols;
  if (E <= 0 || N <= 0 || args.c.rows <= 0) return;
  FFN_ASSERT(args.offsets[0] == 0 && args.offsets[E] == args.a.rows);
  FFN_ASSERT(args.bias.data == nullptr || (args.form == ProductForm::nt && args.bias.rows == E &&
                                           args.bias.cols == args.c.cols));
  const ProductShape shape{args.form,
                           tn ? args.c.rows / E : args.a.rows,
                           N,
                           tn ? args.a.rows : args.a.cols,
                           args.a.dtype,
                           args.b.dtype,
                           args.c.dtype};
  FFN_ASSERT(ctx.workspace_bytes >= grouped_product_workspace(shape, E, thread_count(ctx)));
  const StripLayout layout = strip_layout(shape);
  const std::int64_t strips = (N + layout.columns - 1) / layout.columns;
  // Consecutive strips go to a thread until its share of all rows is reached.
  const std::int64_t all = strips * (args.a.rows + E * kStripOverhead);
  const std::int64_t row_work = (tn ? shape.m : most(shape.k, 1)) * layout.columns;
  const std::int64_t threads = most(least(thread_count(ctx), all * row_work / kEnoughWork), 1);
  void* workspace = ctx.workspace;
  for_parts(ctx, threads, [&](std::int64_t part) {
    float* own = static_cast<float*>(workspace) + part * layout.total;
    std::int64_t before = 0;
    for (std::int64_t e = 0; e < E; ++e) {
      const std::int64_t rows = args.offsets[e + 1] - args.offsets[e];
      const bool nothing = rows == 0 && (!tn || args.accumulate);
      for (std::int64_t s = 0; s < strips; ++s, before += rows + kStripOverhead) {
        if (nothing || before * threads / all != part) continue;
        const Range columns{s * layout.columns, least((s + 1) * layout.columns, N)};
        const ConstMatrix b = tn ? rows_of(args.b, args.offsets[e], rows)
                                 : rows_of(args.b, e * (args.b.rows / E), args.b.rows / E);
        Problem problem = expert_problem(args, e);
        problem.bias = strip_bias(args.bias, e, columns, own + layout.bias_at);
        multiply_strip(problem, b, columns, layout, own);
      }
    }
  });
}

}  // namespace
}  // namespace ffn::inline v0::kernels::cpu::FFN_ISA_NAMESPACE
