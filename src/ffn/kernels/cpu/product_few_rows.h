// Products with few rows of C: B is read once from where it stands, nothing is packed. That is what
// generating one token at a time does all day; its limit is the bandwidth to B.
#pragma once

#include "ffn/kernels/cpu/product_block.h"

namespace ffn::inline v0::kernels::cpu::FFN_ISA_NAMESPACE {
namespace {

// From here on packing B costs less than the multiplications it speeds up.
constexpr std::int64_t kFewRows = 8;

// nt: dot products, kDotColumns rows of B against kDotRows rows of A at a time: eight chains hide
// the latency of the multiply-add (4 cycles at two per cycle).
constexpr int kDotRows = 4, kDotColumns = 4;

// Word (m, k) of A stands at data[m·row_step + k·k_step]. Pairs are multiplied where B's rows are
// read in pairs (nt); all else is f32.
struct FewRowsA {
  const float* data;
  std::int64_t row_step, k_step;
};

// Sums of Height rows of A times kDotColumns rows of B, lane by lane.
template <int Height>
using DotSums = Vec[Height][kDotColumns];

// Rows of fewer bytes are over before the hardware has looked far into them: the rows that come
// next are asked for. In longer ones that only disturbs it.
constexpr std::int64_t kLongRow = 8192;
// Asks for the kDotColumns rows that come next, in the order in which they lie in memory: side by
// side, as they are read, they would look to the hardware like no stream at all.
template <class Row>
class NextRows {
 public:
  template <class Rows>
  NextRows(const Rows& b, Row first) {
    const std::int64_t bytes = b.row_step() * static_cast<std::int64_t>(sizeof *first);
    // Without values (K = 0) there may be no memory to point into.
    if (first != nullptr && bytes < kLongRow) at_ = first + b.row_step() * kDotColumns;
  }
  // For every Step elements (of blocks: bytes) of the rows being read.
  template <int Step>
  [[gnu::always_inline]] void ask() {
    if (at_ == nullptr) return;
#pragma GCC unroll 4
    for (int j = 0; j < kDotColumns; ++j) __builtin_prefetch(at_ + j * Step);
    at_ += kDotColumns * Step;
  }

