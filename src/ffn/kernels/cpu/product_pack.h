// Operands on their way into a product: every storage type becomes f32, or bf16 stays pairs of bf16
// where both operands are and tiles multiply pairs; B as panels of kPanel columns, A as rows (or,
// transposed, as panels of kPackRows rows).
#pragma once

#include "ffn/base/check.h"
#include "ffn/base/dtype.h"
#include "ffn/kernels/cpu/block_rows.h"
#include "ffn/kernels/cpu/loops.h"
#include "ffn/kernels/cpu/parallel.h"
#include "ffn/kernels/cpu/product_tile.h"
#include "ffn/kernels/product.h"

namespace ffn::inline v0::kernels::cpu::FFN_ISA_NAMESPACE {
namespace {

constexpr std::int64_t kFloatBytes = 4;

inline std::int64_t round_up(std::int64_t count, std::int64_t unit) {
  return (count + unit - 1) / unit * unit;
}

// Reads one stored row as f32. load(row, col): kLanes elements from column `col`, a multiple of
// kLanes where the type has blocks; load_n: the first n of them. Block rows have no partial
// vectors. Columns before whole(end) may be read as parts of vectors that end at `end`.
template <class Element>
struct PlainRows {
  const Element* data;
  std::int64_t ld;

  explicit PlainRows(const ConstMatrix& m) : data(static_cast<const Element*>(m.data)), ld(m.ld) {}
  const Element* row(std::int64_t r) const { return data + r * ld; }
  static std::int64_t whole(std::int64_t end) { return end; }
  std::int64_t row_step() const { return ld; }  // from row to row, in what row() points to
  static constexpr Word kWord = Word::f32;      // what columns are
  static Vec read(const Element* row, std::int64_t col) { return load(row + col); }
  static Vec read_n(const Element* row, std::int64_t col, std::int64_t n) {
    return load_n(row + col, n);
  }
};

// What the tiles of a product of these operands multiply.
inline Word word_of(DType a, DType b) {
  return kDotsPairs && a == DType::bf16 && b == DType::bf16 ? Word::bf16_pair : Word::f32;
}

// bf16 rows whose columns are words: pairs of values that follow each other in the row. An odd last
// value is a pair with 0.
struct PairRows {
  const Bf16* data;
  std::int64_t ld, cols;

  explicit PairRows(const ConstMatrix& m)
      : data(static_cast<const Bf16*>(m.data)), ld(m.ld), cols(m.cols) {}
  const Bf16* row(std::int64_t r) const { return data + r * ld; }
  std::int64_t whole(std::int64_t end) const { return least(end, cols / 2); }
  std::int64_t row_step() const { return ld; }
  static constexpr Word kWord = Word::bf16_pair;
  static Vec read(const Bf16* row, std::int64_t word) { return load_pairs(row + 2 * word); }
  Vec read_n(const Bf16* row, std::int64_t word, std::int64_t n) const {
    return load_pairs_n(row + 2 * word, least(2 * n, cols - 2 * word));
  }
};

// Two rows of bf16 values as one row of words: pairs of values below each other. An odd last row is
// paired with 0.
struct RowPair {
  const Bf16 *first, *second;  // second: null where there is none
};
struct RowPairs {
  const Bf16* data;
  std::int64_t ld, rows;

