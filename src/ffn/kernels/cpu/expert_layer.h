// Layers of experts in one pass. A list of (expert, rows) goes round the threads, cut at equal
// numbers of rows; of an expert a strip of hidden units is packed once, and then each block of its
// rows makes its hidden values, which stay in the cache, and adds its share of y.
//
// Strips are the pieces of the reduction over H, and no product depends on where rows are cut: in
// f32 the result is that of the composition bit for bit, for any number of threads. Nor does it
// depend on whether panels are packed as the first rows pass or were packed beforehand.
#pragma once

#include "ffn/kernels/cpu/activation.h"
#include "ffn/kernels/cpu/expert_layer_panels.h"
#include "ffn/kernels/cpu/product_grouped.h"
#include "ffn/kernels/expert_layer.h"

namespace ffn::inline v0::kernels::cpu::FFN_ISA_NAMESPACE {
namespace {

// What one thread needs, in words.
struct LayerLayout {
  std::int64_t strip, tile_ld, tile, narrow, panels, bias, rows, few_bias, few_ld, few_narrow, few,
      total;
  ScratchFloats scratch;
};
// Whether rows of x may lie a multiple of 4 KiB apart, so that they are copied to be read: once for
// all strips if they are one block, once for both maps if there are more.
inline bool copies_rows(const ExpertLayerShape& shape) {
  const std::int64_t bytes = shape.x == DType::f32 ? 4 : 2;
  const bool words = word_of(shape.x, shape.weights) == Word::bf16_pair || shape.x == DType::f32;
  return words && shape.width * bytes % 4096 == 0;
}
inline LayerLayout layer_layout(const ExpertLayerShape& shape) {
  LayerLayout layout{};
  const std::int64_t D = shape.width, H = shape.hidden, in_maps = shape.gated ? 2 : 1;
  layout.strip = strip_hidden(H);
  layout.tile_ld = round_up(layout.strip, kPanel) + kRowPad;
  layout.tile = kBlockRows * layout.tile_ld;
  const bool pairs = word_of(shape.x, shape.weights) == Word::bf16_pair;
  layout.narrow = pairs ? words_of(Word::bf16_pair, layout.tile) : 0;
  layout.panels = strip_panels(shape, layout.strip).total;
  layout.bias = round_up(most(D, layout.strip), kPanel);
  layout.few_bias = round_up(most(D, H), kPanel);
  layout.scratch = scratch_floats({ProductForm::nt, kBlockRows, most(D, layout.strip),
                                   most(D, layout.strip), shape.x, shape.weights, DType::f32},
                                  round_up(most(D, layout.strip), kPanel));
  layout.few_ld = round_up(H, 16);
  layout.few_narrow = pairs ? kFewRows * words_of(Word::bf16_pair, layout.few_ld) : 0;
  layout.few = in_maps * kFewRows * layout.few_ld + layout.few_narrow +
               few_rows_floats({ProductForm::nt, kFewRows, 0, most(D, pairs ? H : 0), shape.x});
  const std::int64_t row_words = words_of(pairs ? Word::bf16_pair : Word::f32, D);
  layout.rows = copies_rows(shape) ? round_up(prepared_a_words(kBlockRows, row_words), 16) : 0;
  const std::int64_t tiles =
      in_maps * layout.tile + layout.narrow + layout.panels + layout.rows + layout.scratch.a;
  layout.total = round_up(most(layout.bias + tiles, layout.few_bias + layout.few), 16);
  return layout;
}

// f32 sums of a bf16 y, [R, D], then what each thread needs.
inline std::int64_t expert_layer_workspace(const ExpertLayerShape& shape, int threads) {
  if (shape.rows <= 0 || shape.width <= 0 || shape.hidden <= 0) return 0;
  const std::int64_t sums = shape.x == DType::f32 ? 0 : round_up(shape.rows * shape.width, 16);
  return (sums + threads * layer_layout(shape).total) * kFloatBytes;
}

// One expert's rows on one thread.
class LayerPiece {
 public:
  LayerPiece(const ExpertLayerArgs& args, const Matrix& sums, const ExpertLayerShape& shape,
             float* own)
      : args_(args), sums_(sums), shape_(shape), layout_(layer_layout(shape)), bias_(own) {
    panels_ = own + layout_.bias;
    hidden_ = panels_ + layout_.panels;
    other_ = hidden_ + (shape.gated ? layout_.tile : 0);
    void* narrow = other_ + layout_.tile;
    if (layout_.narrow > 0) narrow_ = static_cast<Bf16*>(narrow);
    rows_ = other_ + layout_.tile + layout_.narrow;
    scratch_ = rows_ + layout_.rows;
  }

