// Elementwise kernels: activations, products and sums, conversion, dropout, jitter, AdamW.
#include <cmath>

#include "ffn/base/philox.h"
#include "ffn/kernels/reference/access.h"
#include "ffn/kernels/reference/activation.h"
#include "ffn/kernels/reference/families.h"

namespace ffn::inline v0::kernels::reference {
namespace {

// f(row, col) for every element of `shape`.
template <class F>
void for_each_element(const ConstMatrix& shape, const F& f) {
  for (std::int64_t row = 0; row < shape.rows; ++row) {
    for (std::int64_t col = 0; col < shape.cols; ++col) f(row, col);
  }
}

void activation_forward(const LaunchContext&, const ActivationForwardArgs& args) {
  FFN_ASSERT(same_shape(args.x, args.y));
  with_compute_type({args.x.dtype, args.y.dtype}, [&]<class T>() {
    const Input<T> x(args.x);
    const Output<T> y(args.y);
    for_each_element(args.y, [&](std::int64_t row, std::int64_t col) {
      y.put(row, col, activate<T>(args.kind, args.beta, x(row, col)));
    });
  });
}

void activation_backward(const LaunchContext&, const ActivationBackwardArgs& args) {
  FFN_ASSERT(same_shape(args.x, args.dy));
  if (args.dx.to.data == nullptr) return;
  with_compute_type({args.x.dtype, args.dy.dtype, args.dx.to.dtype}, [&]<class T>() {
    const Input<T> x(args.x), dy(args.dy);
    const Output<T> dx(args.dx);
    for_each_element(args.x, [&](std::int64_t row, std::int64_t col) {
      dx.put(row, col, activation_slope<T>(args.kind, args.beta, x(row, col)) * dy(row, col));
    });
  });
}

void neuron_forward(const LaunchContext&, const NeuronForwardArgs& args) {
  FFN_ASSERT(same_shape(args.pre, args.neuron));
  with_compute_type({args.pre.dtype, args.up.dtype, args.neuron.dtype}, [&]<class T>() {
    const Input<T> pre(args.pre), up(args.up);
    const Output<T> neuron(args.neuron);
    for_each_element(args.neuron, [&](std::int64_t row, std::int64_t col) {
      neuron.put(row, col,
                 activate<T>(args.kind, args.beta, pre(row, col)) * up.get_or(row, col, 1));
    });
  });
}

void neuron_backward(const LaunchContext&, const NeuronBackwardArgs& args) {
  FFN_ASSERT(same_shape(args.pre, args.dneuron) && same_shape(args.pre, args.neuron));
  with_compute_type(
      {args.pre.dtype, args.up.dtype, args.dneuron.dtype, args.neuron.dtype, args.dpre.dtype},
      [&]<class T>() {
        const Input<T> pre(args.pre), up(args.up), dneuron(args.dneuron);
        const Output<T> neuron(args.neuron), dpre(args.dpre), dup(args.dup);
        for_each_element(args.pre, [&](std::int64_t row, std::int64_t col) {
          const T x = pre(row, col), factor = up.get_or(row, col, 1), upstream = dneuron(row, col);
          const T value = activate<T>(args.kind, args.beta, x);
          neuron.put(row, col, value * factor);
          dpre.put(row, col, activation_slope<T>(args.kind, args.beta, x) * (upstream * factor));
          dup.put_if_present(row, col, upstream * value);
        });
      });
}

void multiply_forward(const LaunchContext&, const MultiplyForwardArgs& args) {
  FFN_ASSERT(same_shape(args.a, args.y) && same_shape(args.b, args.y));
  with_compute_type({args.a.dtype, args.b.dtype, args.y.dtype}, [&]<class T>() {
    const Input<T> a(args.a), b(args.b);
    const Output<T> y(args.y);
    for_each_element(args.y, [&](std::int64_t row, std::int64_t col) {
      y.put(row, col, a(row, col) * b(row, col));
    });
  });
}

void multiply_backward(const LaunchContext&, const MultiplyBackwardArgs& args) {
  FFN_ASSERT(same_shape(args.a, args.dy) && same_shape(args.b, args.dy));
  with_compute_type({args.a.dtype, args.b.dtype, args.dy.dtype, args.da.to.dtype, args.db.to.dtype},
                    [&]<class T>() {
                      const Input<T> a(args.a), b(args.b), dy(args.dy);
                      const Output<T> da(args.da), db(args.db);
                      for_each_element(args.dy, [&](std::int64_t row, std::int64_t col) {
                        const T slope_a = b(row, col), slope_b = a(row, col),
                                upstream = dy(row, col);
                        da.put_if_present(row, col, upstream * slope_a);
                        db.put_if_present(row, col, upstream * slope_b);
                      });
                    });
}

void add_forward(const LaunchContext&, const AddForwardArgs& args) {
  FFN_ASSERT(same_shape(args.a, args.y) && args.b.cols == args.a.cols);
  FFN_ASSERT(args.b.rows == 0 ? args.a.rows == 0 : args.a.rows % args.b.rows == 0);
  with_compute_type({args.a.dtype, args.b.dtype, args.y.dtype}, [&]<class T>() {
    const Input<T> a(args.a), b(args.b);
    const Output<T> y(args.y);
    for_each_element(args.y, [&](std::int64_t row, std::int64_t col) {
      y.put(row, col, a(row, col) + b(row % args.b.rows, col));
    });
  });
}

void copy(const LaunchContext&, const CopyArgs& args) {
  FFN_ASSERT(same_shape(args.x, args.y));
  with_compute_type({args.x.dtype, args.y.dtype}, [&]<class T>() {
    const Input<T> x(args.x);
    const Output<T> y(args.y, args.accumulate);
    for_each_element(args.y, [&](std::int64_t row, std::int64_t col) {
      y.put(row, col, static_cast<double>(args.alpha) * x(row, col));
    });
  });
}

void fill(const LaunchContext&, const FillArgs& args) {
  with_compute_type({args.y.dtype}, [&]<class T>() {
    const Output<T> y(args.y);
    for_each_element(args.y, [&](std::int64_t row, std::int64_t col) {
      y.put(row, col, T(static_cast<double>(args.value)));
    });
  });
}

void dropout(const LaunchContext&, const DropoutArgs& args) {
  FFN_ASSERT(same_shape(args.x, args.y) && args.p >= 0 && args.p <= 1);
  const double p = args.p;
  // 2^32 for p = 1: no 32-bit word reaches it, nothing is kept.
  const auto threshold = static_cast<std::uint64_t>(std::floor(p * 0x1p32));
  const RandomStream stream(args.key);
  with_compute_type({args.x.dtype, args.y.dtype}, [&]<class T>() {
    const Input<T> x(args.x);
    const Output<T> y(args.y, args.accumulate);
    for_each_element(args.y, [&](std::int64_t row, std::int64_t col) {
      const bool by_rows = args.rows_per_word > 0;
      const std::int64_t word = by_rows ? row / args.rows_per_word : row * args.x.cols + col;
      const auto element = static_cast<std::uint64_t>(word);
      const bool kept = stream.word(args.step, element) >= threshold;
      y.put(row, col, kept ? x(row, col) / (1 - p) : T(0));
    });
  });
}

void jitter(const LaunchContext&, const JitterArgs& args) {
  FFN_ASSERT(same_shape(args.x, args.y));
  const RandomStream stream(args.key);
  with_compute_type({args.x.dtype, args.y.dtype}, [&]<class T>() {
    const Input<T> x(args.x);
    const Output<T> y(args.y, args.accumulate);
    for_each_element(args.y, [&](std::int64_t row, std::int64_t col) {
      const auto element = static_cast<std::uint64_t>(row * args.x.cols + col);
      const double u = stream.word(args.step, element) * 0x1p-32;
      y.put(row, col, x(row, col) * (1 + static_cast<double>(args.amount) * (2 * u - 1)));
    });
  });
}

void scale_rows_forward(const LaunchContext&, const ScaleRowsForwardArgs& args) {
  FFN_ASSERT(same_shape(args.x, args.y) && args.w.rows == args.x.rows && args.w.cols == 1);
  with_compute_type({args.x.dtype, args.w.dtype, args.y.dtype}, [&]<class T>() {
    const Input<T> x(args.x), w(args.w);
    const Output<T> y(args.y);
    for_each_element(args.y, [&](std::int64_t row, std::int64_t col) {
      y.put(row, col, w(row, 0) * x(row, col));
    });
  });
}

void scale_rows_backward(const LaunchContext&, const ScaleRowsBackwardArgs& args) {
  FFN_ASSERT(same_shape(args.x, args.dy));
  with_compute_type({args.x.dtype, args.w.dtype, args.dy.dtype, args.dx.to.dtype, args.dw.to.dtype},
                    [&]<class T>() {
                      const Input<T> x(args.x), w(args.w), dy(args.dy);
                      const Output<T> dx(args.dx), dw(args.dw);
                      for (std::int64_t row = 0; row < args.dy.rows; ++row) {
                        T sum{};
                        for (std::int64_t col = 0; col < args.dy.cols; ++col)
                          sum += dy(row, col) * x(row, col);
                        dw.put_if_present(row, 0, sum);
                        for (std::int64_t col = 0; col < args.dy.cols; ++col) {
                          dx.put_if_present(row, col, w(row, 0) * dy(row, col));
                        }
                      }
                    });
}

void adamw(const LaunchContext&, const AdamWArgs& args) {
  FFN_ASSERT(same_shape(args.weight, args.gradient));
  with_compute_type(
      {args.weight.dtype, args.first_moment.dtype, args.second_moment.dtype, args.gradient.dtype,
       args.shadow.dtype},
      [&]<class T>() {
        const Input<T> weight(args.weight), first(args.first_moment), second(args.second_moment);
        const Input<T> gradient(args.gradient);
        const Output<T> new_weight(args.weight), new_first(args.first_moment);
        const Output<T> new_second(args.second_moment), shadow(args.shadow);
        for_each_element(args.weight, [&](std::int64_t row, std::int64_t col) {
          const T g = args.gradient_scale * gradient(row, col);
          const T m = args.beta1 * first(row, col) + (1 - args.beta1) * g;
          const T v = args.beta2 * second(row, col) + (1 - args.beta2) * g * g;
          const T w = weight(row, col);
          const T step = m / args.correction1 / (std::sqrt(v / args.correction2) + args.eps);
          const T updated = w - args.learning_rate * (args.weight_decay * w + step);
          new_first.put(row, col, m);
          new_second.put(row, col, v);
          new_weight.put(row, col, updated);
          shadow.put_if_present(row, col, updated);
        });
      });
}

}  // namespace

void add_pointwise_kernels(KernelTable& table) {
  table.activation_forward = activation_forward;
  table.activation_backward = activation_backward;
  table.neuron_forward = neuron_forward;
  table.neuron_backward = neuron_backward;
  table.multiply_forward = multiply_forward;
  table.multiply_backward = multiply_backward;
  table.add_forward = add_forward;
  table.copy = copy;
  table.fill = fill;
  table.dropout = dropout;
  table.jitter = jitter;
  table.scale_rows_forward = scale_rows_forward;
  table.scale_rows_backward = scale_rows_backward;
  table.adamw = adamw;
}

}  // namespace ffn::inline v0::kernels::reference
