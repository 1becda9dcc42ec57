// One product from end to end: workspace, packing, and the split over threads.
#pragma once

#include "ffn/kernels/cpu/product_few_rows.h"

namespace ffn::inline v0::kernels::cpu::FFN_ISA_NAMESPACE {
namespace {

// Multiply-adds that are worth a thread of their own: about 4 µs, twice the cost of waking one.
constexpr std::int64_t kEnoughWork = std::int64_t{1} << 17;
// A thread keeps at least this many tiles of rows before columns are split too: each packed panel
// of B it reads from L2 or L3 then serves that many tiles.
constexpr std::int64_t kRowTilesPerPart = 8;

// Pairs of rows of B have no path without packing: few rows would add up in another order.
inline bool has_few_rows(ProductForm form, Word word, std::int64_t M) {
  return M <= kFewRows && (form == ProductForm::nt || word == Word::f32);
}

// Workspace in words, in this order: bias · converted A of few rows | packed B · per thread: A,
// sums.
struct Layout {
  std::int64_t bias, shared, per_thread;
  ScratchFloats scratch;
};
inline Layout plan_layout(const ProductShape& shape) {
  Layout layout{round_up(round_up(shape.n, kPanel), 16), 0, 0, {0, 0}};
  const Word word = word_of(shape.a, shape.b);
  const PackedExtent extent =
      packed_extent(shape.c, word, shape.n, shape.k, piece_or_default(shape.piece, shape.k));
  layout.scratch = scratch_floats(shape, extent.columns);
  layout.per_thread = layout.scratch.a + layout.scratch.sums;
  layout.shared = round_up(words_of(word, extent.depth) * extent.columns, 16);
  return layout;
}

inline std::int64_t product_workspace(const ProductShape& shape, int threads) {
  if (shape.m <= 0 || shape.n <= 0) return 0;
  const Layout layout = plan_layout(shape);
  // The same shape may come with packed B, so few rows reserve what the tiles need without packing.
  const std::int64_t tiles = threads * layout.per_thread;
  if (has_few_rows(shape.form, word_of(shape.a, shape.b), shape.m)) {
    return (layout.bias + most(few_rows_floats(shape), tiles)) * kFloatBytes;
  }
  return (layout.bias + layout.shared + tiles) * kFloatBytes;
}

// bias as f32, zero-padded to whole panels.
inline const float* widen_bias(const ConstMatrix& bias, std::int64_t N, float* buffer) {
  if (bias.data == nullptr) return nullptr;
  FFN_ASSERT(bias.cols == N && (bias.dtype == DType::f32 || bias.dtype == DType::bf16));
  for (std::int64_t j = 0; j < round_up(N, kPanel); j += kLanes) {
    const std::int64_t n = most(least(kLanes, N - j), 0);
    if (n == 0) {
      store(buffer + j, zero());
    } else if (bias.dtype == DType::bf16) {
      store(buffer + j, load_n(static_cast<const Bf16*>(bias.data) + j, n));
    } else {
      store(buffer + j, load_n(static_cast<const float*>(bias.data) + j, n));
    }
  }
  return buffer;
}

// Packs columns × k of B, panel by panel and piece by piece, with all threads.
inline void pack_extent(const LaunchContext& ctx, Word word, ProductForm form, const ConstMatrix& b,
                        Range columns, Range k, float* packed) {
  const std::int64_t panels = (columns.end - columns.begin + kPanel - 1) / kPanel;
  const std::int64_t depth = k.end - k.begin, pieces = (depth + kMaxDepth - 1) / kMaxDepth;
  const std::int64_t unit_work = kPanel * most(least(depth, kMaxDepth), 1);
  for_ranges(ctx, panels * pieces, 1, most(kEnoughWork / 4 / unit_work, 1),
             [&](std::int64_t begin, std::int64_t end) {
               for (std::int64_t unit = begin; unit < end; ++unit) {
                 const std::int64_t panel = unit / pieces, piece = unit % pieces;
                 const std::int64_t n = columns.begin + panel * kPanel;
                 const Range part{k.begin + piece * kMaxDepth,
                                  least(k.begin + (piece + 1) * kMaxDepth, k.end)};
                 const std::int64_t before =
                     panel * words_of(word, depth) + words_of(word, piece * kMaxDepth);
                 pack_panel(word, form, b, n, least(kPanel, columns.end - n), part,
                            packed + before * kPanel);
               }
             });
}

// How C is cut for the threads of one product: into `down` ranges of rows, each `across` of
// columns.
struct Cut {
  std::int64_t down, across;
};
inline Cut plan_cut(const LaunchContext& ctx, const Problem& problem, Range columns,
                    std::int64_t depth) {
  const std::int64_t width = columns.end - columns.begin;
  const std::int64_t work = problem.M * width * most(depth, 1);
  const std::int64_t threads = most(least(thread_count(ctx), work / kEnoughWork), 1);
  const std::int64_t tiles = ceil_div(problem.M, kTileRows), panels = ceil_div(width, kPanel);
  const std::int64_t down = most(least(threads, tiles / kRowTilesPerPart), 1);
  return {down, most(least(threads / down, panels), 1)};
}

// C's rows × columns; b may be unpacked still where no columns are in two parts.
inline void multiply_extent(const LaunchContext& ctx, const Problem& problem, const PackedB& b,
                            Range columns, Range k, Cut cut, const Layout& layout, float* scratch) {
  FFN_ASSERT(b.source == nullptr || cut.down == 1);
  const std::int64_t width = columns.end - columns.begin;
  for_parts(ctx, cut.down * cut.across, [&](std::int64_t part) {
    const Range m = split(problem.M, kTileRows, cut.down, part / cut.across);
    const Range n = split(width, kPanel, cut.across, part % cut.across);
    if (m.begin >= m.end || n.begin >= n.end) return;
    float* own = scratch + part * layout.per_thread;
    multiply_range(problem, b, m, {columns.begin + n.begin, columns.begin + n.end}, k,
                   {own, own + layout.scratch.a});
  });
}

inline void multiply_packing(const LaunchContext& ctx, const Problem& problem, const ConstMatrix& b,
                             const Layout& layout, float* shared) {
  const PackedExtent extent =
      packed_extent(problem.c.dtype, problem.word, problem.N, problem.K, problem.piece);
  for (std::int64_t n = 0; n < problem.N; n += extent.columns) {
    const Range columns{n, least(n + extent.columns, problem.N)};
    std::int64_t at = 0;
    do {
      const Range k{at, least(at + extent.depth, problem.K)};
      const Cut cut = plan_cut(ctx, problem, columns, k.end - k.begin);
      PackedB packed{shared, words_of(problem.word, k.end - k.begin) * kPanel, n, k.begin,
                     problem.word};
      if (cut.down == 1) {
        packed.source = &b;
        packed.room = shared;
      } else {
        pack_extent(ctx, problem.word, problem.form, b, columns, k, shared);
      }
      multiply_extent(ctx, problem, packed, columns, k, cut, layout, shared + layout.shared);
      at += extent.depth;
    } while (at < problem.K);
  }
}

// Prepared panels: the whole depth at once, but columns in the same strips, so that a strip of B
// stays in L3 while the rows pass.
inline void multiply_prepared(const LaunchContext& ctx, const Problem& problem, const float* packed,
                              const Layout& layout, float* scratch) {
  const PackedExtent extent =
      packed_extent(problem.c.dtype, problem.word, problem.N, problem.K, problem.piece);
  const PackedB b{packed, words_of(problem.word, problem.K) * kPanel, 0, 0, problem.word};
  for (std::int64_t n = 0; n < problem.N; n += extent.columns) {
    const Range columns{n, least(n + extent.columns, problem.N)};
    const Cut cut = plan_cut(ctx, problem, columns, problem.K);
    multiply_extent(ctx, problem, b, columns, {0, problem.K}, cut, layout, scratch);
  }
}

inline bool shapes_agree(const ProductArgs& args, const Problem& problem) {
  const bool nt = args.form == ProductForm::nt, tn = args.form == ProductForm::tn;
  return (tn ? args.a.cols : args.a.rows) == problem.M &&
         (nt ? args.b.cols : args.b.rows) == problem.K &&
         (nt ? args.b.rows : args.b.cols) == problem.N;
}

inline void product(const LaunchContext& ctx, const ProductArgs& args) {
  const bool tn = args.form == ProductForm::tn;
  const std::int64_t K = tn ? args.a.rows : args.a.cols;
  Problem problem{args.form,
                  args.a,
                  args.c,
                  args.c.rows,
                  args.c.cols,
                  K,
                  piece_or_default(args.piece, K),
                  nullptr,
                  args.accumulate,
                  word_of(args.a.dtype, args.b.dtype)};
  FFN_ASSERT(shapes_agree(args, problem));
  FFN_ASSERT(args.c.dtype == DType::f32 || args.c.dtype == DType::bf16);
  if (problem.M <= 0 || problem.N <= 0) return;
  const bool packed = args.packed_b != nullptr;
  const ProductShape shape{args.form,    problem.M,    problem.N,    problem.K,
                           args.a.dtype, args.b.dtype, args.c.dtype, args.piece};
  FFN_ASSERT(ctx.workspace_bytes >= product_workspace(shape, thread_count(ctx)));
  const Layout layout = plan_layout(shape);
  void* workspace = ctx.workspace;
  float* buffer = static_cast<float*>(workspace);
  problem.bias = widen_bias(args.bias, problem.N, buffer);
  float* rest = buffer + layout.bias;
  if (!packed && has_few_rows(problem.form, problem.word, problem.M)) {
    const FewRowsA a = few_rows_a(problem, rest);
    const std::int64_t column_work = problem.M * most(problem.K, 1);
    for_ranges(ctx, problem.N, kPanel, most(kEnoughWork / column_work, 1),
               [&](std::int64_t begin, std::int64_t end) {
                 multiply_few_rows(problem, args.b, a, {begin, end});
               });
  } else if (packed) {
    multiply_prepared(ctx, problem, static_cast<const float*>(args.packed_b), layout, rest);
  } else {
    multiply_packing(ctx, problem, args.b, layout, rest);
  }
}

inline std::int64_t packed_b_bytes(ProductForm form, const ConstMatrix& b, DType a) {
  const std::int64_t N = form == ProductForm::nt ? b.rows : b.cols;
  const std::int64_t K = form == ProductForm::nt ? b.cols : b.rows;
  return round_up(N, kPanel) * words_of(word_of(a, b.dtype), K) * kFloatBytes;
}

inline void pack_b(const LaunchContext& ctx, const PackArgs& args) {
  FFN_ASSERT(args.form != ProductForm::tn && args.begin % kPanel == 0);
  const std::int64_t K = args.form == ProductForm::nt ? args.b.cols : args.b.rows;
  const Word word = word_of(args.a, args.b.dtype);
  float* packed = static_cast<float*>(args.packed) + args.begin * words_of(word, K);
  pack_extent(ctx, word, args.form, args.b, {args.begin, args.end}, {0, K}, packed);
}

}  // namespace
}  // namespace ffn::inline v0::kernels::cpu::FFN_ISA_NAMESPACE
