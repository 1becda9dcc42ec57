// The small network, one row at a time.
#include "ffn/kernels/tiny_network.h"

#include <utility>

#include "ffn/base/faults.h"
#include "ffn/kernels/reference/access.h"
#include "ffn/kernels/reference/activation.h"
#include "ffn/kernels/reference/families.h"

namespace ffn::inline v0::kernels::reference {
namespace {

// Element (i, j) of matrix l.
template <class T>
T weight_at(const TinyNetworkShape& shape, const Input<T>& weights, std::int64_t l, std::int64_t i,
            std::int64_t j) {
  return weights(0, shape.offset(l) + i * shape.in_of(l) + j);
}

// What the hidden layers are before (z) and after (h) the activation, for one row: [L, width].
template <class T>
struct Hidden {
  T *z, *h;
  std::int64_t width;

  T& before(std::int64_t l, std::int64_t i) const { return z[l * width + i]; }
  T& after(std::int64_t l, std::int64_t i) const { return h[l * width + i]; }
};

std::int64_t hidden_count(const TinyNetworkShape& shape) {
  return shape.hidden_layers * shape.width;
}

// Value i of layer l's input.
template <class T>
T layer_input(const Input<T>& x, const Hidden<T>& hidden, std::int64_t row, std::int64_t l,
              std::int64_t i) {
  return l == 0 ? x(row, i) : hidden.after(l - 1, i);
}

template <class T>
T layer_sum(const TinyNetworkShape& shape, const Input<T>& x, const Input<T>& weights,
            const Hidden<T>& hidden, std::int64_t row, std::int64_t l, std::int64_t i) {
  T sum{};
  for (std::int64_t j = 0; j < shape.in_of(l); ++j) {
    sum += weight_at(shape, weights, l, i, j) * layer_input(x, hidden, row, l, j);
  }
  return sum;
}

template <class T>
void compute_hidden(const TinyNetworkShape& shape, const Input<T>& x, const Input<T>& weights,
                    std::int64_t row, const Hidden<T>& hidden) {
  for (std::int64_t l = 0; l < shape.hidden_layers; ++l) {
    for (std::int64_t i = 0; i < shape.width; ++i) {
      const T z = layer_sum(shape, x, weights, hidden, row, l, i);
      hidden.before(l, i) = z;
      hidden.after(l, i) = activate<T>(shape.activation, static_cast<double>(shape.beta), z);
    }
  }
}

void tiny_network_forward(const LaunchContext& ctx, const TinyNetworkForwardArgs& args) {
  const TinyNetworkShape& shape = args.shape;
  FFN_ASSERT(args.x.cols == shape.in && args.y.cols == shape.out && args.x.rows == args.y.rows);
  with_compute_type({args.x.dtype, args.weights.dtype, args.y.dtype}, [&]<class T>() {
    const Input<T> x(args.x), weights(args.weights);
    const Output<T> y(args.y);
    void* workspace = ctx.workspace;
    T* values = static_cast<T*>(workspace);
    const Hidden<T> hidden{values, values + hidden_count(shape), shape.width};
    for (std::int64_t row = 0; row < args.x.rows; ++row) {
      compute_hidden(shape, x, weights, row, hidden);
      for (std::int64_t i = 0; i < shape.out; ++i) {
        y.put(row, i, layer_sum(shape, x, weights, hidden, row, shape.hidden_layers, i));
      }
    }
  });
}

// From dz, the gradient of layer l's sums, to the gradient of its input i.
template <class T>
T input_gradient(const TinyNetworkShape& shape, const Input<T>& weights, std::int64_t l,
                 const T* dz, std::int64_t i) {
  T sum{};
  for (std::int64_t o = 0; o < shape.out_of(l); ++o) {
    sum += dz[o] * weight_at(shape, weights, l, o, i);
  }
  return sum;
}

// One row: adds to `dweights` and writes dx. dz and below hold max(width, out) values each.
template <class T>
void backward_row(const TinyNetworkBackwardArgs& args, const Hidden<T>& hidden, std::int64_t row,
                  T* dweights, T* dz, T* below) {
  const TinyNetworkShape& shape = args.shape;
  const Input<T> x(args.x), weights(args.weights), dy(args.dy);
  const Output<T> dx(args.dx);
  compute_hidden(shape, x, weights, row, hidden);
  for (std::int64_t i = 0; i < shape.out; ++i) dz[i] = dy(row, i);
  for (std::int64_t l = shape.hidden_layers; l >= 0; --l) {
    for (std::int64_t o = 0; o < shape.out_of(l); ++o) {
      for (std::int64_t j = 0; j < shape.in_of(l); ++j) {
        dweights[shape.offset(l) + o * shape.in_of(l) + j] +=
            dz[o] * layer_input(x, hidden, row, l, j);
      }
    }
    for (std::int64_t i = 0; l > 0 && i < shape.width; ++i) {
      const T slope = activation_slope<T>(shape.activation, static_cast<double>(shape.beta),
                                          hidden.before(l - 1, i));
      below[i] = (fault(23) && l == 1 ? T(1) : slope) * input_gradient(shape, weights, l, dz, i);
    }
    if (l > 0) std::swap(dz, below);
  }
  for (std::int64_t i = 0; dx.present() && i < shape.in; ++i) {
    dx.put(row, i, input_gradient(shape, weights, 0, dz, i));
  }
}

std::int64_t largest_layer(const TinyNetworkShape& shape) {
  return shape.width > shape.out ? shape.width : shape.out;
}

void tiny_network_backward(const LaunchContext& ctx, const TinyNetworkBackwardArgs& args) {
  const TinyNetworkShape& shape = args.shape;
  FFN_ASSERT(args.x.cols == shape.in && args.dy.cols == shape.out && args.x.rows == args.dy.rows);
  const auto body = [&]<class T>() {
    void* workspace = ctx.workspace;
    T* values = static_cast<T*>(workspace);
    const Hidden<T> hidden{values, values + hidden_count(shape), shape.width};
    T* dz = hidden.h + hidden_count(shape);
    T* below = dz + largest_layer(shape);
    T* sums = below + largest_layer(shape);
    for (std::int64_t i = 0; i < shape.weights(); ++i) sums[i] = T{};
    for (std::int64_t row = 0; row < args.x.rows; ++row) {
      backward_row(args, hidden, row, sums, dz, below);
    }
    const Output<T> dweights(args.dweights);
    for (std::int64_t i = 0; dweights.present() && i < shape.weights(); ++i) {
      dweights.put(0, i, sums[i]);
    }
  };
  with_compute_type(
      {args.x.dtype, args.weights.dtype, args.dy.dtype, args.dx.to.dtype, args.dweights.to.dtype},
      body);
}

constexpr auto kComplexBytes = static_cast<std::int64_t>(sizeof(Complex));

}  // namespace

void add_tiny_network_kernels(KernelTable& table) {
  table.tiny_network_forward = tiny_network_forward;
  table.tiny_network_backward = tiny_network_backward;
  table.tiny_network_forward_workspace = [](const TinyNetworkShape& shape, std::int64_t, DType,
                                            DType, int) {
    return 2 * hidden_count(shape) * kComplexBytes;
  };
  table.tiny_network_backward_workspace = [](const TinyNetworkShape& shape, std::int64_t, bool,
                                             int) {
    return (2 * (hidden_count(shape) + largest_layer(shape)) + shape.weights()) * kComplexBytes;
  };
}

}  // namespace ffn::inline v0::kernels::reference
