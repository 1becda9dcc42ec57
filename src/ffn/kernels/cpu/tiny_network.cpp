// The small network: each block of rows passes through all layers before the next block, so that
// hidden values never leave the cache. Weights are packed once per call and lie in L2.
#include <type_traits>

#include "ffn/kernels/cpu/activation.h"
#include "ffn/kernels/cpu/families.h"
#include "ffn/kernels/cpu/stream.h"
#include "ffn/kernels/cpu/tiny_network_plan.h"
#include "ffn/kernels/cpu/tiny_network_tile.h"

namespace ffn::inline v0::kernels::cpu::FFN_ISA_NAMESPACE {
namespace {

// Cuts a thread's scratch into pieces.
struct Pieces {
  float* next;

  float* take(std::int64_t floats) {
    float* piece = next;
    next += floats;
    return piece;
  }
};

// What is held between layers: words of `word`.
template <Word word>
using Held = std::conditional_t<word == Word::f32, float, Bf16>;
template <class Value>
constexpr DType kDTypeOf = std::is_same_v<Value, float> ? DType::f32 : DType::bf16;

// Rows in the cache or in an operand itself, read as words.
struct Block {
  ConstMatrix rows;

  const float* words() const { return static_cast<const float*>(rows.data); }
  std::int64_t ld() const { return rows.dtype == DType::bf16 ? rows.ld / 2 : rows.ld; }
};
template <class Value>
Block held_block(const Value* data, std::int64_t rows, std::int64_t cols, std::int64_t ld) {
  return {{data, kDTypeOf<Value>, rows, cols, ld}};
}

// Rows of an operand: in place where they consist of words (and are whole vectors, if those are
// wanted), else copied with zeros behind the last column. A stride of 4 KiB would put them into one
// cache set.
template <Word word>
Block block_of(const ConstMatrix& m, Range range, bool whole_vectors, float* buffer) {
  const ConstMatrix rows = rows_of(m, range.begin, range.end - range.begin);
  const Range all{0, rows.rows};
  FFN_ASSERT(m.dtype == DType::f32 || m.dtype == DType::bf16);
  if constexpr (word == Word::bf16_pair) {
    if (holds_words(rows) && rows.ld % 2048 != 0) return {rows};
    const PreparedA copy = copy_rows(PairRows(rows), all, {0, words_of(word, m.cols)}, buffer);
    return {{copy.data, DType::bf16, rows.rows, m.cols, 2 * copy.ld}};
  } else {
    const bool whole = !whole_vectors || m.cols % kLanes == 0;
    if (m.dtype == DType::f32 && whole && m.ld % 1024 != 0) return {rows};
    const PreparedA copy = m.dtype == DType::bf16
                               ? copy_rows(PlainRows<Bf16>(rows), all, {0, m.cols}, buffer)
                               : copy_rows(PlainRows<float>(rows), all, {0, m.cols}, buffer);
    return {{copy.data, DType::f32, rows.rows, m.cols, copy.ld}};
  }
}

// Where rows of a result are computed: in its own memory if they are whole vectors of f32, else in
// `buffer`, from which finish_rows() takes them.
struct ResultBlock {
  float* data;
  std::int64_t ld;
  bool in_place;
};
ResultBlock result_block(const GradMatrix& result, std::int64_t first, std::int64_t columns,
                         float* buffer) {
  const Matrix& to = result.to;
  if (to.dtype == DType::f32 && !result.accumulate && to.cols % kLanes == 0) {
    return {static_cast<float*>(to.data) + first * to.ld, to.ld, true};
  }
  return {buffer, columns, false};
}
void finish_rows(Writer& to, const ResultBlock& block, Range rows, std::int64_t cols) {
  if (block.in_place) return;
  for (std::int64_t row = rows.begin; row < rows.end; ++row) {
    const float* from = block.data + (row - rows.begin) * block.ld;
    for_row_segments(cols, [&](std::int64_t col, std::int64_t n) {
      map(n, to.begin(row, col), [](Vec v) { return v; }, from + col);
      to.end(row, col, n);
    });
  }
}

// to = f(from) over the hidden values of a block.
template <class Out, class F>
void map_block(const NetworkPlan& plan, std::int64_t rows, Out* to, F f, const float* from) {
  const std::int64_t ld = plan.ld();
  if (ld == plan.shape.width) return map(rows * ld, to, f, from);
  for (std::int64_t i = 0; i < rows; ++i) map(plan.shape.width, to + i * ld, f, from + i * ld);
}

// A block's rows and columns times packed weights.
template <Word word, class Out>
LayerProduct<Out> layer_product(const Block& in, std::int64_t columns, const float* panels,
                                Out* out, std::int64_t ld) {
  return {in.rows.rows, columns, words_of(word, in.rows.cols), in.words(), in.ld(), panels, 0,
          out,          ld};
}

// h = f(in·W_lᵀ) for hidden layer l; slopes = f' where wanted (not for relu, see Finish::mask).
// `pre` may be h.
template <Word word>
void hidden_layer(const NetworkPlan& plan, const float* packed, std::int64_t l, const Block& in,
                  Held<word>* h, float* pre, float* slopes) {
  const TinyNetworkShape& shape = plan.shape;
  const float* panels = packed + plan.forward_panels(l);
  if (plan.relu()) {
    return run_layer<TileForm::rows, Finish::relu, word>(
        layer_product<word>(in, shape.width, panels, h, plan.ld()));
  }
  run_layer<TileForm::rows, Finish::plain, word>(
      layer_product<word>(in, shape.width, panels, pre, plan.ld()));
  const std::int64_t rows = in.rows.rows;
  const DType digits = kDTypeOf<Held<word>>;
  if (slopes != nullptr) {
    with_activation_slope(shape.activation, shape.beta, digits,
                          [&](auto slope) { map_block(plan, rows, slopes, slope, pre); });
  }
  with_activation(shape.activation, shape.beta, digits,
                  [&](auto f) { map_block(plan, rows, h, f, pre); });
}

// Where values before an activation stand: where the values go, or apart if those are narrower.
template <class Value>
float* pre_of(Value* h, float* apart) {
  if constexpr (std::is_same_v<Value, float>) {
    return h;
  } else {
    return apart;
  }
}

template <Word word>
Held<word>* take_held(Pieces& pieces, const NetworkPlan& plan) {
  void* held = pieces.take(plan.held_words());
  return static_cast<Held<word>*>(held);
}

template <Word word>
void forward_rows(const NetworkPlan& plan, const TinyNetworkForwardArgs& args, const float* packed,
                  Range all, float* scratch) {
  const TinyNetworkShape& shape = plan.shape;
  Pieces pieces{scratch};
  float* copy = pieces.take(plan.copy_words(shape.in));
  Held<word>* hidden[2] = {take_held<word>(pieces, plan), take_held<word>(pieces, plan)};
  float* pre = pieces.take(plan.pre_floats());
  float* buffer = pieces.take(plan.result_floats(plan.out_columns()));
  Writer y(args.y);
  for (std::int64_t first = all.begin; first < all.end; first += plan.block()) {
    const Range rows{first, least(first + plan.block(), all.end)};
    const std::int64_t count = rows.end - rows.begin;
    Block in = block_of<word>(args.x, rows, false, copy);
    for (std::int64_t l = 0; l < shape.hidden_layers; ++l) {
      Held<word>* h = hidden[l % 2];
      hidden_layer<word>(plan, packed, l, in, h, pre_of(h, pre), nullptr);
      in = held_block(h, count, shape.width, plan.ld());
    }
    const ResultBlock out = result_block({args.y, false}, first, plan.out_columns(), buffer);
    run_layer<TileForm::rows, Finish::plain, word>(
        layer_product<word>(in, plan.out_columns(),
                            packed + plan.forward_panels(shape.hidden_layers), out.data, out.ld));
    finish_rows(y, out, rows, shape.out);
  }
}

void tiny_network_forward(const LaunchContext& ctx, const TinyNetworkForwardArgs& args) {
  const TinyNetworkShape& shape = args.shape;
  FFN_ASSERT(args.x.cols == shape.in && args.y.cols == shape.out && args.x.rows == args.y.rows);
  if (args.x.rows <= 0) return;
  const DType x = args.x.dtype, weights = args.weights.dtype;
  const NetworkPlan plan{shape, args.x.rows, word_of(x, weights)};
  FFN_ASSERT(ctx.workspace_bytes >=
             tiny_network_forward_workspace(shape, plan.rows, x, weights, thread_count(ctx)));
  void* workspace = ctx.workspace;
  float* packed = static_cast<float*>(workspace);
  pack_forward(ctx, plan, args.weights, shape.hidden_layers + 1, packed);
  const std::int64_t parts = network_parts(ctx, plan, ceil_div(plan.rows, kLeastBlock));
  for_parts(ctx, parts, [&](std::int64_t part) {
    float* scratch = packed + plan.forward_words() + part * plan.forward_scratch();
    const Range rows = split(plan.rows, kTileRows, parts, part);
    if constexpr (kDotsPairs) {
      if (plan.pairs()) return forward_rows<Word::bf16_pair>(plan, args, packed, rows, scratch);
    }
    forward_rows<Word::f32>(plan, args, packed, rows, scratch);
  });
}

// What one thread holds while it walks back over blocks.
struct BackwardState {
  const NetworkPlan& plan;
  const TinyNetworkBackwardArgs& args;
  const float *forward, *backward;  // packed weights
  float *x, *dy, *hidden, *slopes, *dz[2], *dx;
  Writer to;

