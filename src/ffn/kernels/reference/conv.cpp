// Depthwise convolution over a grid of tokens.
#include "ffn/kernels/reference/access.h"
#include "ffn/kernels/reference/families.h"

namespace ffn::inline v0::kernels::reference {
namespace {

// Place `at` moved by tap (i, j) of a k × k window: by (i − k/2, j − k/2), or the other way round.
// −1 outside the grid.
std::int64_t moved(const TokenGrid& grid, std::int64_t k, std::int64_t at, std::int64_t tap,
                   bool back = false) {
  const std::int64_t down = tap / k - k / 2, right = tap % k - k / 2;
  const std::int64_t y = at / grid.width + (back ? -down : down);
  const std::int64_t x = at % grid.width + (back ? -right : right);
  const bool inside = y >= 0 && y < grid.height && x >= 0 && x < grid.width;
  return inside ? y * grid.width + x : -1;
}

// Calls body(row, first, place) for every row: `first` is the row of its sequence's place 0, place
// is −1 in prefix rows.
template <class Body>
void for_each_row(const ConstMatrix& rows, const TokenGrid& grid, const Body& body) {
  FFN_ASSERT(grid.rows() > 0 && rows.rows % grid.rows() == 0);
  for (std::int64_t row = 0; row < rows.rows; ++row) {
    const std::int64_t token = row % grid.rows();
    body(row, row - token + grid.prefix, token < grid.prefix ? -1 : token - grid.prefix);
  }
}

void depthwise_conv_forward(const LaunchContext&, const DepthwiseConvForwardArgs& args) {
  FFN_ASSERT(same_shape(args.x, args.y) && args.k % 2 == 1);
  const auto body = [&]<class T>() {
    const Input<T> x(args.x), weight(args.weight), bias(args.bias);
    const Output<T> y(args.y);
    for_each_row(args.x, args.grid, [&](std::int64_t row, std::int64_t first, std::int64_t place) {
      for (std::int64_t c = 0; c < args.x.cols; ++c) {
        T sum = place < 0 ? x(row, c) : bias.get_or(0, c, 0);
        for (std::int64_t tap = 0; place >= 0 && tap < args.k * args.k; ++tap) {
          const std::int64_t from = moved(args.grid, args.k, place, tap);
          if (from >= 0) sum += weight(c, tap) * x(first + from, c);
        }
        y.put(row, c, sum);
      }
    });
  };
  with_compute_type({args.x.dtype, args.weight.dtype, args.bias.dtype, args.y.dtype}, body);
}

template <class T>
void conv_dx(const DepthwiseConvBackwardArgs& args) {
  const Input<T> weight(args.weight), dy(args.dy);
  const Output<T> dx(args.dx);
  for_each_row(args.dy, args.grid, [&](std::int64_t row, std::int64_t first, std::int64_t place) {
    for (std::int64_t c = 0; c < args.dy.cols; ++c) {
      T sum = place < 0 ? dy(row, c) : T{};
      for (std::int64_t tap = 0; place >= 0 && tap < args.k * args.k; ++tap) {
        const std::int64_t to = moved(args.grid, args.k, place, tap, true);
        if (to >= 0) sum += weight(c, tap) * dy(first + to, c);
      }
      dx.put(row, c, sum);
    }
  });
}

template <class T>
void conv_dweight(const DepthwiseConvBackwardArgs& args) {
  const Input<T> x(args.x), dy(args.dy);
  const Output<T> dweight(args.dweight);
  for (std::int64_t c = 0; c < args.dy.cols; ++c) {
    for (std::int64_t tap = 0; tap < args.k * args.k; ++tap) {
      T sum{};
      for_each_row(
          args.dy, args.grid, [&](std::int64_t row, std::int64_t first, std::int64_t place) {
            const std::int64_t from = place < 0 ? -1 : moved(args.grid, args.k, place, tap);
            if (from >= 0) sum += dy(row, c) * x(first + from, c);
          });
      dweight.put(c, tap, sum);
    }
  }
}

template <class T>
void conv_dbias(const DepthwiseConvBackwardArgs& args) {
  const Input<T> dy(args.dy);
  const Output<T> dbias(args.dbias);
  for (std::int64_t c = 0; c < args.dy.cols; ++c) {
    T sum{};
    for_each_row(args.dy, args.grid, [&](std::int64_t row, std::int64_t, std::int64_t place) {
      if (place >= 0) sum += dy(row, c);
    });
    dbias.put(0, c, sum);
  }
}

void depthwise_conv_backward(const LaunchContext&, const DepthwiseConvBackwardArgs& args) {
  FFN_ASSERT(args.k % 2 == 1);
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

void add_conv_kernels(KernelTable& table) {
  table.depthwise_conv_forward = depthwise_conv_forward;
  table.depthwise_conv_backward = depthwise_conv_backward;
  table.depthwise_conv_forward_workspace = [](std::int64_t, std::int64_t) -> std::int64_t {
    return 0;
  };
  table.depthwise_conv_backward_workspace = [](std::int64_t, std::int64_t,
                                               std::int64_t) -> std::int64_t { return 0; };
}

}  // namespace ffn::inline v0::kernels::reference
