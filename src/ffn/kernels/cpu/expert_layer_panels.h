// The weights of layers as panels, strip by strip of hidden units: packed as a layer goes through
// them, or once beforehand, expert by expert, in the order in which it will.
#pragma once

#include "ffn/kernels/cpu/product_plan.h"
#include "ffn/kernels/expert_layer.h"

namespace ffn::inline v0::kernels::cpu::FFN_ISA_NAMESPACE {
namespace {

// Hidden units of a strip: a piece of the reduction over H, so that y is summed as by one product.
// A tile of kBlockRows × 384 hidden values is 207 KiB, a gated layer has two, of a 512 KiB L2.
inline std::int64_t strip_hidden(std::int64_t hidden) { return product_piece(hidden); }

// Where the panels of one strip of `hidden` units stand, in words: up, gate, down.
struct StripPanels {
  std::int64_t up, gate, down, total;
};
inline StripPanels strip_panels(const ExpertLayerShape& shape, std::int64_t hidden) {
  const Word word = word_of(shape.x, shape.weights);
  const std::int64_t in = round_up(hidden, kPanel) * words_of(word, shape.width);
  const std::int64_t down = round_up(shape.width, kPanel) * words_of(word, hidden);
  const std::int64_t gate = shape.gated ? in : 0;
  return {gate, 0, gate + in, round_up(gate + in + down, 16)};
}

inline ConstMatrix cols_of(const ConstMatrix& matrix, std::int64_t first, std::int64_t cols) {
  const std::int64_t bytes = first * (matrix.dtype == DType::bf16 ? 2 : kFloatBytes);
  ConstMatrix part = matrix;
  part.data = static_cast<const std::byte*>(matrix.data) + bytes;
  part.cols = cols;
  return part;
}

struct StripMatrices {
  ConstMatrix up, gate, down;
};
inline StripMatrices strip_matrices(const ExpertLayerShape& shape, const ConstMatrix& gate,
                                    const ConstMatrix& up, const ConstMatrix& down, std::int64_t e,
                                    Range strip) {
  const std::int64_t first = e * shape.hidden + strip.begin, count = strip.end - strip.begin;
  return {rows_of(up, first, count), shape.gated ? rows_of(gate, first, count) : ConstMatrix{},
          cols_of(rows_of(down, e * shape.width, shape.width), strip.begin, count)};
}

inline std::int64_t packed_expert_words(const ExpertLayerShape& shape) {
  const std::int64_t strip = strip_hidden(shape.hidden), whole = shape.hidden / strip;
  return whole * strip_panels(shape, strip).total +
         strip_panels(shape, shape.hidden - whole * strip).total;
}
inline std::int64_t packed_layer_bytes(const ExpertLayerShape& shape) {
  return shape.experts * packed_expert_words(shape) * kFloatBytes;
}
inline std::int64_t packed_strip_offset(const ExpertLayerShape& shape, std::int64_t e,
                                        std::int64_t first_unit) {
  const std::int64_t strip = strip_hidden(shape.hidden);
  return e * packed_expert_words(shape) + first_unit / strip * strip_panels(shape, strip).total;
}
inline const float* packed_strip(const void* packed, const ExpertLayerShape& shape, std::int64_t e,
                                 std::int64_t first_unit) {
  return static_cast<const float*>(packed) + packed_strip_offset(shape, e, first_unit);
}

inline void pack_layer(const LaunchContext& ctx, const PackLayerArgs& args) {
  const ExpertLayerShape shape{0,
                               args.up.cols,
                               args.up.rows / most(args.experts, 1),
                               args.experts,
                               args.gate.data != nullptr,
                               args.x,
                               args.up.dtype};
  const Word word = word_of(shape.x, shape.weights);
  const std::int64_t piece = strip_hidden(shape.hidden);
  const std::int64_t strips = ceil_div(shape.hidden, piece);
  for_ranges(ctx, args.experts * strips, 1, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      const std::int64_t e = i / strips, first = i % strips * piece;
      const Range strip{first, least(first + piece, shape.hidden)};
      const StripPanels at = strip_panels(shape, strip.end - strip.begin);
      float* to = static_cast<float*>(args.packed) + packed_strip_offset(shape, e, first);
      const auto pack = [&](const ConstMatrix& b, std::int64_t offset) {
        pack_extent(LaunchContext{}, word, ProductForm::nt, b, {0, b.rows}, {0, b.cols},
                    to + offset);
      };
      const StripMatrices of = strip_matrices(shape, args.gate, args.up, args.down, e, strip);
      pack(of.up, at.up);
      if (shape.gated) pack(of.gate, at.gate);
      pack(of.down, at.down);
    }
  });
}

}  // namespace
}  // namespace ffn::inline v0::kernels::cpu::FFN_ISA_NAMESPACE
