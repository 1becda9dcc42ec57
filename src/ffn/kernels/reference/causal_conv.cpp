// Causal convolution over the tokens of sequences.
#include "ffn/kernels/reference/access.h"
#include "ffn/kernels/reference/families.h"

namespace ffn::inline v0::kernels::reference {
namespace {

// Row that tap j of row `row` reads; −1 before the sequence's first.
std::int64_t tap_row(std::int64_t row, std::int64_t tokens, std::int64_t k, std::int64_t j) {
  const std::int64_t lag = k - 1 - j;
  return row % tokens >= lag ? row - lag : -1;
}

void causal_conv_forward(const LaunchContext&, const CausalConvForwardArgs& args) {
  FFN_ASSERT(same_shape(args.x, args.y) && args.k >= 1);
  const auto body = [&]<class T>() {
    const Input<T> x(args.x), weight(args.weight), bias(args.bias);
    const Output<T> y(args.y);
    for (std::int64_t row = 0; row < args.x.rows; ++row) {
      for (std::int64_t c = 0; c < args.x.cols; ++c) {
        T sum = bias.get_or(0, c, 0);
        for (std::int64_t j = 0; j < args.k; ++j) {
          const std::int64_t from = tap_row(row, args.tokens, args.k, j);
          if (from >= 0) sum += weight(c, j) * x(from, c);
        }
        y.put(row, c, sum);
      }
    }
  };
  with_compute_type({args.x.dtype, args.weight.dtype, args.bias.dtype, args.y.dtype}, body);
}

template <class T>
void conv_dx(const CausalConvBackwardArgs& args) {
  const Input<T> weight(args.weight), dy(args.dy);
  const Output<T> dx(args.dx);
  for (std::int64_t row = 0; row < args.dy.rows; ++row) {
    for (std::int64_t c = 0; c < args.dy.cols; ++c) {
      T sum{};
      for (std::int64_t j = 0; j < args.k; ++j) {
        const std::int64_t lag = args.k - 1 - j;
        if (row % args.tokens + lag < args.tokens) sum += weight(c, j) * dy(row + lag, c);
      }
      dx.put(row, c, sum);
    }
  }
}

template <class T>
void conv_dweight(const CausalConvBackwardArgs& args) {
  const Input<T> x(args.x), dy(args.dy);
  const Output<T> dweight(args.dweight);
  for (std::int64_t c = 0; c < args.dy.cols; ++c) {
    for (std::int64_t j = 0; j < args.k; ++j) {
      T sum{};
      for (std::int64_t row = 0; row < args.dy.rows; ++row) {
        const std::int64_t from = tap_row(row, args.tokens, args.k, j);
        if (from >= 0) sum += dy(row, c) * x(from, c);
      }
      dweight.put(c, j, sum);
    }
  }
}

template <class T>
void conv_dbias(const CausalConvBackwardArgs& args) {
  const Input<T> dy(args.dy);
  const Output<T> dbias(args.dbias);
  for (std::int64_t c = 0; c < args.dy.cols; ++c) {
    T sum{};
    for (std::int64_t row = 0; row < args.dy.rows; ++row) sum += dy(row, c);
    dbias.put(0, c, sum);
  }
}

void causal_conv_backward(const LaunchContext&, const CausalConvBackwardArgs& args) {
  FFN_ASSERT(args.k >= 1);
  const auto body = [&]<class T>() {
    if (args.dx.to.data != nullptr) conv_dx<T>(args);
    if (args.dweight.to.data != nullptr) conv_dweight<T>(args);
    if (args.dbias.to.data != nullptr) conv_dbias<T>(args);
  };
  with_compute_type({args.x.dtype, args.weight.dtype, args.dy.dtype, args.dx.to.dtype,
                     args.dweight.to.dtype, args.dbias.to.dtype},
                    body);
}

}  // namespace

void add_causal_conv_kernels(KernelTable& table) {
  table.causal_conv_forward = causal_conv_forward;
  table.causal_conv_backward = causal_conv_backward;
  table.causal_conv_forward_workspace = [](std::int64_t, std::int64_t) -> std::int64_t {
    return 0;
  };
  table.causal_conv_backward_workspace = [](std::int64_t, std::int64_t,
                                            std::int64_t) -> std::int64_t { return 0; };
}

}  // namespace ffn::inline v0::kernels::reference
