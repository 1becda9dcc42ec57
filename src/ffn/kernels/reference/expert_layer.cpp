// Layers of experts, row by row.
#include "ffn/kernels/expert_layer.h"

#include "ffn/kernels/reference/access.h"
#include "ffn/kernels/reference/activation.h"
#include "ffn/kernels/reference/families.h"

namespace ffn::inline v0::kernels::reference {
namespace {

// The hidden values of one row. Complex is the widest compute type.
std::int64_t expert_layer_workspace(const ExpertLayerShape& shape, int) {
  return shape.hidden * static_cast<std::int64_t>(sizeof(Complex));
}

// A row of `in` values times row `r` of a matrix, plus an element of a bias.
template <class T, class In>
T mapped(const In& in, std::int64_t count, const Input<T>& weight, std::int64_t r, const T& bias) {
  T sum{};
  for (std::int64_t k = 0; k < count; ++k) sum += in(k)*weight(r, k);
  return sum + bias;
}

void expert_layer(const LaunchContext& ctx, const ExpertLayerArgs& args) {
  const std::int64_t D = args.x.cols, H = args.up.rows / args.experts;
  FFN_ASSERT(args.offsets == nullptr
                 ? args.experts == 1
                 : args.offsets[0] == 0 && args.offsets[args.experts] == args.x.rows);
  FFN_ASSERT(ctx.workspace_bytes >= H * static_cast<std::int64_t>(sizeof(Complex)));
  with_compute_type({args.x.dtype, args.up.dtype, args.y.dtype}, [&]<class T>() {
    const Input<T> x(args.x), gate(args.gate), up(args.up), down(args.down);
    const Input<T> gate_bias(args.gate_bias), up_bias(args.up_bias), down_bias(args.down_bias);
    const Output<T> y(args.y, false);
    T* hidden = reinterpret_cast<T*>(ctx.workspace);
    for (std::int64_t e = 0; e < args.experts; ++e) {
      const std::int64_t first = args.offsets == nullptr ? 0 : args.offsets[e];
      const std::int64_t last = args.offsets == nullptr ? args.x.rows : args.offsets[e + 1];
      for (std::int64_t row = first; row < last; ++row) {
        const auto of_x = [&](std::int64_t k) { return x(row, k); };
        const auto act = [&](const T& v) { return activate<T>(args.activation, args.beta, v); };
        for (std::int64_t h = 0; h < H; ++h) {
          hidden[h] = mapped<T>(of_x, D, up, e * H + h, up_bias.get_or(e, h, 0));
          hidden[h] =
              args.gate.data == nullptr
                  ? act(hidden[h])
                  : act(mapped<T>(of_x, D, gate, e * H + h, gate_bias.get_or(e, h, 0))) * hidden[h];
        }
        const auto of_hidden = [&](std::int64_t h) { return hidden[h]; };
        for (std::int64_t d = 0; d < D; ++d)
          y.put(row, d, mapped<T>(of_hidden, H, down, e * D + d, down_bias.get_or(e, d, 0)));
      }
    }
  });
}

}  // namespace

void add_expert_layer_kernels(KernelTable& table) {
  table.expert_layer = expert_layer;
  table.expert_layer_workspace = expert_layer_workspace;
  table.pack_layer = [](const LaunchContext&, const PackLayerArgs&) {};
  table.packed_layer_bytes = [](const ExpertLayerShape&) -> std::int64_t { return 0; };
}

}  // namespace ffn::inline v0::kernels::reference
