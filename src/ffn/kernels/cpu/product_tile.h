// The innermost loop of every matrix product: a tile of C, kTileRows × kPanel, in registers.
//   AVX2: 4 × 24 = 12 accumulators of 16 registers; per k three loads of B and four broadcasts of A
//   feed 12 multiply-adds (6 cycles at two per cycle, 3.5 of them with loads). AVX-512: 6 × 64 = 24
//   of 32.
#pragma once

#include <cstdint>
#include <numeric>
#include <utility>

#include "ffn/kernels/cpu/vec.h"

namespace ffn::inline v0::kernels::cpu::FFN_ISA_NAMESPACE {
namespace {

// As many sums as registers allow, and of the shapes with so many the one with the fewest loads: on
// a shared core instructions are the limit before multiply-adds are.
#if defined(FFN_ISA_AVX2)
constexpr int kTileRows = 4, kTileVectors = 3;
#elif defined(FFN_ISA_SCALAR)
constexpr int kTileRows = 4, kTileVectors = 4;
#else
constexpr int kTileRows = 6, kTileVectors = 4;
#endif
// Columns of a panel of packed B: for each k, the panel's kPanel values stand together.
constexpr std::int64_t kPanel = kTileVectors * kLanes;

// What one step along k multiplies: 32-bit words of A and B, each an f32 value or two bf16 values
// that follow each other in k (twice the multiply-adds per step, where the instruction set has
// them).
enum class Word { f32, bf16_pair };
// The words of so many values; an odd one is a pair with 0.
constexpr std::int64_t words_of(Word word, std::int64_t values) {
  return word == Word::bf16_pair ? (values + 1) / 2 : values;
}

// Sizes count words. out[i, n] = (Σ_k a[i, k]·b[k, n] + init[i, n]) + bias[n], the sum one fma
// chain over rising k.
struct Tile {
  const float* a;     // element (i, k): by form, see below
  std::int64_t a_ld;  // unused for packed panels
  const float* b;     // [k][kPanel]
  std::int64_t k;
  const float* init;  // may be null (none) or out
  const float* bias;  // kPanel values, or null
  float* out;
  std::int64_t ld;  // of init and out
  int last;         // lanes of the last vector that exist, 1 … kLanes
  Word word = Word::f32;
};

// Rows of A that stand together in packed form: as few as are whole tiles and whole vectors.
constexpr int kPackRows = std::lcm(kLanes, kTileRows);

// Where element (i, k) of A stands: rows a[i·a_ld + k], packed a[k·kPackRows + i], columns (a
// transposed matrix in place) a[k·a_ld + i].
enum class TileForm { rows, packed, columns };

constexpr std::int64_t kLineFloats = 16;

// sum[i][j] = Σ_k a[i, k]·b[k, j·kLanes …], one fma chain over rising k. Rows of b are b_step
// apart.
template <TileForm Form, Word word, int Rows, int Vectors>
[[gnu::always_inline]] inline void sum_tile(const float* a, std::int64_t a_ld, const float* b,
                                            std::int64_t b_step, std::int64_t depth,
                                            Vec (&sum)[Rows][Vectors]) {
#pragma GCC unroll 8
  for (int i = 0; i < Rows; ++i) {
#pragma GCC unroll 8
    for (int j = 0; j < Vectors; ++j) sum[i][j] = zero();
  }
  const std::int64_t row_step = Form == TileForm::rows ? a_ld : 1;
  const std::int64_t a_step = Form == TileForm::rows     ? 1
                              : Form == TileForm::packed ? kPackRows
                                                         : a_ld;
#pragma GCC unroll 4
  for (std::int64_t k = 0; k < depth; ++k) {
    Vec b_k[Vectors];
#pragma GCC unroll 8
    for (int j = 0; j < Vectors; ++j) b_k[j] = load(b + j * kLanes);
#pragma GCC unroll 8
    for (int i = 0; i < Rows; ++i) {
      const float* at = a + i * row_step;
      const Vec a_ik = word == Word::f32 ? set(*at) : set_pair(at);
#pragma GCC unroll 8
      for (int j = 0; j < Vectors; ++j) {
        if constexpr (word == Word::f32) {
          sum[i][j] = fma(a_ik, b_k[j], sum[i][j]);
        } else {
          sum[i][j] = dot_pairs(a_ik, b_k[j], sum[i][j]);
        }
      }
    }
    a += a_step;
    b += b_step;
  }
}

template <int Rows, int Vectors, TileForm Form, Word word>
[[gnu::noinline]] void multiply_tile(const Tile& tile) {
  // The lines of C come from memory while the sums are made.
#pragma GCC unroll 8
  for (int i = 0; i < Rows; ++i) {
    const float* row = tile.out + i * tile.ld;
#pragma GCC unroll 8
    for (std::int64_t at = 0; at < Vectors * kLanes; at += kLineFloats)
      __builtin_prefetch(row + at, 1);
    __builtin_prefetch(row + Vectors * kLanes - 1, 1);
  }
  Vec sum[Rows][Vectors];
  sum_tile<Form, word>(tile.a, tile.a_ld, tile.b, kPanel, tile.k, sum);
#pragma GCC unroll 8
  for (int i = 0; i < Rows; ++i) {
#pragma GCC unroll 8
    for (int j = 0; j < Vectors; ++j) {
      const std::int64_t at = i * tile.ld + j * kLanes;
      const bool partial = j == Vectors - 1 && tile.last < kLanes;
      Vec y = sum[i][j];
      if (tile.init != nullptr) {
        y = y + (partial ? load_n(tile.init + at, tile.last) : load(tile.init + at));
      }
      if (tile.bias != nullptr) y = y + load(tile.bias + j * kLanes);
      if (partial) {
        store_n(tile.out + at, y, tile.last);
      } else {
        store(tile.out + at, y);
      }
    }
  }
}

using TileKernel = void (*)(const Tile&);
struct TileKernels {
  TileKernel at[kTileRows * kTileVectors];
};
template <TileForm Form, Word word, int... I>
constexpr TileKernels list_tiles(std::integer_sequence<int, I...>) {
  return {{multiply_tile<I / kTileVectors + 1, I % kTileVectors + 1, Form, word>...}};
}
using TileIndices = std::make_integer_sequence<int, kTileRows * kTileVectors>;
template <TileForm Form, Word word = Word::f32>
constexpr TileKernels kTiles = list_tiles<Form, word>(TileIndices{});

inline const TileKernels& tiles_of(TileForm form, Word word) {
  if constexpr (kDotsPairs) {
    if (word == Word::bf16_pair)
      return form == TileForm::rows ? kTiles<TileForm::rows, Word::bf16_pair>
                                    : kTiles<TileForm::packed, Word::bf16_pair>;
  }
  return form == TileForm::rows     ? kTiles<TileForm::rows>
         : form == TileForm::packed ? kTiles<TileForm::packed>
                                    : kTiles<TileForm::columns>;
}

// rows of 1 … kTileRows, columns of 1 … kPanel; fills in tile.last.
inline void run_tile(Tile& tile, std::int64_t rows, std::int64_t columns, TileForm form) {
  const std::int64_t vectors = (columns + kLanes - 1) / kLanes;
  tile.last = static_cast<int>(columns - (vectors - 1) * kLanes);
  const std::int64_t index = (rows - 1) * kTileVectors + vectors - 1;
  tiles_of(form, tile.word).at[index](tile);
}

}  // namespace
}  // namespace ffn::inline v0::kernels::cpu::FFN_ISA_NAMESPACE