  BackwardState(const NetworkPlan& network, const TinyNetworkBackwardArgs& given,
                const float* packed, float* scratch)
      : plan(network),
        args(given),
        forward(packed),
        backward(packed + network.forward_words()),
        to(given.dx) {
    Pieces pieces{scratch};
    const TinyNetworkShape& shape = plan.shape;
    x = pieces.take(plan.copy_words(shape.in));
    dy = pieces.take(plan.copy_words(shape.out));
    hidden = pieces.take(shape.hidden_layers * plan.held_words());
    slopes = plan.relu() ? nullptr : pieces.take(shape.hidden_layers * plan.slope_floats());
    for (float*& buffer : dz) buffer = pieces.take(plan.held_words());
    dx = pieces.take(plan.result_floats(plan.in_columns()));
  }
  float* hidden_of(std::int64_t l) const { return hidden + l * plan.block() * plan.ld(); }
  float* slopes_of(std::int64_t l) const {
    return plan.relu() ? nullptr : slopes + l * plan.slope_floats();
  }
};

// partial (+)= dzᵀ·in for layer l.
void add_weight_gradient(const BackwardState& state, std::int64_t l, const Block& dz,
                         const Block& in, bool first, float* partial) {
  const TinyNetworkShape shape = state.plan.partial_shape();
  const LayerProduct<float> product{
      shape.out_of(l), shape.in_of(l), in.rows.rows, dz.words(),
      dz.ld(),         in.words(),     in.ld(),      partial + shape.offset(l),
      shape.in_of(l)};
  if (first) return run_layer<TileForm::columns, Finish::plain, Word::f32>(product);
  run_layer<TileForm::columns, Finish::add, Word::f32>(product);
}

// dz of layer l − 1 = f' ⊙ dz·W_l.
void propagate(const BackwardState& state, std::int64_t l, const Block& dz, float* below) {
  const NetworkPlan& plan = state.plan;
  const float* panels = state.backward + plan.backward_panels(l);
  LayerProduct<float> product =
      layer_product<Word::f32>(dz, plan.shape.width, panels, below, plan.ld());
  product.mask = state.hidden_of(l - 1);
  product.slopes = state.slopes_of(l - 1);
  if (fault(75) && l == 1) return run_layer<TileForm::rows, Finish::plain, Word::f32>(product);
  if (plan.relu()) return run_layer<TileForm::rows, Finish::mask, Word::f32>(product);
  run_layer<TileForm::rows, Finish::scale, Word::f32>(product);
}

void input_gradient(BackwardState& state, Range rows, const Block& dz) {
  const NetworkPlan& plan = state.plan;
  if (state.args.dx.to.data == nullptr) return;
  const ResultBlock out = result_block(state.args.dx, rows.begin, plan.in_columns(), state.dx);
  run_layer<TileForm::rows, Finish::plain, Word::f32>(
      layer_product<Word::f32>(dz, plan.in_columns(), state.backward, out.data, out.ld));
  finish_rows(state.to, out, rows, plan.shape.in);
}

// One block: forward again, then back. partial is null where no weight gradient is wanted.
void backward_block(BackwardState& state, Range rows, bool first, float* partial) {
  const NetworkPlan& plan = state.plan;
  const TinyNetworkShape& shape = plan.shape;
  const std::int64_t count = rows.end - rows.begin, layers = shape.hidden_layers;
  const Block x = block_of<Word::f32>(state.args.x, rows, partial != nullptr, state.x);
  const auto hidden = [&](std::int64_t l) {
    return held_block(state.hidden_of(l), count, shape.width, plan.ld());
  };
  for (std::int64_t l = 0; l < layers; ++l) {
    float* h = state.hidden_of(l);
    hidden_layer<Word::f32>(plan, state.forward, l, l == 0 ? x : hidden(l - 1), h, h,
                            state.slopes_of(l));
  }
  Block dz = block_of<Word::f32>(state.args.dy, rows, false, state.dy);
  for (std::int64_t l = layers; l >= 0; --l) {
    if (partial != nullptr)
      add_weight_gradient(state, l, dz, l == 0 ? x : hidden(l - 1), first, partial);
    if (l == 0) break;
    propagate(state, l, dz, state.dz[l % 2]);
    dz = held_block(state.dz[l % 2], count, shape.width, plan.ld());
  }
  input_gradient(state, rows, dz);
}

// dweights (+)= the sums of all chunks, in their order.
void fold_chunks(const LaunchContext& ctx, const NetworkPlan& plan, const GradMatrix& dweights,
                 const float* partials) {
  const TinyNetworkShape &shape = plan.shape, padded = plan.partial_shape();
  const std::int64_t rows = shape.hidden_layers * shape.width + shape.out;
  const std::int64_t chunks = fault(76) ? least(plan.chunks(), 1) : plan.chunks();
  const auto plus = [](Vec a, Vec b) { return a + b; };
  for_row_ranges(
      ctx, rows, shape.width * most(chunks, 1), [&](std::int64_t begin, std::int64_t end) {
        Writer to(dweights);
        Buffer total;
        for (std::int64_t row = begin; row < end; ++row) {
          const std::int64_t l = least(row / shape.width, shape.hidden_layers);
          const std::int64_t i = row - l * shape.width;
          for_row_segments(shape.in_of(l), [&](std::int64_t col, std::int64_t n) {
            fill_with(n, total.data, 0);
            const std::int64_t from = padded.offset(l) + i * padded.in_of(l) + col;
            for (std::int64_t chunk = 0; chunk < chunks; ++chunk) {
              const float* sums = partials + chunk * plan.partial_floats() + from;
              map(n, total.data, plus, static_cast<const float*>(total.data), sums);
            }
            const std::int64_t at = shape.offset(l) + i * shape.in_of(l) + col;
            map(n, to.begin(0, at), [](Vec v) { return v; }, static_cast<const float*>(total.data));
            to.end(0, at, n);
          });
        }
      });
}

void backward_chunks(const LaunchContext& ctx, const NetworkPlan& plan,
                     const TinyNetworkBackwardArgs& args, const float* packed, float* partials) {
  const bool wants_weights = args.dweights.to.data != nullptr;
  float* scratch = partials + (wants_weights ? plan.chunks() * plan.partial_floats() : 0);
  const std::int64_t parts = network_parts(ctx, plan, plan.chunks());
  for_parts(ctx, parts, [&](std::int64_t part) {
    BackwardState state(plan, args, packed, scratch + part * plan.backward_scratch());
    const Range chunks = split(plan.chunks(), 1, parts, part);
    for (std::int64_t chunk = chunks.begin; chunk < chunks.end; ++chunk) {
      const std::int64_t begin = chunk * plan.chunk_rows();
      const std::int64_t end = least(plan.rows, begin + plan.chunk_rows());
      float* partial = wants_weights ? partials + chunk * plan.partial_floats() : nullptr;
      for (std::int64_t first = begin; first < end; first += plan.block()) {
        backward_block(state, {first, least(first + plan.block(), end)}, first == begin, partial);
      }
    }
  });
}
void tiny_network_backward(const LaunchContext& ctx, const TinyNetworkBackwardArgs& args) {
  const TinyNetworkShape& shape = args.shape;
  FFN_ASSERT(args.x.cols == shape.in && args.dy.cols == shape.out && args.x.rows == args.dy.rows);
  const NetworkPlan plan{shape, args.x.rows, Word::f32};
  const bool wants_weights = args.dweights.to.data != nullptr;
  FFN_ASSERT(ctx.workspace_bytes >=
             tiny_network_backward_workspace(shape, plan.rows, wants_weights, thread_count(ctx)));
  void* workspace = ctx.workspace;
  float* packed = static_cast<float*>(workspace);
  if (plan.rows > 0) {
    pack_forward(ctx, plan, args.weights, shape.hidden_layers, packed);
    const std::int64_t first_packed = args.dx.to.data != nullptr ? 0 : 1;
    pack_backward(ctx, plan, args.weights, first_packed, packed + plan.forward_words());
    float* partials = packed + plan.forward_words() + plan.backward_words();
    backward_chunks(ctx, plan, args, packed, partials);
    if (wants_weights) fold_chunks(ctx, plan, args.dweights, partials);
  } else if (wants_weights) {
    fold_chunks(ctx, plan, args.dweights, nullptr);
  }
}

}  // namespace

void fill_tiny_network(KernelTable& table) {
  table.tiny_network_forward = tiny_network_forward;
  table.tiny_network_backward = tiny_network_backward;
  table.tiny_network_forward_workspace = tiny_network_forward_workspace;
  table.tiny_network_backward_workspace = tiny_network_backward_workspace;
}

}  // namespace ffn::inline v0::kernels::cpu::FFN_ISA_NAMESPACE
