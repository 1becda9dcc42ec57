// Activations and their gradients.
#include "ffn/kernels/cpu/activation.h"

#include "ffn/kernels/cpu/stream.h"
#include "ffn/kernels/table.h"

namespace ffn::inline v0::kernels::cpu::FFN_ISA_NAMESPACE {
void fill_activation(KernelTable& table);

namespace {

void activation_forward(const LaunchContext& ctx, const ActivationForwardArgs& args) {
  FFN_ASSERT(args.x.rows == args.y.rows && args.x.cols == args.y.cols);
  Grid(args.x, args.y).run(ctx, [&] {
    return [&args, x = Reader(args.x), y = Writer(args.y)](const Segment& at) mutable {
      const float* from = x.read(at.row, at.col, at.n);
      float* to = y.begin(at.row, at.col);
      with_activation(args.kind, args.beta, [&](auto f) { map(at.n, to, f, from); });
      y.end(at.row, at.col, at.n);
    };
  });
}

void activation_backward(const LaunchContext& ctx, const ActivationBackwardArgs& args) {
  if (args.dx.to.data == nullptr) return;
  FFN_ASSERT(args.x.rows == args.dy.rows && args.x.cols == args.dy.cols);
  Grid(args.x, args.dy, args.dx.to).run(ctx, [&] {
    return [&args, x = Reader(args.x), dy = Reader(args.dy),
            dx = Writer(args.dx)](const Segment& at) mutable {
      const float* value = x.read(at.row, at.col, at.n);
      const float* upstream = dy.read(at.row, at.col, at.n);
      float* to = dx.begin(at.row, at.col);
      with_activation_slope(args.kind, args.beta, [&](auto slope) {
        map(at.n, to, [=](Vec v, Vec u) { return slope(v) * u; }, value, upstream);
      });
      dx.end(at.row, at.col, at.n);
    };
  });
}

}  // namespace

void fill_activation(KernelTable& table) {
  table.activation_forward = activation_forward;
  table.activation_backward = activation_backward;
}

}  // namespace ffn::inline v0::kernels::cpu::FFN_ISA_NAMESPACE