  explicit RowPairs(const ConstMatrix& m)
      : data(static_cast<const Bf16*>(m.data)), ld(m.ld), rows(m.rows) {}
  RowPair row(std::int64_t word) const {
    const Bf16* first = data + 2 * word * ld;
    return {first, 2 * word + 1 < rows ? first + ld : nullptr};
  }
  static Vec read(const RowPair& row, std::int64_t col) {
    return pair_up(load(row.first + col), row.second == nullptr ? zero() : load(row.second + col));
  }
  static Vec read_n(const RowPair& row, std::int64_t col, std::int64_t n) {
    return pair_up(load_n(row.first + col, n),
                   row.second == nullptr ? zero() : load_n(row.second + col, n));
  }
};

// Bytes of consecutive elements of an operand; as dtype_bytes(), which may not be called from here
// where it is not inlined (vec.h).
constexpr std::int64_t operand_bytes(DType dtype, std::int64_t count) {
  switch (dtype) {
    case DType::q4_0: return count / kQuantBlock * Q4_0Rows::kBytes;
    case DType::q4_1: return count / kQuantBlock * Q4_1Rows::kBytes;
    case DType::q5_0: return count / kQuantBlock * Q5_0Rows::kBytes;
    case DType::q8_0: return count / kQuantBlock * Q8_0Rows::kBytes;
    case DType::q4_k: return count / kSuperBlock * Q4KRows::kBytes;
    case DType::q6_k: return count / kSuperBlock * Q6KRows::kBytes;
    default: return dtype == DType::f32 ? 4 * count : 2 * count;
  }
}
// How far behind the first element the given row starts.
inline std::int64_t row_offset_bytes(const ConstMatrix& matrix, std::int64_t rows) {
  return operand_bytes(matrix.dtype, rows * matrix.ld);
}
// Rows [first, first + rows) of a matrix.
inline ConstMatrix rows_of(const ConstMatrix& matrix, std::int64_t first, std::int64_t rows) {
  ConstMatrix part = matrix;
  part.data = static_cast<const std::byte*>(matrix.data) + row_offset_bytes(matrix, first);
  part.rows = rows;
  return part;
}
inline Matrix rows_of(const Matrix& matrix, std::int64_t first, std::int64_t rows) {
  Matrix part = matrix;
  part.data = static_cast<std::byte*>(matrix.data) + row_offset_bytes(matrix, first);
  part.rows = rows;
  return part;
}

// body(rows reader) for the storage type of a weight matrix.
template <class Body>
void with_rows(const ConstMatrix& matrix, const Body& body) {
  switch (matrix.dtype) {
    case DType::bf16: return body(PlainRows<Bf16>(matrix));
    case DType::f16: return body(PlainRows<F16>(matrix));
    case DType::q4_0: return body(Q4_0Rows(matrix));
    case DType::q4_1: return body(Q4_1Rows(matrix));
    case DType::q5_0: return body(Q5_0Rows(matrix));
    case DType::q8_0: return body(Q8_0Rows(matrix));
    case DType::q4_k: return body(Q4KRows(matrix));
    case DType::q6_k: return body(Q6KRows(matrix));
    default: FFN_ASSERT(matrix.dtype == DType::f32); return body(PlainRows<float>(matrix));
  }
}

// A kLanes × kLanes square of B, all of it there, into kLanes columns of a panel.
template <class Rows, class Row>
[[gnu::always_inline]] inline void pack_square(const Row (&rows)[kLanes], std::int64_t at,
                                               float* out) {
  Vec square[kLanes];
#pragma GCC unroll 16
  for (int i = 0; i < kLanes; ++i) square[i] = Rows::read(rows[i], at);
  transpose(square);
#pragma GCC unroll 16
  for (int i = 0; i < kLanes; ++i) store(out + i * kPanel, square[i]);
}
// The same at an edge: `columns` of its rows (0 … kLanes) and `depth` of its columns are there.
template <class Rows>
void pack_corner(const Rows& b, std::int64_t n, std::int64_t columns, std::int64_t at,
                 std::int64_t depth, float* out) {
  Vec square[kLanes];
  for (int i = 0; i < kLanes; ++i) {
    if (i >= columns) {
      square[i] = zero();
    } else if (at + kLanes <= b.whole(at + depth)) {
      square[i] = Rows::read(b.row(n + i), at);
    } else {
      square[i] = b.read_n(b.row(n + i), at, depth);
    }
  }
  transpose(square);
  for (int i = 0; i < depth; ++i) store(out + i * kPanel, square[i]);
}

// k counts words. panel[k − k_begin][j] = B[n + j, k] (nt), or B[k, n + j], for j < columns; 0 for
// the other j < kPanel.
template <class Rows>
void pack_panel_nt(const Rows& b, std::int64_t n, std::int64_t columns, Range k, float* panel) {
  for (std::int64_t first = 0; first < kPanel; first += kLanes) {
    const std::int64_t present = most(least(columns - first, kLanes), 0);
    float* out = panel + first;
    std::int64_t at = k.begin;
    if (present == kLanes) {
      decltype(b.row(0)) rows[kLanes];
      for (int i = 0; i < kLanes; ++i) rows[i] = b.row(n + first + i);
      for (; at + kLanes <= b.whole(k.end); at += kLanes, out += kLanes * kPanel)
        pack_square<Rows>(rows, at, out);
    }
    for (; at < k.end; at += kLanes, out += kLanes * kPanel)
      pack_corner(b, n + first, present, at, least(kLanes, k.end - at), out);
  }
}
template <class Rows>
void pack_panel_nn(const Rows& b, std::int64_t n, std::int64_t columns, Range k, float* panel) {
  for (std::int64_t at = k.begin; at < k.end; ++at, panel += kPanel) {
    const auto row = b.row(at);
    for (std::int64_t first = 0; first < kPanel; first += kLanes) {
      const std::int64_t present = columns - first;
      if (present >= kLanes) {
        store(panel + first, Rows::read(row, n + first));
      } else {
        store(panel + first, present > 0 ? Rows::read_n(row, n + first, present) : zero());
      }
    }
  }
}
// The words of the values [k.begin, k.end); only the last range of a reduction may end with an odd
// value.
inline Range word_range(Word word, Range k) {
  return word == Word::f32 ? k : Range{k.begin / 2, words_of(word, k.end)};
}
// k counts values.
inline void pack_panel(Word word, ProductForm form, const ConstMatrix& b, std::int64_t n,
                       std::int64_t columns, Range k, float* panel) {
  if constexpr (kDotsPairs) {
    if (word == Word::bf16_pair) {
      const Range words = word_range(word, k);
      if (form == ProductForm::nt) {
        pack_panel_nt(PairRows(b), n, columns, words, panel);
      } else {
        pack_panel_nn(RowPairs(b), n, columns, words, panel);
      }
      return;
    }
  }
  with_rows(b, [&](const auto& rows) {
    if (form == ProductForm::nt) {
      pack_panel_nt(rows, n, columns, k, panel);
    } else {
      pack_panel_nn(rows, n, columns, k, panel);
    }
  });
}

// A block of A, ready for the tiles. `step`: from a tile to the next, or from kPackRows packed rows
// to the next.
struct PreparedA {
  const float* data;
  std::int64_t ld, step;
  TileForm form;

