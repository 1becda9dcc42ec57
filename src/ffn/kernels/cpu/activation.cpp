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
      with_activation(args.kind, args.beta, args.y.dtype, [&](auto f) { map(at.n, to, f, from); });
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
      with_activation_slope(args.kind, args.beta, args.dx.to.dtype, [&](auto slope) {
        map(at.n, to, [=](Vec v, Vec u) { return slope(v) * u; }, value, upstream);
      });
      dx.end(at.row, at.col, at.n);
    };
  });
}

void neuron_forward(const LaunchContext& ctx, const NeuronForwardArgs& args) {
  FFN_ASSERT(args.pre.rows == args.neuron.rows && args.pre.cols == args.neuron.cols);
  Grid(args.pre, args.up, args.neuron).run(ctx, [&] {
    return [&args, pre = Reader(args.pre), up = Reader(args.up),
            neuron = Writer(args.neuron)](const Segment& at) mutable {
      pre.ask_next_row(at.row, at.col, at.n);
      up.ask_next_row(at.row, at.col, at.n);
      const float* value = pre.read(at.row, at.col, at.n);
      float* to = neuron.begin(at.row, at.col);
      with_activation(args.kind, args.beta, args.neuron.dtype, [&](auto f) {
        if (up.present()) {
          const float* factor = up.read(at.row, at.col, at.n);
          map(at.n, to, [=](Vec v, Vec u) { return f(v) * u; }, value, factor);
        } else {
          map(at.n, to, f, value);
        }
      });
      neuron.end(at.row, at.col, at.n);
    };
  });
}

// One vector of each operand at a time, all read before any is written: results may lie
// over operands.
template <class F, class Slope>
void gated_backward(const F& f, const Slope& slope, std::int64_t n, const float* pre,
                    const float* up, const float* dneuron, float* neuron, float* dpre, float* dup) {
  const auto step = [&](auto read, auto write, std::int64_t i) {
    const Vec x = read(pre + i), factor = read(up + i), upstream = read(dneuron + i);
    const Vec value = f(x);
    write(neuron + i, value * factor);
    write(dpre + i, slope(x) * (upstream * factor));
    write(dup + i, upstream * (fault(43) ? value * factor : value));
  };
  std::int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes)
    step([](const float* from) { return load(from); }, [](float* to, Vec v) { store(to, v); }, i);
  if (const int rest = static_cast<int>(n - i); rest > 0)
    step([=](const float* from) { return load_n(from, rest); },
         [=](float* to, Vec v) { store_n(to, v, rest); }, i);
}

void neuron_backward(const LaunchContext& ctx, const NeuronBackwardArgs& args) {
  FFN_ASSERT(args.pre.rows == args.dneuron.rows && args.pre.cols == args.dneuron.cols);
  FFN_ASSERT(args.pre.rows == 0 || (args.up.data == nullptr) == (args.dup.data == nullptr));
  Grid(args.pre, args.up, args.dneuron, args.neuron, args.dpre, args.dup).run(ctx, [&] {
    return [&args, pre = Reader(args.pre), up = Reader(args.up), dneuron = Reader(args.dneuron),
            neuron = Writer(args.neuron), dpre = Writer(args.dpre),
            dup = Writer(args.dup)](const Segment& at) mutable {
      pre.ask_next_row(at.row, at.col, at.n);
      up.ask_next_row(at.row, at.col, at.n);
      const float* value = pre.read(at.row, at.col, at.n);
      const float* upstream = dneuron.read(at.row, at.col, at.n);
      float *to = neuron.begin(at.row, at.col), *to_pre = dpre.begin(at.row, at.col);
      with_activation_and_slope(args.kind, args.beta, args.neuron.dtype, [&](auto f, auto slope) {
        if (up.present()) {
          gated_backward(f, slope, at.n, value, up.read(at.row, at.col, at.n), upstream, to, to_pre,
                         dup.begin(at.row, at.col));
        } else {
          map_pair(
              at.n, to, to_pre, [=](Vec v, Vec u) { return Pair{f(v), slope(v) * u}; }, value,
              upstream);
        }
      });
      neuron.end(at.row, at.col, at.n);
      dpre.end(at.row, at.col, at.n);
      if (dup.present()) dup.end(at.row, at.col, at.n);
    };
  });
}

}  // namespace

void fill_activation(KernelTable& table) {
  table.activation_forward = activation_forward;
  table.activation_backward = activation_backward;
  table.neuron_forward = neuron_forward;
  table.neuron_backward = neuron_backward;
}

}  // namespace ffn::inline v0::kernels::cpu::FFN_ISA_NAMESPACE