  // Rows [first, last) of expert e, strip by strip of hidden units.
  void run(std::int64_t e, std::int64_t first, std::int64_t last) {
    for (std::int64_t begin = 0; begin < shape_.hidden; begin += layout_.strip) {
      const Range strip{begin, least(begin + layout_.strip, shape_.hidden)};
      const std::int64_t block = block_rows(last - first);
      for (std::int64_t row = first; row < last; row += block) {
        const Range rows{row, least(row + block, last)};
        const StripWeights weights = strip_weights(e, strip, row == first);
        const TileFinish neurons{finish_neurons, this};
        map_in(rows, weights.up, bias_part(args_.up_bias, e, strip), hidden_,
               shape_.gated ? TileFinish{} : neurons);
        if (shape_.gated)
          map_in(rows, weights.gate, bias_part(args_.gate_bias, e, strip), other_, neurons);
        map_down(rows, weights.down, e, strip);
      }
    }
  }

  // All of an expert's rows, few of them: nothing is packed.
  void run_few(std::int64_t e, std::int64_t first, std::int64_t last) {
    const std::int64_t M = last - first, H = shape_.hidden, ld = layout_.few_ld;
    float* hidden = bias_ + layout_.few_bias;
    float* other = hidden + (shape_.gated ? kFewRows * ld : 0);
    void* narrow = other + kFewRows * ld;
    float* converted = other + kFewRows * ld + layout_.few_narrow;
    const ConstMatrix x = rows_of(args_.x, first, M);
    const auto in = [&](const ConstMatrix& weights, const ConstMatrix& bias, float* to) {
      multiply_few(problem(x, {to, DType::f32, M, H, ld}, bias_part(bias, e, {0, H}), false),
                   rows_of(weights, e * H, H), converted);
    };
    in(args_.up, args_.up_bias, hidden);
    if (shape_.gated) in(args_.gate, args_.gate_bias, other);
    ConstMatrix neurons{hidden, DType::f32, M, H, ld};
    if (narrow_ != nullptr) {
      neurons = {narrow, DType::bf16, M, H, ld};
      activate(M, H, hidden, other, ld, static_cast<Bf16*>(narrow));
    } else {
      activate(M, H, hidden, other, ld, hidden);
    }
    multiply_few(problem(neurons, rows_of(sums_, first, M),
                         bias_part(args_.down_bias, e, {0, shape_.width}), false),
                 rows_of(args_.down, e * shape_.width, shape_.width), converted);
  }

 private:
  static Problem problem(const ConstMatrix& a, const Matrix& c, const float* bias,
                         bool accumulate) {
    return {ProductForm::nt, a, c, a.rows, c.cols, a.cols, product_piece(a.cols), bias, accumulate};
  }
  // A strip of a map's weights and its panels, which are still to be filled where there is `room`.
  struct Weights {
    ConstMatrix matrix;
    const float* packed;
    float* room;
  };
  struct StripWeights {
    Weights up, gate, down;
  };
  StripWeights strip_weights(std::int64_t e, Range strip, bool first_rows) const {
    const std::int64_t units = fault(44) ? layout_.strip : strip.end - strip.begin;
    const StripPanels at = strip_panels(shape_, units);
    const float* packed = panels_;
    if (args_.packed != nullptr) packed = packed_strip(args_.packed, shape_, e, strip.begin);
    float* room = args_.packed == nullptr && first_rows ? panels_ : nullptr;
    const auto weights = [&](const ConstMatrix& matrix, std::int64_t offset) {
      return Weights{matrix, packed + offset, room == nullptr ? nullptr : room + offset};
    };
    const StripMatrices of = strip_matrices(shape_, args_.gate, args_.up, args_.down, e, strip);
    return {weights(of.up, at.up), weights(of.gate, at.gate), weights(of.down, at.down)};
  }
  // Columns of row e of a bias as f32.
  const float* bias_part(const ConstMatrix& bias, std::int64_t e, Range columns) const {
    if (bias.data == nullptr) return nullptr;
    const std::int64_t n = columns.end - columns.begin;
    return widen_bias(cols_of(rows_of(bias, e, 1), columns.begin, n), n, bias_);
  }

