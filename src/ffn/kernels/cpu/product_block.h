// How a product is cut into blocks, and the loops over one block.
//
// The reduction is cut at multiples of its piece, a function of K alone or given by the caller;
// each piece is one fma chain per element, the pieces are added in rising order. Nothing else about
// the cuts changes a result, so they follow the number of threads freely.
#pragma once

#include "ffn/base/faults.h"
#include "ffn/kernels/cpu/product_pack.h"

namespace ffn::inline v0::kernels::cpu::FFN_ISA_NAMESPACE {
namespace {

// Longest piece of the reduction. A panel of B that deep is 16–24 KiB on AVX2 (half of a 32 KiB
// L1).
constexpr std::int64_t kMaxDepth = 384;
// Rows of A that are prepared together, at most: at kMaxDepth 198 KiB, a part of L2. Whole tiles of
// any instruction set.
constexpr std::int64_t kBlockRows = 132;
// Of blocks that so many rows are cut into, as equal as tiles allow.
inline std::int64_t block_rows(std::int64_t rows) {
  const std::int64_t blocks = most(ceil_div(rows, kBlockRows), 1);
  return round_up(most(ceil_div(rows, blocks), 1), kTileRows);
}
// Packed B lives in L3: at most this many words (4 MiB) at once, and this deep where C is f32.
constexpr std::int64_t kPackedWords = std::int64_t{1} << 20;
constexpr std::int64_t kPackedDepth = 2048;

// Pieces of equal depth, in multiples of 32 (quantised blocks).
inline std::int64_t product_piece(std::int64_t K) {
  const std::int64_t pieces = (K + kMaxDepth - 1) / kMaxDepth;
  return pieces <= 1 ? most(K, 1) : round_up((K + pieces - 1) / pieces, kQuantBlock);
}
inline std::int64_t piece_or_default(std::int64_t piece, std::int64_t K) {
  FFN_ASSERT(piece >= 0 && piece <= kMaxDepth);
  return piece > 0 ? piece : product_piece(K);
}

// How much of B is packed at once: `depth` of the reduction (a multiple of its piece) for `columns`
// columns. A bf16 C is rounded once, so there the whole reduction runs before the next columns.
struct PackedExtent {
  std::int64_t depth, columns;
};
inline PackedExtent packed_extent(DType c, Word word, std::int64_t N, std::int64_t K,
                                  std::int64_t piece) {
  std::int64_t depth = K;
  if (c != DType::bf16 && K > kPackedDepth) depth = most(kPackedDepth / piece, 1) * piece;
  const std::int64_t fitting = kPackedWords / most(words_of(word, depth), 1) / kPanel * kPanel;
  return {depth, least(round_up(N, kPanel), most(fitting, kPanel))};
}

// What happens to a tile of an f32 C as soon as it is whole, while it is in L1.
struct TileFinish {
  void (*run)(const void* context, Range rows, Range columns) = nullptr;
  const void* context = nullptr;
};

// One product with everything but B resolved.
struct Problem {
  ProductForm form;
  ConstMatrix a;
  Matrix c;
  std::int64_t M, N, K;
  std::int64_t piece;
  const float* bias;  // f32, kPanel-padded; or null
  bool accumulate;
  Word word = Word::f32;
  TileFinish finish = {};
};
// B as tiles read it: the panel of columns [first_column + p·kPanel, …) starts at data +
// p·panel_step; its first value belongs to k = first_k. Where `source` is given the panels are
// still to be filled from it, in `room` (which data points to): the first rows that pass pack each
// panel just before they multiply with it, and find it in L1.
struct PackedB {
  const float* data;
  std::int64_t panel_step, first_column, first_k;
  Word word;
  const ConstMatrix* source = nullptr;
  float* room = nullptr;

