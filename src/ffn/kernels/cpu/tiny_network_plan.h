// How the small network is cut into blocks and chunks of rows, and what stands where in the
// workspace.
#pragma once

#include "ffn/kernels/cpu/product_plan.h"
#include "ffn/kernels/tiny_network.h"

namespace ffn::inline v0::kernels::cpu::FFN_ISA_NAMESPACE {
namespace {

// Rows whose values of one layer stay in the first-level cache, or nearly: 24 KiB. Wide layers take
// at least kLeastBlock, so that each panel of weights serves several tiles. Multiples of every
// kTileRows.
constexpr std::int64_t kBlockWords = 6144, kLeastBlock = 48, kLargestBlock = 192;

// Weight gradients are summed over fixed chunks of rows, each with a copy of all weights: at most
// kChunks, and beyond kLeastChunks not more floats than kPartialFloats (16 MiB).
constexpr std::int64_t kChunks = 32, kLeastChunks = 4;
constexpr std::int64_t kPartialFloats = std::int64_t{1} << 22;

// All sizes are words; offsets of pieces are whole cache lines. Where the tiles of a forward pass
// multiply pairs of bf16, what is held between layers is bf16.
struct NetworkPlan {
  TinyNetworkShape shape;
  std::int64_t rows;
  Word word;

  // Columns of buffers are whole vectors.
  std::int64_t in_columns() const { return round_up(shape.in, kLanes); }
  std::int64_t out_columns() const { return round_up(shape.out, kLanes); }
  // Values from row to row of what is held, and words. A power of two would put the rows of a tile
  // into few cache sets.
  bool pairs() const { return word == Word::bf16_pair; }
  std::int64_t ld() const {
    const std::int64_t values = pairs() ? 2 : 1;
    return shape.width % (256 * values) == 0 ? shape.width + 16 * values : shape.width;
  }
  std::int64_t held_ld() const { return words_of(word, ld()); }
  std::int64_t block() const {
    const std::int64_t fitting = kBlockWords / words_of(word, shape.width) / kLeastBlock;
    return most(kLeastBlock, least(fitting * kLeastBlock, kLargestBlock));
  }
  bool relu() const { return shape.activation == Activation::relu; }

  // Panels for y = x·Wᵀ of each layer, then panels for dx = dy·W.
  std::int64_t depth(std::int64_t values) const { return words_of(word, values); }
  std::int64_t forward_panels(std::int64_t l) const {
    const std::int64_t before = depth(shape.in) + (l - 1) * depth(shape.width);
    return l == 0 ? 0 : round_up(shape.width, kPanel) * before;
  }
  std::int64_t forward_words() const {
    const std::int64_t last = forward_panels(shape.hidden_layers);
    return round_up(last + round_up(shape.out, kPanel) * depth(shape.width), 16);
  }
  std::int64_t backward_panels(std::int64_t l) const {
    const std::int64_t before =
        round_up(shape.in, kPanel) + (l - 1) * round_up(shape.width, kPanel);
    return l == 0 ? 0 : before * depth(shape.width);
  }
  std::int64_t backward_words() const {
    const std::int64_t last = backward_panels(shape.hidden_layers);
    return round_up(last + round_up(shape.width, kPanel) * depth(shape.out), 16);
  }

  // A thread's buffers. Copies of operands have the padded rows of copy_rows().
  static std::int64_t copied_ld(std::int64_t cols) { return round_up(cols, kRowPad) + kRowPad; }
  std::int64_t copy_words(std::int64_t cols) const { return block() * copied_ld(depth(cols)); }
  std::int64_t held_words() const { return block() * held_ld(); }
  std::int64_t result_floats(std::int64_t columns) const { return round_up(block() * columns, 16); }
  // Values before the activation, where they are not what is held: 0 or a block of f32.
  std::int64_t pre_floats() const { return pairs() && !relu() ? block() * ld() : 0; }
  std::int64_t slope_floats() const { return relu() ? 0 : block() * ld(); }
  std::int64_t forward_scratch() const {
    return copy_words(shape.in) + 2 * held_words() + pre_floats() + result_floats(out_columns());
  }
  // Hidden values of every layer, their slopes (relu has them in its values), two gradients.
  std::int64_t backward_scratch() const {
    const std::int64_t layers = shape.hidden_layers;
    return copy_words(shape.in) + copy_words(shape.out) + (layers + 2) * held_words() +
           layers * slope_floats() + result_floats(in_columns());
  }

