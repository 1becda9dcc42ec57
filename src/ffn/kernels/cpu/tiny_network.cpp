// The small network: each block of rows passes through all layers before the next block, so that
// hidden values never leave the cache. Weights are packed once per call and lie in L2.
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

// Rows of f32 in the cache or in an operand itself.
struct Block {
  const float* data;
  std::int64_t ld;
};

// Rows of an operand: in place where they are f32 (and whole vectors, if those are wanted), else
// copied with zeros behind the last column. A stride of 4 KiB would put them into one cache set.
Block block_of(const ConstMatrix& m, Range rows, bool whole_vectors, float* buffer) {
  const bool whole = !whole_vectors || m.cols % kLanes == 0;
  if (m.dtype == DType::f32 && whole && m.ld % 1024 != 0) {
    return {static_cast<const float*>(m.data) + rows.begin * m.ld, m.ld};
  }
  FFN_ASSERT(m.dtype == DType::f32 || m.dtype == DType::bf16);
  const PreparedA copy = m.dtype == DType::bf16
                             ? copy_rows(PlainRows<Bf16>(m), rows, {0, m.cols}, buffer)
                             : copy_rows(PlainRows<float>(m), rows, {0, m.cols}, buffer);
  return {copy.data, copy.ld};
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
template <class F>
void map_block(const NetworkPlan& plan, std::int64_t rows, float* to, F f, const float* from) {
  const std::int64_t ld = plan.ld();
  if (ld == plan.shape.width) return map(rows * ld, to, f, from);
  for (std::int64_t i = 0; i < rows; ++i) map(plan.shape.width, to + i * ld, f, from + i * ld);
}

// h = f(in·W_lᵀ) for hidden layer l; slopes = f' where wanted (not for relu, see Finish::mask).
void hidden_layer(const NetworkPlan& plan, const float* packed, std::int64_t l, std::int64_t rows,
                  const Block& in, float* h, float* slopes) {
  const TinyNetworkShape& shape = plan.shape;
  const LayerProduct layer{
      rows,    shape.width, shape.in_of(l), in.data, in.ld, packed + plan.forward_panels(l), 0,
      nullptr, h,           plan.ld()};
  if (plan.relu()) return run_layer<TileForm::rows, Finish::relu>(layer);
  run_layer<TileForm::rows, Finish::plain>(layer);
  if (slopes != nullptr) {
    with_activation_slope(shape.activation, shape.beta, DType::f32,
                          [&](auto slope) { map_block(plan, rows, slopes, slope, h); });
  }
  with_activation(shape.activation, shape.beta, DType::f32,
                  [&](auto f) { map_block(plan, rows, h, f, h); });
}

void forward_rows(const NetworkPlan& plan, const TinyNetworkForwardArgs& args, const float* packed,
                  Range all, float* scratch) {
  const TinyNetworkShape& shape = plan.shape;
  Pieces pieces{scratch};
  float* copy = pieces.take(plan.copy_floats(shape.in));
  float* hidden[2] = {pieces.take(plan.hidden_floats()), pieces.take(plan.hidden_floats())};
  float* buffer = pieces.take(plan.result_floats(plan.out_columns()));
  Writer y(args.y);
  for (std::int64_t first = all.begin; first < all.end; first += plan.block()) {
    const Range rows{first, least(first + plan.block(), all.end)};
    const std::int64_t count = rows.end - rows.begin;
    Block in = block_of(args.x, rows, false, copy);
    for (std::int64_t l = 0; l < shape.hidden_layers; ++l) {
      hidden_layer(plan, packed, l, count, in, hidden[l % 2], nullptr);
      in = {hidden[l % 2], plan.ld()};
    }
    const ResultBlock out = result_block({args.y, false}, first, plan.out_columns(), buffer);
    run_layer<TileForm::rows, Finish::plain>(
        {count, plan.out_columns(), shape.width, in.data, in.ld,
         packed + plan.forward_panels(shape.hidden_layers), 0, nullptr, out.data, out.ld});
    finish_rows(y, out, rows, shape.out);
  }
}

void tiny_network_forward(const LaunchContext& ctx, const TinyNetworkForwardArgs& args) {
  const TinyNetworkShape& shape = args.shape;
  FFN_ASSERT(args.x.cols == shape.in && args.y.cols == shape.out && args.x.rows == args.y.rows);
  if (args.x.rows <= 0) return;
  const NetworkPlan plan{shape, args.x.rows};
  FFN_ASSERT(ctx.workspace_bytes >=
             tiny_network_forward_workspace(shape, plan.rows, thread_count(ctx)));
  void* workspace = ctx.workspace;
  float* packed = static_cast<float*>(workspace);
  pack_forward(ctx, plan, args.weights, shape.hidden_layers + 1, packed);
  const std::int64_t parts = network_parts(ctx, plan, ceil_div(plan.rows, kLeastBlock));
  for_parts(ctx, parts, [&](std::int64_t part) {
    float* scratch = packed + plan.forward_floats() + part * plan.forward_scratch();
    forward_rows(plan, args, packed, split(plan.rows, kTileRows, parts, part), scratch);
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
        backward(packed + network.forward_floats()),
        to(given.dx) {
    Pieces pieces{scratch};
    const std::int64_t layers = plan.shape.hidden_layers;
    x = pieces.take(plan.copy_floats(plan.shape.in));
    dy = pieces.take(plan.copy_floats(plan.shape.out));
    hidden = pieces.take(layers * plan.hidden_floats());
    slopes = plan.relu() ? nullptr : pieces.take(layers * plan.hidden_floats());
    for (float*& buffer : dz) buffer = pieces.take(plan.hidden_floats());
    dx = pieces.take(plan.result_floats(plan.in_columns()));
  }
  float* hidden_of(std::int64_t l) const { return hidden + l * plan.hidden_floats(); }
  float* slopes_of(std::int64_t l) const {
    return plan.relu() ? nullptr : slopes + l * plan.hidden_floats();
  }
};

// partial (+)= dzᵀ·in for layer l.
void add_weight_gradient(const BackwardState& state, std::int64_t l, std::int64_t count,
                         const Block& dz, const Block& in, bool first, float* partial) {
  const NetworkPlan& plan = state.plan;
  const TinyNetworkShape shape = plan.partial_shape();
  const LayerProduct product{
      shape.out_of(l),           shape.in_of(l), count, dz.data, dz.ld, in.data, in.ld, nullptr,
      partial + shape.offset(l), shape.in_of(l)};
  if (first) return run_layer<TileForm::columns, Finish::plain>(product);
  run_layer<TileForm::columns, Finish::add>(product);
}

// dz of layer l − 1 = f' ⊙ dz·W_l.
void propagate(const BackwardState& state, std::int64_t l, std::int64_t count, const Block& dz,
               float* below) {
  const NetworkPlan& plan = state.plan;
  const float* panels = state.backward + plan.backward_panels(l);
  LayerProduct product{
      count, plan.shape.width, plan.shape.out_of(l), dz.data, dz.ld, panels, 0, nullptr,
      below, plan.ld()};
  if (fault(75) && l == 1) return run_layer<TileForm::rows, Finish::plain>(product);
  product.gate = plan.relu() ? state.hidden_of(l - 1) : state.slopes_of(l - 1);
  if (plan.relu()) return run_layer<TileForm::rows, Finish::mask>(product);
  run_layer<TileForm::rows, Finish::scale>(product);
}

void input_gradient(BackwardState& state, Range rows, const Block& dz) {
  const NetworkPlan& plan = state.plan;
  if (state.args.dx.to.data == nullptr) return;
  const ResultBlock out = result_block(state.args.dx, rows.begin, plan.in_columns(), state.dx);
  run_layer<TileForm::rows, Finish::plain>({rows.end - rows.begin, plan.in_columns(),
                                            plan.shape.width, dz.data, dz.ld, state.backward, 0,
                                            nullptr, out.data, out.ld});
  finish_rows(state.to, out, rows, plan.shape.in);
}

// One block: forward again, then back. partial is null where no weight gradient is wanted.
void backward_block(BackwardState& state, Range rows, bool first, float* partial) {
  const NetworkPlan& plan = state.plan;
  const std::int64_t count = rows.end - rows.begin, layers = plan.shape.hidden_layers;
  const Block x = block_of(state.args.x, rows, partial != nullptr, state.x);
  Block in = x;
  for (std::int64_t l = 0; l < layers; ++l) {
    hidden_layer(plan, state.forward, l, count, in, state.hidden_of(l), state.slopes_of(l));
    in = {state.hidden_of(l), plan.ld()};
  }
  Block dz = block_of(state.args.dy, rows, false, state.dy);
  for (std::int64_t l = layers; l >= 0; --l) {
    in = l == 0 ? x : Block{state.hidden_of(l - 1), plan.ld()};
    if (partial != nullptr) add_weight_gradient(state, l, count, dz, in, first, partial);
    if (l == 0) break;
    propagate(state, l, count, dz, state.dz[l % 2]);
    dz = {state.dz[l % 2], plan.ld()};
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
  const NetworkPlan plan{shape, args.x.rows};
  const bool wants_weights = args.dweights.to.data != nullptr;
  FFN_ASSERT(ctx.workspace_bytes >=
             tiny_network_backward_workspace(shape, plan.rows, wants_weights, thread_count(ctx)));
  void* workspace = ctx.workspace;
  float* packed = static_cast<float*>(workspace);
  if (plan.rows > 0) {
    pack_forward(ctx, plan, args.weights, shape.hidden_layers, packed);
    const std::int64_t first_packed = args.dx.to.data != nullptr ? 0 : 1;
    pack_backward(ctx, plan, args.weights, first_packed, packed + plan.forward_floats());
    float* partials = packed + plan.forward_floats() + plan.backward_floats();
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