  std::int64_t at(std::int64_t column, std::int64_t k) const {
    return (column - first_column) / kPanel * panel_step + words_of(word, k - first_k) * kPanel;
  }
  PackedB filled() const { return {data, panel_step, first_column, first_k, word}; }
};
// Scratch of one thread: prepared A, and sums of a block of a bf16 C.
struct BlockScratch {
  float *a, *sums;
};

// Whether rows of bf16 consist of whole words: pairs that are read where they stand.
inline bool holds_words(const ConstMatrix& a) {
  const bool aligned = reinterpret_cast<std::uintptr_t>(a.data) % alignof(float) == 0;
  return a.cols % 2 == 0 && a.ld % 2 == 0 && aligned;
}
// A is read in place when its rows consist of the tiles' words, with a stride that spreads a tile's
// rows over the cache: the sets of L1 repeat every 4 KiB.
inline bool reads_in_place(const Problem& problem) {
  const ConstMatrix& a = problem.a;
  if (problem.form == ProductForm::tn) return false;
  if (problem.word == Word::f32) return a.dtype == DType::f32 && a.ld % 1024 != 0;
  return holds_words(a) && a.ld % 2048 != 0;
}
// Words of row m of A in place from the value k on.
inline const float* words_in_place(const Problem& problem, std::int64_t m, std::int64_t k) {
  const std::int64_t at = m * problem.a.ld + k;
  return static_cast<const float*>(problem.a.data) + words_of(problem.word, at);
}
inline PreparedA prepare_a(const Problem& problem, Range m, Range k, float* buffer) {
  if (k.begin == k.end) return {buffer, 0, 0, TileForm::rows};  // K = 0: A may have no data
  const ConstMatrix& a = problem.a;
  if (reads_in_place(problem)) {
    const std::int64_t ld = words_of(problem.word, a.ld);
    return {words_in_place(problem, m.begin, k.begin), ld, kTileRows * ld, TileForm::rows};
  }
  const bool tn = problem.form == ProductForm::tn;
  if constexpr (kDotsPairs) {
    if (problem.word == Word::bf16_pair) {
      const Range words = word_range(problem.word, k);
      return tn ? copy_transposed(RowPairs(a), a.cols, m, words, buffer)
                : copy_rows(PairRows(a), m, words, buffer);
    }
  }
  const auto prepare = [&](const auto& rows) {
    return tn ? copy_transposed(rows, a.cols, m, k, buffer) : copy_rows(rows, m, k, buffer);
  };
  FFN_ASSERT(a.dtype == DType::f32 || a.dtype == DType::bf16);
  return a.dtype == DType::bf16 ? prepare(PlainRows<Bf16>(a)) : prepare(PlainRows<float>(a));
}

inline void widen_tile(const Bf16* from, std::int64_t from_ld, std::int64_t rows,
                       std::int64_t columns, float* to, std::int64_t to_ld) {
  for (std::int64_t i = 0; i < rows; ++i) {
    for (std::int64_t j = 0; j < columns; j += kLanes) {
      const std::int64_t n = least(kLanes, columns - j);
      const Bf16* at = from + i * from_ld + j;
      store(to + i * to_ld + j, n == kLanes ? load(at) : load_n(at, n));
    }
  }
}
inline void round_tile(const float* from, std::int64_t from_ld, std::int64_t rows,
                       std::int64_t columns, Bf16* to, std::int64_t to_ld) {
  for (std::int64_t i = 0; i < rows; ++i) {
    for (std::int64_t j = 0; j < columns; j += kLanes) {
      const std::int64_t n = least(kLanes, columns - j);
      const Vec y = load(from + i * from_ld + j);
      Bf16* at = to + i * to_ld + j;
      if (n == kLanes) {
        store(at, y);
      } else {
        store_n(at, y, n);
      }
    }
  }
}

// Where one tile of C stands and which piece of the reduction this is.
struct Place {
  std::int64_t row, column, rows, columns;
  bool first, last;
};

inline void finish_f32(const Problem& problem, const Place& at, Tile& tile, TileForm form) {
  tile.out = static_cast<float*>(problem.c.data) + at.row * problem.c.ld + at.column;
  tile.ld = problem.c.ld;
  const bool add_old = problem.accumulate && !(fault(31) && !at.last);
  tile.init = !at.first || add_old ? tile.out : nullptr;
  run_tile(tile, at.rows, at.columns, form);
}
// `sums` holds the tile's running sums, `ld` apart; C is touched at the first and the last piece
// only.
inline void finish_bf16(const Problem& problem, const Place& at, Tile& tile, TileForm form,
                        float* sums, std::int64_t ld) {
  Bf16* c = static_cast<Bf16*>(problem.c.data) + at.row * problem.c.ld + at.column;
  const bool add_old = problem.accumulate && !(fault(31) && !at.last);
  if (at.first && add_old) widen_tile(c, problem.c.ld, at.rows, at.columns, sums, ld);
  tile.out = sums;
  tile.ld = ld;
  tile.init = !at.first || add_old ? sums : nullptr;
  run_tile(tile, at.rows, at.columns, form);
  if (at.last) round_tile(sums, ld, at.rows, at.columns, c, problem.c.ld);
}

// Memory that is wanted soon: `runs` of `bytes`, `step` bytes apart. Its lines come into L2 a few
// per tile while other tiles run: runs are short and far apart, so the hardware does not look
// ahead.
class LinesAhead {
 public:
  LinesAhead() = default;
  LinesAhead(const void* first, std::int64_t step, std::int64_t runs, std::int64_t bytes)
      : run_(static_cast<const std::byte*>(first)), step_(step), runs_(runs), bytes_(bytes) {}

