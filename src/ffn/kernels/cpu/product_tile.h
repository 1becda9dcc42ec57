// The innermost loop of every matrix product: a tile of C, kTileRows × kPanel, in registers.
//   AVX2: 4 × 24 = 12 accumulators of 16 registers; per k three loads of B and four broadcasts of A
//   feed 12 multiply-adds (6 cycles at two per cycle, 3.5 of them with loads). AVX-512: 6 × 64 = 24
//   of 32.
#pragma once

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

// out[i, n] = (Σ_k a[i, k]·b[k, n] + init[i, n]) + bias[n], the sum one fma chain over rising k.
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
};

// Rows of A that stand together in packed form: as few as are whole tiles, and whole vectors where
// that is possible.
constexpr int kPackRows = kLanes % kTileRows == 0 ? kLanes : kTileRows;

// Where element (i, k) of A stands: rows a[i·a_ld + k], packed a[k·kPackRows + i], columns (a
// transposed matrix in place) a[k·a_ld + i].
enum class TileForm { rows, packed, columns };

constexpr std::int64_t kLineFloats = 16;

// sum[i][j] = Σ_k a[i, k]·b[k, j·kLanes …], one fma chain over rising k. Rows of b are b_step
// apart.
template <TileForm Form, int Rows, int Vectors>
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
      const Vec a_ik = set(a[i * row_step]);
#pragma GCC unroll 8
      for (int j = 0; j < Vectors; ++j) sum[i][j] = fma(a_ik, b_k[j], sum[i][j]);
    }
    a += a_step;
    b += b_step;
  }
}

template <int Rows, int Vectors, TileForm Form>
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
  sum_tile<Form>(tile.a, tile.a_ld, tile.b, kPanel, tile.k, sum);
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
template <TileForm Form, int... I>
constexpr TileKernels list_tiles(std::integer_sequence<int, I...>) {
  return {{multiply_tile<I / kTileVectors + 1, I % kTileVectors + 1, Form>...}};
}
using TileIndices = std::make_integer_sequence<int, kTileRows * kTileVectors>;
constexpr TileKernels kRowTiles = list_tiles<TileForm::rows>(TileIndices{});
constexpr TileKernels kPackedTiles = list_tiles<TileForm::packed>(TileIndices{});
constexpr TileKernels kColumnTiles = list_tiles<TileForm::columns>(TileIndices{});

// rows of 1 … kTileRows, columns of 1 … kPanel; fills in tile.last.
inline void run_tile(Tile& tile, std::int64_t rows, std::int64_t columns, TileForm form) {
  const std::int64_t vectors = (columns + kLanes - 1) / kLanes;
  tile.last = static_cast<int>(columns - (vectors - 1) * kLanes);
  const std::int64_t index = (rows - 1) * kTileVectors + vectors - 1;
  const TileKernels& kernels = form == TileForm::rows     ? kRowTiles
                               : form == TileForm::packed ? kPackedTiles
                                                          : kColumnTiles;
  kernels.at[index](tile);
}

}  // namespace
}  // namespace ffn::inline v0::kernels::cpu::FFN_ISA_NAMESPACE