 private:
  Row at_ = nullptr;
};

// B of single values, or of pairs; K counts words.
template <class Rows, int Height, class Row>
[[gnu::always_inline]] inline void add_dots(const Rows& b, std::int64_t K,
                                            const Row (&rows)[kDotColumns], NextRows<Row> next,
                                            const float* a_m, std::int64_t a_step,
                                            DotSums<Height>& sum) {
  const auto step = [&](auto read_a, auto read_b) {
    Vec a_k[Height];
#pragma GCC unroll 4
    for (int i = 0; i < Height; ++i) a_k[i] = read_a(i);
#pragma GCC unroll 4
    for (int j = 0; j < kDotColumns; ++j) {
      const Vec b_k = read_b(rows[j]);
#pragma GCC unroll 4
      for (int i = 0; i < Height; ++i) {
        if constexpr (Rows::kWord == Word::f32) {
          sum[i][j] = fma(a_k[i], b_k, sum[i][j]);
        } else {
          sum[i][j] = dot_pairs(a_k[i], b_k, sum[i][j]);
        }
      }
    }
  };
  const auto whole_step = [&](std::int64_t at) {
    step([&](int i) { return load(a_m + i * a_step + at); },
         [&](auto row) { return Rows::read(row, at); });
  };
  constexpr int kLineElements = 64 / static_cast<int>(sizeof *rows[0]);
  constexpr int kLine = Rows::kWord == Word::f32 ? kLineElements : kLineElements / 2;
  const std::int64_t whole = b.whole(K);
  std::int64_t k = 0;
  for (; k + kLine <= whole; k += kLine) {
    next.template ask<kLineElements>();
#pragma GCC unroll 4
    for (std::int64_t at = 0; at < kLine; at += kLanes) whole_step(k + at);
  }
  for (; k + kLanes <= whole; k += kLanes) whole_step(k);
  if (const std::int64_t left = K - k; left > 0) {
    step([&](int i) { return load_n(a_m + i * a_step + k, left); },
         [&](auto row) { return b.read_n(row, k, left); });
  }
}
// B of blocks: 32 values are summed before a scale that they share comes in, once for all of them.
template <class Rows, int Height, class Row>
  requires requires { Rows::kGroupBytes; }
[[gnu::always_inline]] inline void add_dots(const Rows&, std::int64_t K,
                                            const Row (&rows)[kDotColumns], NextRows<Row> next,
                                            const float* a_m, std::int64_t a_step,
                                            DotSums<Height>& sum) {
  for (std::int64_t k = 0; k < K; k += kQuantBlock) {
    next.template ask<Rows::kGroupBytes>();
#pragma GCC unroll 4
    for (int j = 0; j < kDotColumns; ++j) {
      const BlockGroup group = Rows::group(rows[j], k);
      Vec values[kGroupVectors];
#pragma GCC unroll 32
      for (int v = 0; v < kGroupVectors; ++v) values[v] = Rows::value(group, v * kLanes);
#pragma GCC unroll 4
      for (int i = 0; i < Height; ++i) {
        const float* a_k = a_m + i * a_step + k;
        if constexpr (requires { Rows::scale(group); }) {
          Vec block = load(a_k) * values[0];
#pragma GCC unroll 32
          for (int v = 1; v < kGroupVectors; ++v)
            block = fma(load(a_k + v * kLanes), values[v], block);
          sum[i][j] = fma(Rows::scale(group), block, sum[i][j]);
        } else {
#pragma GCC unroll 32
          for (int v = 0; v < kGroupVectors; ++v)
            sum[i][j] = fma(load(a_k + v * kLanes), values[v], sum[i][j]);
        }
      }
    }
  }
}

// Vectors of finished sums of a row of C, kReduced in each.
constexpr int kReducedVectors = kDotColumns / kReduced;

// C[m … m + height, n … n + columns) from finished sums. Apart from the loop over k, so that its
// registers stay there.
template <class Element>
[[gnu::noinline]] void put_sums(const Problem& problem, std::int64_t m, std::int64_t n, int height,
                                std::int64_t columns, const Vec (*sums)[kReducedVectors]) {
  for (int i = 0; i < height; ++i) {
    Element* c = static_cast<Element*>(problem.c.data) + (m + i) * problem.c.ld + n;
    for (std::int64_t j = 0; j < columns; j += kReduced) {
      const std::int64_t count = least(kReduced, columns - j);
      Vec y = sums[i][j / kReduced];
      if (problem.accumulate) y = y + load_n(c + j, count);
      if (problem.bias != nullptr) y = y + load_n(problem.bias + n + j, count);
      store_n(c + j, y, count);
    }
  }
}

template <class Rows, int Height>
[[gnu::noinline]] void dot_block(const Problem& problem, const Rows& b, const FewRowsA& a,
                                 std::int64_t m, std::int64_t n, std::int64_t columns) {
  DotSums<Height> sum;
  decltype(b.row(0)) rows[kDotColumns];
#pragma GCC unroll 4
  for (int j = 0; j < kDotColumns; ++j) {
    rows[j] =
        b.row(n + (j < columns ? j : 0));  // a missing column repeats the first and is dropped
#pragma GCC unroll 4
    for (int i = 0; i < Height; ++i) sum[i][j] = zero();
  }
  add_dots<Rows, Height>(b, words_of(Rows::kWord, problem.K), rows, NextRows(b, rows[0]),
                         a.data + m * a.row_step, a.row_step, sum);
  Vec finished[Height][kReducedVectors];
#pragma GCC unroll 4
  for (int i = 0; i < Height; ++i) {
#pragma GCC unroll 4
    for (int v = 0; v < kReducedVectors; ++v) finished[i][v] = reduce_adds(sum[i] + v * kReduced);
  }
  if (problem.c.dtype == DType::bf16) {
    put_sums<Bf16>(problem, m, n, Height, columns, finished);
  } else {
    put_sums<float>(problem, m, n, Height, columns, finished);
  }
}

template <class Rows>
void dot_rows(const Problem& problem, const Rows& b, const FewRowsA& a, Range columns) {
  for (std::int64_t n = columns.begin; n < columns.end; n += kDotColumns) {
    const std::int64_t width = least(kDotColumns, columns.end - n);
    for (std::int64_t m = 0; m < problem.M;) {
      const std::int64_t left = problem.M - m;
      if (left >= 4) {
        dot_block<Rows, 4>(problem, b, a, m, n, width);
        m += 4;
      } else if (left >= 2) {
        dot_block<Rows, 2>(problem, b, a, m, n, width);
        m += 2;
      } else {
        dot_block<Rows, 1>(problem, b, a, m, n, width);
        m += 1;
      }
    }
  }
}

// nn, tn: rows of B, scaled, are added to rows of C held in L1. The pieces of the reduction and the
// order within them are those of the tiles, so the result is theirs bit for bit.
constexpr std::int64_t kChunkFloats = 2048;  // two buffers of 8 KiB
constexpr int kDepthStep = 4;                // rows of B per visit of the buffer

// M rows of `width` columns, `ld` apart: the piece of the reduction under way, and the pieces
// before.
struct alignas(64) ChunkSums {
  float piece[kChunkFloats];
  float total[kChunkFloats];
};
struct Chunk {
  std::int64_t n, width, ld;
  ChunkSums* sums;
};

// piece[m][·] += Σ over Depth rows of B from k on, for Vectors vectors from column j of the chunk.
template <class Rows, int Depth, int Vectors, class Row>
void add_rows_at(const Problem& problem, const FewRowsA& a, const Chunk& chunk,
                 const Row (&rows)[Depth], std::int64_t k, std::int64_t j) {
  const std::int64_t left = chunk.width - j;
  Vec b_k[Depth][Vectors];
#pragma GCC unroll 4
  for (int d = 0; d < Depth; ++d) {
#pragma GCC unroll 2
    for (int v = 0; v < Vectors; ++v) {
      const std::int64_t at = chunk.n + j + v * kLanes;
      b_k[d][v] =
          Vectors > 1 || left >= kLanes ? Rows::read(rows[d], at) : Rows::read_n(rows[d], at, left);
    }
  }
  for (std::int64_t m = 0; m < problem.M; ++m) {
    const float* a_m = a.data + m * a.row_step + k * a.k_step;
    float* piece = chunk.sums->piece + m * chunk.ld + j;
    Vec sum[Vectors];
#pragma GCC unroll 2
    for (int v = 0; v < Vectors; ++v) sum[v] = load(piece + v * kLanes);
#pragma GCC unroll 4
    for (int d = 0; d < Depth; ++d) {
      const Vec scale = set(a_m[d * a.k_step]);
#pragma GCC unroll 2
      for (int v = 0; v < Vectors; ++v) sum[v] = fma(scale, b_k[d][v], sum[v]);
    }
#pragma GCC unroll 2
    for (int v = 0; v < Vectors; ++v) store(piece + v * kLanes, sum[v]);
  }
}
template <class Rows, int Depth>
void add_rows(const Problem& problem, const Rows& b, const FewRowsA& a, const Chunk& chunk,
              std::int64_t k) {
  decltype(b.row(0)) rows[Depth];
#pragma GCC unroll 4
  for (int d = 0; d < Depth; ++d) rows[d] = b.row(k + d);
  std::int64_t j = 0;
  for (; j + 2 * kLanes <= chunk.width; j += 2 * kLanes) {
    add_rows_at<Rows, Depth, 2>(problem, a, chunk, rows, k, j);
  }
  for (; j < chunk.width; j += kLanes) {
    add_rows_at<Rows, Depth, 1>(problem, a, chunk, rows, k, j);
  }
}

// Adds the finished piece to the total, which starts from C where C is added to.
inline void add_piece(const Problem& problem, const Chunk& chunk, bool first) {
  for (std::int64_t m = 0; m < problem.M; ++m) {
    const std::int64_t c_m = m * problem.c.ld + chunk.n;
    float* piece = chunk.sums->piece + m * chunk.ld;
    float* total = chunk.sums->total + m * chunk.ld;
    for (std::int64_t j = 0; j < chunk.width; j += kLanes) {
      const std::int64_t lanes = least(kLanes, chunk.width - j);
      Vec sum = load(piece + j);
      if (!first) {
        sum = sum + load(total + j);
      } else if (problem.accumulate && problem.c.dtype == DType::bf16) {
        sum = sum + load_n(static_cast<const Bf16*>(problem.c.data) + c_m + j, lanes);
      } else if (problem.accumulate) {
        sum = sum + load_n(static_cast<const float*>(problem.c.data) + c_m + j, lanes);
      }
      store(total + j, sum);
      store(piece + j, zero());
    }
  }
}
inline void write_chunk(const Problem& problem, const Chunk& chunk) {
  for (std::int64_t m = 0; m < problem.M; ++m) {
    const std::int64_t c_m = m * problem.c.ld + chunk.n;
    for (std::int64_t j = 0; j < chunk.width; j += kLanes) {
      const std::int64_t lanes = least(kLanes, chunk.width - j);
      Vec y = load(chunk.sums->total + m * chunk.ld + j);
      if (problem.bias != nullptr) y = y + load_n(problem.bias + chunk.n + j, lanes);
      if (problem.c.dtype == DType::bf16) {
        store_n(static_cast<Bf16*>(problem.c.data) + c_m + j, y, lanes);
      } else {
        store_n(static_cast<float*>(problem.c.data) + c_m + j, y, lanes);
      }
    }
  }
}

template <class Rows>
void add_scaled_rows(const Problem& problem, const Rows& b, const FewRowsA& a, Range columns) {
  ChunkSums sums;
  for (std::int64_t i = 0; i < kChunkFloats; i += kLanes) store(sums.piece + i, zero());
  const std::int64_t step = kChunkFloats / problem.M / kPanel * kPanel;
  for (std::int64_t n = columns.begin; n < columns.end; n += step) {
    const Chunk chunk{n, least(step, columns.end - n), step, &sums};
    std::int64_t k = 0;
    do {
      const std::int64_t end = least(k + problem.piece, problem.K);
      const bool first = k == 0;
      for (; k + kDepthStep <= end; k += kDepthStep) {
        add_rows<Rows, kDepthStep>(problem, b, a, chunk, k);
      }
      for (; k < end; ++k) add_rows<Rows, 1>(problem, b, a, chunk, k);
      add_piece(problem, chunk, first);  // leaves piece zero
    } while (k < problem.K);
    write_chunk(problem, chunk);
  }
}

// Floats of scratch for few_rows_a, which every thread then reads.
inline std::int64_t few_rows_floats(const ProductShape& shape) {
  if (shape.a == DType::f32) return 0;
  const std::int64_t values = round_up(shape.m * round_up(shape.k, 16), 16);
  const std::int64_t pairs = prepared_a_words(shape.m, words_of(Word::bf16_pair, shape.k));
  return most(values, kDotsPairs ? round_up(pairs, 16) : 0);
}
// Pairs of A, in place or copied.
inline FewRowsA few_pairs_a(const ConstMatrix& a, float* scratch) {
  if (holds_words(a)) return {static_cast<const float*>(a.data), a.ld / 2, 1};
  const PreparedA copy =
      copy_rows(PairRows(a), {0, a.rows}, {0, words_of(Word::bf16_pair, a.cols)}, scratch);
  return {copy.data, copy.ld, 1};
}
// A as words of the product: in place, or converted into scratch as [M, K] or [K, M], as stored.
inline FewRowsA few_rows_a(const Problem& problem, float* scratch) {
  const bool tn = problem.form == ProductForm::tn;
  if constexpr (kDotsPairs) {
    if (problem.word == Word::bf16_pair) return few_pairs_a(problem.a, scratch);
  }
  const float* data = static_cast<const float*>(problem.a.data);
  std::int64_t ld = problem.a.ld;
  if (problem.a.dtype == DType::bf16) {
    const PlainRows<Bf16> from(problem.a);
    ld = problem.a.cols;
    for (std::int64_t r = 0; r < problem.a.rows; ++r) {
      for (std::int64_t j = 0; j < ld; j += kLanes) {
        const std::int64_t n = least(kLanes, ld - j);
        if (n == kLanes) {
          store(scratch + r * ld + j, load(from.row(r) + j));
        } else {
          store_n(scratch + r * ld + j, load_n(from.row(r) + j, n), n);
        }
      }
    }
    data = scratch;
  }
  return tn ? FewRowsA{data, 1, ld} : FewRowsA{data, ld, 1};
}

// All rows of C, the given columns (cut at multiples of kPanel).
inline void multiply_few_rows(const Problem& problem, const ConstMatrix& b, const FewRowsA& a,
                              Range columns) {
  if constexpr (kDotsPairs) {
    if (problem.word == Word::bf16_pair) return dot_rows(problem, PairRows(b), a, columns);
  }
  with_rows(b, [&](const auto& rows) {
    if (problem.form == ProductForm::nt) {
      dot_rows(problem, rows, a, columns);
    } else {
      add_scaled_rows(problem, rows, a, columns);
    }
  });
}

}  // namespace
}  // namespace ffn::inline v0::kernels::cpu::FFN_ISA_NAMESPACE
