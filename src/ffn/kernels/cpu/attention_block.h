// The pieces of attention: which rows and keys belong together, how heads are copied into f32
// panels, and products of small blocks over the tiles of product_tile.h.
//
// The query heads that share a key head are one list of rows, row r = query r / group of head r mod
// group. A block is kBlockQueries rows of that list; its scores against all keys stay in the
// workspace, so one softmax pass sees a whole row and nothing has to be rescaled.
#pragma once

#include "ffn/kernels/attention.h"
#include "ffn/kernels/cpu/product_pack.h"
#include "ffn/kernels/cpu/stream.h"
#include "ffn/kernels/cpu/vec_math.h"

namespace ffn::inline v0::kernels::cpu::FFN_ISA_NAMESPACE {
namespace {

// A multiple of kTileRows (4 or 6): with W = 64 and 200 keys, 24 rows of q, scores and result are
// 32 KiB.
constexpr std::int64_t kBlockQueries = 24;
// Keys per piece of a sum over keys: their panel of V, 16 KiB on AVX2, stays in L1 for all rows.
constexpr std::int64_t kKeyPiece = 256;

// The rows of one sequence.
struct Sequence {
  std::int64_t first_query, queries, first_key, keys;
};
template <class Args>
Sequence find_sequence(const Args& args, std::int64_t s) {
  if (args.offsets != nullptr) {
    const std::int64_t first = args.offsets[s], rows = args.offsets[s + 1] - first;
    return {first, rows, first, rows};
  }
  const std::int64_t queries = args.q.rows / args.sequences, keys = args.k.rows / args.sequences;
  return {s * queries, queries, s * keys, keys};
}

// The keys that a query sees; begin and end never fall as the query rises.
inline Range visible_keys(const AttentionRule& rule, const Sequence& at, std::int64_t query) {
  const std::int64_t position = query + at.keys - at.queries;
  std::int64_t begin = 0, end = at.keys;
  if (rule.causal) end = least(end, position + 1);
  if (rule.window > 0) {
    begin = most(begin, position - rule.window + 1);
    if (!rule.causal) end = least(end, position + rule.window);
  }
  return {begin, most(begin, end)};
}

// One key head of one sequence with its query heads, and `rows` of their list from `first` on.
struct Block {
  Sequence at;
  std::int64_t key_head, group, width;
  std::int64_t first, rows;