  static void multiply_few(Problem problem, const ConstMatrix& b, float* converted) {
    problem.word = word_of(problem.a.dtype, b.dtype);
    multiply_few_rows(problem, b, few_rows_a(problem, converted), {0, problem.N});
  }
  void multiply(Problem problem, const Weights& weights) const {
    problem.word = word_of(problem.a.dtype, weights.matrix.dtype);
    const ConstMatrix* source = weights.room == nullptr ? nullptr : &weights.matrix;
    const std::int64_t step = words_of(problem.word, problem.K) * kPanel;
    const PackedB b{weights.packed, step, 0, 0, problem.word, source, weights.room};
    multiply_range(problem, b, {0, problem.M}, {0, problem.N}, {0, problem.K}, {scratch_, nullptr});
  }
  // Rows of x so that tiles read them where they stand, if the layout has room for them.
  ConstMatrix x_rows(Range rows, DType weights) {
    ConstMatrix x = rows_of(args_.x, rows.begin, rows.end - rows.begin);
    Problem reading = problem(x, {}, nullptr, false);
    reading.word = word_of(x.dtype, weights);
    if (layout_.rows == 0 || reads_in_place(reading)) return x;
    const Range all{0, x.rows}, words{0, words_of(reading.word, x.cols)};
    const std::int64_t ld = round_up(words.end, kRowPad) + kRowPad;
    if (rows.begin != copied_.begin || rows.end != copied_.end) {
      if (reading.word == Word::bf16_pair) {
        copy_rows(PairRows(x), all, words, rows_);
      } else {
        copy_rows(PlainRows<float>(x), all, words, rows_);
      }
      copied_ = rows;
    }
    x.data = rows_;
    x.ld = reading.word == Word::bf16_pair ? 2 * ld : ld;
    return x;
  }
  void map_in(Range rows, const Weights& weights, const float* bias, float* tile,
              TileFinish finish) {
    const std::int64_t M = rows.end - rows.begin, N = weights.matrix.rows;
    Problem map = problem(x_rows(rows, weights.matrix.dtype),
                          {tile, DType::f32, M, N, layout_.tile_ld}, bias, false);
    map.finish = finish;
    multiply(map, weights);
  }
  static void finish_neurons(const void* piece, Range rows, Range columns) {
    const LayerPiece& self = *static_cast<const LayerPiece*>(piece);
    const std::int64_t at = rows.begin * self.layout_.tile_ld + columns.begin;
    const std::int64_t M = rows.end - rows.begin, N = columns.end - columns.begin;
    const std::int64_t ld = self.layout_.tile_ld;
    if (self.narrow_ != nullptr) {
      self.activate(M, N, self.hidden_ + at, self.other_ + at, ld, self.narrow_ + at);
    } else {
      self.activate(M, N, self.hidden_ + at, self.other_ + at, ld, self.hidden_ + at);
    }
  }
  // to = act(hidden), or act(gate) ⊙ hidden; operands and results are rounded to x's type, as where
  // they are stored.
  template <class Out>
  void activate(std::int64_t rows, std::int64_t columns, const float* hidden, const float* gate,
                std::int64_t ld, Out* to) const {
    const auto exact = [](Vec v) { return v; };
    const auto rounded = [](Vec v) { return as_bf16(v); };
    if (shape_.x != DType::bf16) {
      activate_as(exact, exact, rows, columns, hidden, gate, ld, to);
    } else if constexpr (sizeof(Out) == sizeof(Bf16)) {
      activate_as(rounded, exact, rows, columns, hidden, gate, ld, to);  // stored, it is rounded
    } else {
      activate_as(rounded, rounded, rows, columns, hidden, gate, ld, to);
    }
  }
  template <class In, class Result, class Out>
  void activate_as(const In& in, const Result& result, std::int64_t rows, std::int64_t columns,
                   const float* hidden, const float* gate, std::int64_t ld, Out* to) const {
    with_activation(args_.activation, args_.beta, shape_.x, [&](auto f) {
      for (std::int64_t row = 0; row < rows; ++row, hidden += ld, gate += ld, to += ld) {
        if (shape_.gated) {
          const auto neuron = [&](Vec g, Vec up) { return result(f(in(g)) * in(up)); };
          map(columns, to, neuron, gate, hidden);
        } else {
          map(columns, to, [&](Vec v) { return result(f(in(v))); }, hidden);
        }
      }
    });
  }
  // The strip's share of y; the bias comes with the last one, as in a product.
  void map_down(Range rows, const Weights& weights, std::int64_t e, Range strip) const {
    const std::int64_t M = rows.end - rows.begin, K = strip.end - strip.begin;
    const bool last = strip.end == shape_.hidden;
    const float* bias = last ? bias_part(args_.down_bias, e, {0, shape_.width}) : nullptr;
    ConstMatrix hidden{hidden_, DType::f32, M, K, layout_.tile_ld};
    if (narrow_ != nullptr) hidden = {narrow_, DType::bf16, M, K, layout_.tile_ld};
    multiply(problem(hidden, rows_of(sums_, rows.begin, M), bias, strip.begin > 0), weights);
  }