  const float* tile(std::int64_t row) const {
    if (form == TileForm::rows) return data + row / kTileRows * step;
    return data + row / kPackRows * step + row % kPackRows;
  }
};

// Rows of the copy are this far apart beyond the block's depth: a power of two would put the rows
// of a tile into one cache set.
constexpr std::int64_t kRowPad = 16;

inline std::int64_t prepared_a_words(std::int64_t rows, std::int64_t depth) {
  const std::int64_t panels = ceil_div(rows, kPackRows);
  return most(round_up(rows, kTileRows) * (round_up(depth, kRowPad) + kRowPad),
              panels * depth * kPackRows);
}

// k counts words, here and below.
template <class Rows>
PreparedA copy_rows(const Rows& a, Range m, Range k, float* buffer) {
  const std::int64_t depth = k.end - k.begin, ld = round_up(depth, kRowPad) + kRowPad;
  for (std::int64_t i = m.begin; i < m.end; ++i) {
    const auto* from = a.row(i);
    float* to = buffer + (i - m.begin) * ld;
    std::int64_t at = 0;
    for (; k.begin + at + kLanes <= a.whole(k.end); at += kLanes)
      store(to + at, Rows::read(from, k.begin + at));
    if (at < depth) store(to + at, a.read_n(from, k.begin + at, depth - at));
  }
  return {buffer, ld, kTileRows * ld, TileForm::rows};
}
// Rows of a strided walk are this far ahead when they are asked for: each row is a new stream of
// few lines, which the hardware prefetcher does not follow.
constexpr std::int64_t kPrefetchRows = 12;
template <class Element>
void prefetch_row(const Element* row, std::int64_t first, std::int64_t count) {
  constexpr std::int64_t kLine = 64 / sizeof(Element);
  for (std::int64_t i = 0; i < count; i += kLine) __builtin_prefetch(row + first + i, 0, 2);
}
inline void prefetch_row(const RowPair& row, std::int64_t first, std::int64_t count) {
  prefetch_row(row.first, first, count);
  if (row.second != nullptr) prefetch_row(row.second, first, count);
}

// From A stored [K, M].
template <class Rows>
PreparedA copy_transposed(const Rows& a, std::int64_t cols, Range m, Range k, float* buffer) {
  const std::int64_t step = (k.end - k.begin) * kPackRows;
  for (std::int64_t at = k.begin; at < k.end; ++at) {
    const auto from = a.row(at);
    if (at + kPrefetchRows < k.end) {
      prefetch_row(a.row(at + kPrefetchRows), m.begin, m.end - m.begin);
    }
    float* to = buffer + (at - k.begin) * kPackRows;
    std::int64_t i = m.begin;
    for (; i < m.end && i + kPackRows <= cols; i += kPackRows, to += step) {
      for (std::int64_t lane = 0; lane < kPackRows; lane += kLanes) {
        store(to + lane, Rows::read(from, i + lane));
      }
    }
    for (; i < m.end; i += kPackRows, to += step) {
      for (std::int64_t lane = 0; lane < kPackRows; lane += kLanes) {
        const std::int64_t left = most(least(cols - (i + lane), kLanes), 0);
        store(to + lane, Rows::read_n(from, i + lane, left));
      }
    }
  }
  return {buffer, 0, step, TileForm::packed};
}

}  // namespace
}  // namespace ffn::inline v0::kernels::cpu::FFN_ISA_NAMESPACE
