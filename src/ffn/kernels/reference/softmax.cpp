// Softmax over rows.
#include <algorithm>
#include <cmath>

#include "ffn/base/faults.h"
#include "ffn/kernels/reference/access.h"
#include "ffn/kernels/reference/families.h"

namespace ffn::inline v0::kernels::reference {
namespace {

// The columns [0, n) that `row` sees.
std::int64_t visible_columns(const SoftmaxForwardArgs& args, std::int64_t row) {
  if (!args.causal) return args.x.cols;
  FFN_ASSERT(args.causal_period > 0);
  const std::int64_t last = args.causal_offset + row % args.causal_period;
  return std::clamp<std::int64_t>(last + 1, 0, args.x.cols);
}

void softmax_forward(const LaunchContext&, const SoftmaxForwardArgs& args) {
  FFN_ASSERT(same_shape(args.x, args.y));
  with_compute_type({args.x.dtype, args.y.dtype}, [&]<class T>() {
    const Input<T> x(args.x);
    const Output<T> y(args.y);
    for (std::int64_t row = 0; row < args.x.rows; ++row) {
      const std::int64_t visible = visible_columns(args, row);
      const auto scaled = [&](std::int64_t col) {
        return static_cast<double>(args.scale) * x(row, col);
      };
      T max = visible > 0 ? scaled(0) : T(0);
      for (std::int64_t col = 1; col < visible; ++col) max = max_by_real(max, scaled(col));
      T sum{};
      for (std::int64_t col = 0; col < visible; ++col) sum += std::exp(scaled(col) - max);
      for (std::int64_t col = 0; col < args.x.cols; ++col) {
        y.put(row, col, col < visible ? std::exp(scaled(col) - max) / sum : T(0));
      }
    }
  });
}

void softmax_backward(const LaunchContext&, const SoftmaxBackwardArgs& args) {
  FFN_ASSERT(same_shape(args.y, args.dy));
  if (args.dx.to.data == nullptr) return;
  with_compute_type({args.y.dtype, args.dy.dtype, args.dx.to.dtype}, [&]<class T>() {
    const Input<T> y(args.y), dy(args.dy);
    const Output<T> dx(args.dx);
    for (std::int64_t row = 0; row < args.y.rows; ++row) {
      T dot{};
      for (std::int64_t col = 0; col < args.y.cols; ++col) dot += dy(row, col) * y(row, col);
      for (std::int64_t col = 0; col < args.y.cols; ++col) {
        const T slope = y(row, col) * (dy(row, col) - dot);
        dx.put(row, col, (fault(20) ? 1 : static_cast<double>(args.scale)) * slope);
      }
    }
  });
}

}  // namespace

void add_softmax_kernels(KernelTable& table) {
  table.softmax_forward = softmax_forward;
  table.softmax_backward = softmax_backward;
}

}  // namespace ffn::inline v0::kernels::reference