  const ExpertLayerArgs& args_;
  Matrix sums_;
  ExpertLayerShape shape_;
  LayerLayout layout_;
  float *bias_, *panels_, *hidden_, *other_, *rows_, *scratch_;
  Range copied_ = {};       // rows of x that rows_ holds
  Bf16* narrow_ = nullptr;  // where the tiles multiply pairs of bf16: the hidden values
};

inline Range rows_of_expert(const ExpertLayerArgs& args, std::int64_t e) {
  if (args.offsets == nullptr) return {0, args.x.rows};
  return {args.offsets[e], args.offsets[e + 1]};
}

// Rows [begin, end) of the sorted rows, expert by expert. An expert of few rows belongs to the
// range that its first row lies in.
inline void run_rows(const ExpertLayerArgs& args, LayerPiece& piece, Range range) {
  for (std::int64_t e = 0; e < args.experts; ++e) {
    const auto [first, last] = rows_of_expert(args, e);
    if (has_few_rows(ProductForm::nt, Word::f32, last - first)) {
      if (first < last && first >= range.begin && first < range.end) piece.run_few(e, first, last);
      continue;
    }
    const Range here{most(first, range.begin), least(last, range.end)};
    if (here.begin < here.end) piece.run(e, here.begin, here.end);
  }
}

inline void expert_layer(const LaunchContext& ctx, const ExpertLayerArgs& args) {
  const ExpertLayerShape shape{args.x.rows,
                               args.x.cols,
                               args.up.rows / most(args.experts, 1),
                               args.experts,
                               args.gate.data != nullptr,
                               args.x.dtype,
                               args.up.dtype};
  if (shape.rows <= 0 || shape.width <= 0) return;
  FFN_ASSERT(args.offsets == nullptr
                 ? args.experts == 1
                 : args.offsets[0] == 0 && args.offsets[args.experts] == shape.rows);
  FFN_ASSERT(shape.hidden > 0 && args.y.dtype == args.x.dtype);
  FFN_ASSERT(ctx.workspace_bytes >= expert_layer_workspace(shape, thread_count(ctx)));
  const LayerLayout layout = layer_layout(shape);
  void* workspace = ctx.workspace;
  float* rest = static_cast<float*>(workspace);
  Matrix sums = args.y;
  if (args.y.dtype == DType::bf16) {
    sums = {rest, DType::f32, shape.rows, shape.width, shape.width};
    rest += round_up(shape.rows * shape.width, 16);
  }
  const std::int64_t row_work = shape.width * shape.hidden;
  const std::int64_t threads =
      most(least(thread_count(ctx), shape.rows * row_work / kEnoughWork), 1);
  for_parts(ctx, threads, [&](std::int64_t part) {
    LayerPiece piece(args, sums, shape, rest + part * layout.total);
    run_rows(args, piece, split(shape.rows, kTileRows, threads, part));
  });
  if (args.y.dtype != DType::bf16) return;
  for_ranges(ctx, shape.rows, 1, most(kEnoughWork / shape.width, 1),
             [&](std::int64_t begin, std::int64_t end) {
               round_tile(static_cast<const float*>(sums.data) + begin * sums.ld, sums.ld,
                          end - begin, shape.width,
                          static_cast<Bf16*>(args.y.data) + begin * args.y.ld, args.y.ld);
             });
}

}  // namespace
}  // namespace ffn::inline v0::kernels::cpu::FFN_ISA_NAMESPACE