  // Spreads the lines over so many tiles, at most `most` for each.
  void spread(std::int64_t tiles, std::int64_t most_lines) {
    const std::int64_t lines = runs_ * ceil_div(bytes_, kLineBytes);
    per_tile_ = least(ceil_div(lines, most(tiles, 1)), most_lines);
  }
  void ask() {
    for (std::int64_t i = 0; i < per_tile_ && runs_ > 0; ++i) {
      __builtin_prefetch(run_ + at_, 0, 2);
      at_ += kLineBytes;
      if (at_ >= bytes_) at_ = 0, run_ += step_, --runs_;
    }
  }

 private:
  static constexpr std::int64_t kLineBytes = 64;

  const std::byte* run_ = nullptr;
  std::int64_t step_ = 0, runs_ = 0, bytes_ = 0;
  std::int64_t at_ = 0, per_tile_ = 0;
};

// Of the part of A that is multiplied next, where it is read in place.
inline LinesAhead lines_of_a(const Problem& problem, Range m, Range k) {
  return {words_in_place(problem, m.begin, k.begin),
          words_of(problem.word, problem.a.ld) * kFloatBytes, m.end - m.begin,
          words_of(problem.word, k.end - k.begin) * kFloatBytes};
}
// With few columns there would be so many per tile that they delay its own loads.
constexpr std::int64_t kMostLinesOfA = 6;

// Of the elements that pack_panel reads.
inline LinesAhead lines_of_panel(ProductForm form, const ConstMatrix& b, Range columns, Range k) {
  const bool nt = form == ProductForm::nt;
  const Range runs = nt ? columns : k, along = nt ? k : columns;
  const std::byte* first = static_cast<const std::byte*>(b.data) + row_offset_bytes(b, runs.begin) +
                           operand_bytes(b.dtype, along.begin);
  return {first, row_offset_bytes(b, 1), runs.end - runs.begin,
          operand_bytes(b.dtype, along.end - along.begin)};
}

// Of the first panel of the given columns, if there are any: packed, or where it is packed from.
inline LinesAhead next_panel(ProductForm form, const PackedB& b, Range columns, Range k) {
  if (columns.begin >= columns.end || k.begin == k.end) return {};
  if (b.source != nullptr) {
    const Range panel{columns.begin, least(columns.begin + kPanel, columns.end)};
    return lines_of_panel(form, *b.source, panel, k);
  }
  return {b.data + b.at(columns.begin, k.begin), 0, 1,
          words_of(b.word, k.end - k.begin) * kPanel * kFloatBytes};
}

// Rows m of C, at most kBlockRows, times the given columns, for one piece k of the reduction.
// `sums` belongs to row m.begin.
inline void multiply_piece(const Problem& problem, const PackedB& b, Range m, Range columns,
                           Range k, float* a_buffer, float* sums, LinesAhead next_a) {
  const std::int64_t tiles = ceil_div(m.end - m.begin, kTileRows);
  next_a.spread(tiles * ceil_div(columns.end - columns.begin, kPanel), kMostLinesOfA);
  const PreparedA a = prepare_a(problem, m, k, a_buffer);
  const std::int64_t sums_ld = round_up(columns.end - columns.begin, kPanel);
  const bool one_piece = k.begin == 0 && k.end == problem.K;
  for (std::int64_t n = columns.begin; n < columns.end; n += kPanel) {
    Tile tile{};
    tile.a_ld = a.ld;
    tile.b = b.data + b.at(n, k.begin);
    tile.k = words_of(problem.word, k.end - k.begin);
    tile.word = problem.word;
    tile.bias = problem.bias != nullptr && k.end == problem.K ? problem.bias + n : nullptr;
    Place at{m.begin, n, 0, least(kPanel, columns.end - n), k.begin == 0, k.end == problem.K};
    if (b.source != nullptr && tile.k > 0) {  // K = 0: B may have no data
      pack_panel(problem.word, problem.form, *b.source, n, at.columns, k,
                 b.room + b.at(n, k.begin));
    }
    LinesAhead next_b = next_panel(problem.form, b, {n + kPanel, columns.end}, k);
    next_b.spread(tiles, tiles * tile.k);
    if (fault(30) && at.columns % kLanes > 1) --at.columns;
    for (; at.row < m.end; at.row += kTileRows) {
      tile.a = a.tile(at.row - m.begin);
      next_b.ask();
      next_a.ask();
      at.rows = least(kTileRows, m.end - at.row);
      if (problem.c.dtype != DType::bf16) {
        finish_f32(problem, at, tile, a.form);
        if ((at.last || fault(45)) && problem.finish.run != nullptr) {
          problem.finish.run(problem.finish.context, {at.row, at.row + at.rows},
                             {n, n + at.columns});
        }
      } else if (one_piece) {
        alignas(64) float own[kTileRows * kPanel];
        finish_bf16(problem, at, tile, a.form, own, kPanel);
      } else {
        float* place = sums + (at.row - m.begin) * sums_ld + (n - columns.begin);
        finish_bf16(problem, at, tile, a.form, place, sums_ld);
      }
    }
  }
}

// Rows that pass together before the next rows: a piece of their reduction at a time. A transposed
// A is visited row by row of its storage, so there more rows of C make longer visits (2 KiB).
inline std::int64_t group_rows(ProductForm form, std::int64_t rows) {
  return form == ProductForm::tn ? 4 * block_rows(rows) : block_rows(rows);
}

// Rows m times columns (both any ranges; columns cut at panels) for the part k of the reduction
// that b holds. K = 0 runs one empty piece, which still writes C.
inline void multiply_range(const Problem& problem, const PackedB& b, Range m, Range columns,
                           Range k, const BlockScratch& scratch) {
  const std::int64_t piece = problem.piece, block = block_rows(m.end - m.begin);
  const std::int64_t group = group_rows(problem.form, m.end - m.begin);
  const std::int64_t sums_ld = round_up(columns.end - columns.begin, kPanel);
  const bool in_place = reads_in_place(problem);
  // A group is one block where A is read in place: after its last piece come the next rows.
  const auto after = [&](Range rows, Range depth) {
    if (!in_place || k.begin == k.end) return LinesAhead();
    if (depth.end < k.end)
      return lines_of_a(problem, rows, {depth.end, least(depth.end + piece, k.end)});
    const Range next{rows.end, least(rows.end + block, m.end)};
    return next.begin < next.end
               ? lines_of_a(problem, next, {k.begin, least(k.begin + piece, k.end)})
               : LinesAhead();
  };
  for (std::int64_t first = m.begin; first < m.end; first += group) {
    const std::int64_t last = least(first + group, m.end);
    std::int64_t at = k.begin;
    do {
      const Range depth{at, least(at + piece, k.end)};
      for (std::int64_t row = first; row < last; row += block) {
        const Range rows{row, least(row + block, last)};
        multiply_piece(problem, row == m.begin ? b : b.filled(), rows, columns, depth, scratch.a,
                       scratch.sums + (row - first) * sums_ld, after(rows, depth));
      }
      at += piece;
    } while (at < k.end);
  }
}

// Words that one thread needs for multiply_range, for shape.k or any shorter reduction.
struct ScratchFloats {
  std::int64_t a, sums;
};
inline ScratchFloats scratch_floats(const ProductShape& shape, std::int64_t columns) {
  const std::int64_t rows = least(shape.m, kBlockRows);
  const std::int64_t depth = words_of(word_of(shape.a, shape.b), least(shape.k, kMaxDepth));
  const std::int64_t most_group = group_rows(shape.form, kBlockRows);
  const bool sums = shape.c == DType::bf16 && shape.k > piece_or_default(shape.piece, shape.k);
  return {round_up(prepared_a_words(rows, depth), 16),
          sums ? round_up(least(shape.m, most_group), kTileRows) * round_up(columns, kPanel) : 0};
}

}  // namespace
}  // namespace ffn::inline v0::kernels::cpu::FFN_ISA_NAMESPACE