  std::int64_t list_rows() const { return at.queries * group; }
  std::int64_t blocks() const { return ceil_div(list_rows(), kBlockQueries); }
  std::int64_t query(std::int64_t r) const { return (first + r) / group; }
  std::int64_t row(std::int64_t r) const { return at.first_query + query(r); }
  std::int64_t head(std::int64_t r) const { return key_head * group + (first + r) % group; }
  Block part(std::int64_t block) const {
    Block cut = *this;
    cut.first = block * kBlockQueries;
    cut.rows = least(kBlockQueries, list_rows() - cut.first);
    return cut;
  }
  // The keys that any of the rows sees; empty when begin ≥ end.
  Range keys(const AttentionRule& rule) const {
    return {visible_keys(rule, at, query(0)).begin, visible_keys(rule, at, query(rows - 1)).end};
  }
};
template <class Args>
Block whole_head(const Args& args, std::int64_t s, std::int64_t key_head) {
  const AttentionRule& rule = args.rule;
  return {find_sequence(args, s),   key_head, rule.heads / rule.kv_heads,
          args.q.cols / rule.heads, 0,        0};
}

// The keys of one head as a matrix [keys, W] of k or v; without keys there may be no data.
inline ConstMatrix head_rows(const ConstMatrix& of, const Block& block) {
  const std::int64_t bytes = of.dtype == DType::f32 ? 4 : 2;
  const std::int64_t offset = block.at.first_key * of.ld + block.key_head * block.width;
  const auto* data = static_cast<const std::byte*>(of.data);
  if (block.at.keys > 0) data += offset * bytes;
  return {data, of.dtype, block.at.keys, block.width, of.ld};
}

// Panels of B for the tiles, `step` floats apart; nn: B = rows as they stand [K, N], nt: B = rowsᵀ.
struct Panels {
  const float* data;
  std::int64_t step;
};
inline Panels make_panels(ProductForm form, const ConstMatrix& rows, float* to) {
  const bool nt = form == ProductForm::nt;
  const std::int64_t columns = nt ? rows.rows : rows.cols, depth = nt ? rows.cols : rows.rows;
  const std::int64_t step = depth * kPanel;
  for (std::int64_t n = 0; n < columns; n += kPanel) {
    pack_panel(Word::f32, form, rows, n, least(kPanel, columns - n), {0, depth},
               to + n / kPanel * step);
  }
  return {to, step};
}
inline std::int64_t panel_floats(std::int64_t columns, std::int64_t depth) {
  return round_up(round_up(columns, kPanel) * depth, 16);
}

// out [rows, columns] = a·B or, with add, += a·B. Columns count in whole vectors: up to kLanes − 1
// beyond `columns` are written as well.
struct BlockProduct {
  TileForm form;
  const float* a;
  std::int64_t a_ld;
  std::int64_t rows, columns, depth;
  Panels b;
  float* out;
  std::int64_t ld;
  bool add;
};
inline void multiply_block(const BlockProduct& p) {
  for (std::int64_t n = 0; n < p.columns; n += kPanel) {
    const std::int64_t columns = round_up(least(kPanel, p.columns - n), kLanes);
    for (std::int64_t i = 0; i < p.rows; i += kTileRows) {
      Tile tile{};
      tile.a = p.form == TileForm::rows ? p.a + i * p.a_ld : p.a + i;
      tile.a_ld = p.a_ld;
      tile.b = p.b.data + n / kPanel * p.b.step;
      tile.k = p.depth;
      tile.out = p.out + i * p.ld + n;
      tile.ld = p.ld;
      tile.init = p.add ? tile.out : nullptr;
      run_tile(tile, least(kTileRows, p.rows - i), columns, p.form);
    }
  }
}

// to [rows, ld] = alpha·(the block's rows of `from`).
inline void load_block(const ConstMatrix& from, const Block& block, float alpha, float* to,
                       std::int64_t ld) {
  Reader reader(from);
  const Vec factor = set(alpha);
  for (std::int64_t r = 0; r < block.rows; ++r) {
    for_row_segments(block.width, [&](std::int64_t col, std::int64_t n) {
      const float* row = reader.read(block.row(r), block.head(r) * block.width + col, n);
      map(n, to + r * ld + col, [=](Vec x) { return factor * x; }, row);
    });
  }
}
// W columns from `col` on of one row of `to` (+)= alpha·from.
inline void store_row(Writer& to, std::int64_t row, std::int64_t col, std::int64_t width,
                      float alpha, const float* from) {
  const Vec factor = set(alpha);
  for_row_segments(width, [&](std::int64_t at, std::int64_t n) {
    map(n, to.begin(row, col + at), [=](Vec x) { return factor * x; }, from + at);
    to.end(row, col + at, n);
  });
}

// scores [rows, ld] of the keys [keys.begin, keys.end): scale is in q already.
inline void block_scores(const float* q, std::int64_t q_ld, const Block& block, Range keys,
                         const Panels& k, float* scores, std::int64_t ld) {
  const std::int64_t panel = keys.begin / kPanel, begin = panel * kPanel;
  multiply_block({TileForm::rows,
                  q,
                  q_ld,
                  block.rows,
                  keys.end - begin,
                  block.width,
                  {k.data + panel * k.step, k.step},
                  scores + begin,
                  ld,
                  false});
}
// out [rows, out_ld] = Σ over keys of weights [rows, ld]·panels [keys, W].
inline void sum_over_keys(const float* weights, std::int64_t ld, const Block& block, Range keys,
                          const Panels& values, float* out, std::int64_t out_ld) {
  for (std::int64_t j = keys.begin; j < keys.end; j += kKeyPiece) {
    const std::int64_t depth = least(kKeyPiece, keys.end - j);
    multiply_block({TileForm::rows,
                    weights + j,
                    ld,
                    block.rows,
                    block.width,
                    depth,
                    {values.data + j * kPanel, values.step},
                    out,
                    out_ld,
                    j > keys.begin});
  }
}

inline void cap_scores(float cap, float* scores, std::int64_t n) {
  const Vec limit = set(cap), inverse = set(1 / cap);
  const float* from = scores;
  map(n, scores, [=](Vec s) { return limit * tanh(s * inverse); }, from);
}
// scores = exp(scores − max), and their sum: two chains of vectors per segment, segments in double.
inline double exponentials(float max, float* scores, std::int64_t n) {
  const Vec top = set(max);
  double total = 0;
  for_row_segments(n, [&](std::int64_t begin, std::int64_t count) {
    float* at = scores + begin;
    Vec chain[2] = {zero(), zero()};
    std::int64_t i = 0;
    for (; i + 2 * kLanes <= count; i += 2 * kLanes) {
      const Vec a = exp_flushed(load(at + i) - top), b = exp_flushed(load(at + i + kLanes) - top);
      store(at + i, a);
      store(at + i + kLanes, b);
      chain[0] = chain[0] + a;
      chain[1] = chain[1] + b;
    }
    for (; i < count; i += kLanes) {
      const int lanes = static_cast<int>(least(kLanes, count - i));
      const Vec a = keep_lanes(exp_flushed(load_n(at + i, lanes) - top), lanes, 0);
      store_n(at + i, a, lanes);
      chain[0] = chain[0] + a;
    }
    total += static_cast<double>(reduce_add(chain[0] + chain[1]));
  });
  return total;
}
// Zeroes what of [all.begin, all.end) a row does not see.
inline void hide(Range all, Range visible, float* row) {
  const std::int64_t begin = least(visible.begin, all.end);
  if (begin > all.begin) fill_with(begin - all.begin, row + all.begin, 0);
  const std::int64_t end = most(visible.end, begin);
  if (all.end > end) fill_with(all.end - end, row + end, 0);
}

// Cuts a workspace of floats into pieces of whole cache lines.
class Pieces {
 public:
  explicit Pieces(float* at) : at_(at) {}
  float* take(std::int64_t floats) {
    float* piece = at_;
    at_ += round_up(floats, 16);
    return piece;
  }

 private:
  float* at_;
};

// Tasks in contiguous ranges, one per thread, each with `floats` of the workspace of its own:
// body(range, workspace).
inline std::int64_t task_parts(std::int64_t tasks, int threads) {
  return most(1, least(tasks, threads));
}
template <class Body>
void for_tasks(const LaunchContext& ctx, std::int64_t tasks, std::int64_t floats,
               const Body& body) {
  const std::int64_t parts = task_parts(tasks, thread_count(ctx));
  FFN_ASSERT(ctx.workspace_bytes >= parts * floats * 4);
  void* workspace = ctx.workspace;
  for_parts(ctx, parts, [&](std::int64_t part) {
    const Range range = split(tasks, 1, parts, part);
    if (range.begin < range.end) body(range, static_cast<float*>(workspace) + part * floats);
  });
}

}  // namespace
}  // namespace ffn::inline v0::kernels::cpu::FFN_ISA_NAMESPACE