  std::int64_t chunk_rows() const {
    const std::int64_t fitting = most(kLeastChunks, kPartialFloats / most(shape.weights(), 1));
    return round_up(most(ceil_div(rows, least(kChunks, fitting)), kLargestBlock), block());
  }
  std::int64_t chunks() const { return ceil_div(rows, chunk_rows()); }
  // A chunk's sums: as the weights, but rows of the first matrix are whole vectors.
  TinyNetworkShape partial_shape() const {
    TinyNetworkShape padded = shape;
    padded.in = in_columns();
    return padded;
  }
  std::int64_t partial_floats() const { return round_up(partial_shape().weights(), 16); }
};

inline std::int64_t tiny_network_forward_workspace(const TinyNetworkShape& shape, std::int64_t rows,
                                                   DType x, DType weights, int threads) {
  if (rows <= 0) return 0;
  const NetworkPlan plan{shape, rows, word_of(x, weights)};
  return (plan.forward_words() + threads * plan.forward_scratch()) * kFloatBytes;
}
inline std::int64_t tiny_network_backward_workspace(const TinyNetworkShape& shape,
                                                    std::int64_t rows, bool wants_weights,
                                                    int threads) {
  if (rows <= 0) return 0;
  const NetworkPlan plan{shape, rows, Word::f32};
  const std::int64_t partials = wants_weights ? plan.chunks() * plan.partial_floats() : 0;
  return (plan.forward_words() + plan.backward_words() + partials +
          threads * plan.backward_scratch()) *
         kFloatBytes;
}

// Threads that `rows` rows are worth, at most `parts`.
inline std::int64_t network_parts(const LaunchContext& ctx, const NetworkPlan& plan,
                                  std::int64_t parts) {
  const std::int64_t work = plan.rows * plan.shape.weights() / kEnoughWork;
  return most(1, least(least(thread_count(ctx), work), parts));
}

inline ConstMatrix layer_weights(const ConstMatrix& weights, const TinyNetworkShape& shape,
                                 std::int64_t l) {
  const std::int64_t bytes = weights.dtype == DType::f32 ? 4 : 2;
  const auto* data = static_cast<const std::byte*>(weights.data) + shape.offset(l) * bytes;
  return {data, weights.dtype, shape.out_of(l), shape.in_of(l), shape.in_of(l)};
}
inline void pack_forward(const LaunchContext& ctx, const NetworkPlan& plan,
                         const ConstMatrix& weights, std::int64_t layers, float* packed) {
  for (std::int64_t l = 0; l < layers; ++l) {
    const ConstMatrix w = layer_weights(weights, plan.shape, l);
    pack_extent(ctx, plan.word, ProductForm::nt, w, {0, w.rows}, {0, w.cols},
                packed + plan.forward_panels(l));
  }
}
inline void pack_backward(const LaunchContext& ctx, const NetworkPlan& plan,
                          const ConstMatrix& weights, std::int64_t first, float* packed) {
  for (std::int64_t l = first; l <= plan.shape.hidden_layers; ++l) {
    const ConstMatrix w = layer_weights(weights, plan.shape, l);
    pack_extent(ctx, plan.word, ProductForm::nn, w, {0, w.cols}, {0, w.rows},
                packed + plan.backward_panels(l));
  }
}

}  // namespace
}  // namespace ffn::inline v0::kernels::cpu::FFN_ISA_NAMESPACE
