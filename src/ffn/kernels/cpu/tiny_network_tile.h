// Layers of the small network over a block of rows that lies in the cache, out of the register
// tiles of product_tile.h. Buffers have rows of whole vectors, so no tile has a partial one.
#pragma once

#include "ffn/kernels/cpu/product_tile.h"

namespace ffn::inline v0::kernels::cpu::FFN_ISA_NAMESPACE {
namespace {

// What becomes of a tile's sums s before they leave the registers: s, out + s, max(0, s), s where
// gate > 0 (else 0), gate·s.
enum class Finish { plain, add, relu, mask, scale };

// out[rows, columns] = finish(A·B), columns a multiple of kLanes; depth and the leading dimensions
// of A and B count words.
//   TileForm::rows     A [rows, depth]; B in panels of kPanel columns, a panel every depth·kPanel
//   TileForm::columns  A stored [depth, rows]; B [depth, columns] with rows b_ld apart
template <class Out>
struct LayerProduct {
  std::int64_t rows, columns, depth;
  const float* a;
  std::int64_t a_ld;
  const float* b;
  std::int64_t b_ld;
  Out* out;
  std::int64_t ld;  // of out and the gate
  const Out* mask = nullptr;
  const float* slopes = nullptr;
};

template <TileForm Form, Finish finish, Word word, class Out, int Rows, int Vectors>
[[gnu::noinline]] void layer_tile(const LayerProduct<Out>& at) {
  Vec sum[Rows][Vectors];
  sum_tile<Form, word>(at.a, at.a_ld, at.b, Form == TileForm::rows ? kPanel : at.b_ld, at.depth,
                       sum);
#pragma GCC unroll 8
  for (int i = 0; i < Rows; ++i) {
#pragma GCC unroll 8
    for (int j = 0; j < Vectors; ++j) {
      const std::int64_t to = i * at.ld + j * kLanes;
      Vec y = sum[i][j];
      if constexpr (finish == Finish::add) y = load(at.out + to) + y;
      if constexpr (finish == Finish::relu) y = max(y, zero());
      if constexpr (finish == Finish::mask) y = select(gt(load(at.mask + to), zero()), y, zero());
      if constexpr (finish == Finish::scale) y = load(at.slopes + to) * y;
      store(at.out + to, y);
    }
  }
}

template <class Out>
struct LayerTiles {
  void (*at[kTileRows * kTileVectors])(const LayerProduct<Out>&);
};
template <TileForm Form, Finish finish, Word word, class Out, int... I>
constexpr LayerTiles<Out> list_layer_tiles(std::integer_sequence<int, I...>) {
  return {{layer_tile<Form, finish, word, Out, I / kTileVectors + 1, I % kTileVectors + 1>...}};
}

template <TileForm Form, Finish finish, Word word, class Out>
void run_layer(const LayerProduct<Out>& layer) {
  constexpr LayerTiles<Out> kTiles = list_layer_tiles<Form, finish, word, Out>(TileIndices{});
  LayerProduct<Out> tile = layer;
  for (std::int64_t n = 0; n < layer.columns; n += kPanel) {
    const std::int64_t left = layer.columns - n;
    const std::int64_t vectors = left < kPanel ? left / kLanes : kTileVectors;
    tile.b = layer.b + n * (Form == TileForm::rows ? layer.depth : 1);
    for (std::int64_t m = 0; m < layer.rows; m += kTileRows) {
      const std::int64_t rows = layer.rows - m < kTileRows ? layer.rows - m : kTileRows;
      tile.a = layer.a + m * (Form == TileForm::rows ? layer.a_ld : 1);
      tile.out = layer.out + m * layer.ld + n;
      if constexpr (finish == Finish::mask) tile.mask = layer.mask + m * layer.ld + n;
      if constexpr (finish == Finish::scale) tile.slopes = layer.slopes + m * layer.ld + n;
      kTiles.at[(rows - 1) * kTileVectors + vectors - 1](tile);
    }
  }
}

}  // namespace
}  // namespace ffn::inline v0::kernels::cpu::FFN_ISA_NAMESPACE
