// Layer norm and RMS norm over rows, batch norm over columns.
#include <cmath>

#include "ffn/kernels/reference/access.h"
#include "ffn/kernels/reference/families.h"

namespace ffn::inline v0::kernels::reference {
namespace {

// Σ_{i < count} term(i), in index order.
template <class T, class Term>
T sum_of(std::int64_t count, const Term& term) {
  T sum{};
  for (std::int64_t i = 0; i < count; ++i) sum += term(i);
  return sum;
}
template <class T, class Term>
T mean_of(std::int64_t count, const Term& term) {
  return sum_of<T>(count, term) / static_cast<double>(count);
}

void layer_norm_forward(const LaunchContext&, const LayerNormForwardArgs& args) {
  FFN_ASSERT(same_shape(args.x, args.y));
  with_compute_type(
      {args.x.dtype, args.weight.dtype, args.bias.dtype, args.y.dtype, args.stats.dtype},
      [&]<class T>() {
        const Input<T> x(args.x), weight(args.weight), bias(args.bias);
        const Output<T> y(args.y), stats(args.stats);
        const std::int64_t cols = args.x.cols;
        for (std::int64_t row = 0; row < args.x.rows; ++row) {
          const T mu = mean_of<T>(cols, [&](std::int64_t col) { return x(row, col); });
          const T variance = mean_of<T>(
              cols, [&](std::int64_t col) { return (x(row, col) - mu) * (x(row, col) - mu); });
          const T r = 1.0 / std::sqrt(variance + static_cast<double>(args.eps));
          for (std::int64_t col = 0; col < cols; ++col) {
            const T normalised = (x(row, col) - mu) * r;
            y.put(row, col, normalised * weight.get_or(0, col, 1) + bias.get_or(0, col, 0));
          }
          stats.put_if_present(row, 0, mu);
          stats.put_if_present(row, 1, r);
        }
      });
}

void layer_norm_backward(const LaunchContext&, const LayerNormBackwardArgs& args) {
  FFN_ASSERT(same_shape(args.x, args.dy) && args.stats.cols == 2);
  with_compute_type(
      {args.x.dtype, args.weight.dtype, args.stats.dtype, args.dy.dtype, args.dx.to.dtype,
       args.dweight.to.dtype, args.dbias.to.dtype},
      [&]<class T>() {
        const Input<T> x(args.x), weight(args.weight), stats(args.stats), dy(args.dy);
        const Output<T> dx(args.dx), dweight(args.dweight), dbias(args.dbias);
        const std::int64_t rows = args.x.rows, cols = args.x.cols;
        const auto normalised = [&](std::int64_t row, std::int64_t col) {
          return (x(row, col) - stats(row, 0)) * stats(row, 1);
        };
        // dx may be dy: the sums over rows come first.
        for (std::int64_t col = 0; col < cols; ++col) {
          const T dw = sum_of<T>(
              rows, [&](std::int64_t row) { return dy(row, col) * normalised(row, col); });
          dweight.put_if_present(0, col, dw);
          dbias.put_if_present(0, col,
                               sum_of<T>(rows, [&](std::int64_t row) { return dy(row, col); }));
        }
        if (!dx.present()) return;
        for (std::int64_t row = 0; row < rows; ++row) {
          const auto g = [&](std::int64_t col) { return dy(row, col) * weight.get_or(0, col, 1); };
          const T mean_g = mean_of<T>(cols, g);
          const T mean_gx =
              mean_of<T>(cols, [&](std::int64_t col) { return g(col) * normalised(row, col); });
          for (std::int64_t col = 0; col < cols; ++col) {
            dx.put(row, col, stats(row, 1) * (g(col) - mean_g - normalised(row, col) * mean_gx));
          }
        }
      });
}

void rms_norm_forward(const LaunchContext&, const RmsNormForwardArgs& args) {
  FFN_ASSERT(same_shape(args.x, args.y));
  with_compute_type(
      {args.x.dtype, args.weight.dtype, args.y.dtype, args.stats.dtype}, [&]<class T>() {
        const Input<T> x(args.x), weight(args.weight);
        const Output<T> y(args.y), stats(args.stats);
        const double offset = weight.present() ? args.weight_offset : 0;
        const std::int64_t cols = args.x.cols;
        for (std::int64_t row = 0; row < args.x.rows; ++row) {
          const T square =
              mean_of<T>(cols, [&](std::int64_t col) { return x(row, col) * x(row, col); });
          const T r = 1.0 / std::sqrt(square + static_cast<double>(args.eps));
          for (std::int64_t col = 0; col < cols; ++col) {
            y.put(row, col, x(row, col) * r * (offset + weight.get_or(0, col, 1)));
          }
          stats.put_if_present(row, 0, r);
        }
      });
}

void rms_norm_backward(const LaunchContext&, const RmsNormBackwardArgs& args) {
  FFN_ASSERT(same_shape(args.x, args.dy) && args.stats.cols == 1);
  with_compute_type({args.x.dtype, args.weight.dtype, args.stats.dtype, args.dy.dtype,
                     args.dx.to.dtype, args.dweight.to.dtype},
                    [&]<class T>() {
                      const Input<T> x(args.x), weight(args.weight), stats(args.stats), dy(args.dy);
                      const Output<T> dx(args.dx), dweight(args.dweight);
                      const double offset = weight.present() ? args.weight_offset : 0;
                      const std::int64_t rows = args.x.rows, cols = args.x.cols;
                      // dx may be dy: the sums over rows come first.
                      for (std::int64_t col = 0; col < cols; ++col) {
                        const T dw = sum_of<T>(rows, [&](std::int64_t row) {
                          return dy(row, col) * x(row, col) * stats(row, 0);
                        });
                        dweight.put_if_present(0, col, dw);
                      }
                      if (!dx.present()) return;
                      for (std::int64_t row = 0; row < rows; ++row) {
                        const T r = stats(row, 0);
                        const auto g = [&](std::int64_t col) {
                          return dy(row, col) * (offset + weight.get_or(0, col, 1));
                        };
                        const T mean_gx = mean_of<T>(
                            cols, [&](std::int64_t col) { return g(col) * x(row, col); });
                        for (std::int64_t col = 0; col < cols; ++col) {
                          dx.put(row, col, r * (g(col) - x(row, col) * r * r * mean_gx));
                        }
                      }
                    });
}

void batch_norm_forward(const LaunchContext&, const BatchNormForwardArgs& args) {
  FFN_ASSERT(same_shape(args.x, args.y));
  const bool training = args.stats.data != nullptr;
  with_compute_type(
      {args.x.dtype, args.weight.dtype, args.bias.dtype, args.running.dtype, args.y.dtype,
       args.stats.dtype, args.new_running.dtype},
      [&]<class T>() {
        const Input<T> x(args.x), weight(args.weight), bias(args.bias), running(args.running);
        const Output<T> y(args.y), stats(args.stats), new_running(args.new_running);
        const std::int64_t rows = args.x.rows;
        for (std::int64_t col = 0; col < args.x.cols; ++col) {
          T mu = T(0), variance = T(0);
          if (!training) {
            mu = running(0, col);
            variance = running(1, col);
          } else if (rows > 0) {
            mu = mean_of<T>(rows, [&](std::int64_t row) { return x(row, col); });
            variance = mean_of<T>(
                rows, [&](std::int64_t row) { return (x(row, col) - mu) * (x(row, col) - mu); });
          }
          const T r = 1.0 / std::sqrt(variance + static_cast<double>(args.eps));
          for (std::int64_t row = 0; row < rows; ++row) {
            const T normalised = (x(row, col) - mu) * r;
            y.put(row, col, normalised * weight.get_or(0, col, 1) + bias.get_or(0, col, 0));
          }
          stats.put_if_present(0, col, mu);
          stats.put_if_present(1, col, r);
          if (!training || !new_running.present()) continue;
          // Unbiased where that is defined; an empty batch has nothing to say.
          const double count = static_cast<double>(rows);
          const double unbiased = rows > 1 ? count / (count - 1) : 1;
          const double momentum = rows > 0 ? args.momentum : 0;
          new_running.put(0, col, (1 - momentum) * running(0, col) + momentum * mu);
          new_running.put(1, col,
                          (1 - momentum) * running(1, col) + momentum * unbiased * variance);
        }
      });
}

void batch_norm_backward(const LaunchContext&, const BatchNormBackwardArgs& args) {
  FFN_ASSERT(same_shape(args.x, args.dy) && args.stats.rows == 2);
  with_compute_type(
      {args.x.dtype, args.weight.dtype, args.stats.dtype, args.dy.dtype, args.dx.to.dtype,
       args.dweight.to.dtype, args.dbias.to.dtype},
      [&]<class T>() {
        const Input<T> x(args.x), weight(args.weight), stats(args.stats), dy(args.dy);
        const Output<T> dx(args.dx), dweight(args.dweight), dbias(args.dbias);
        const std::int64_t rows = args.x.rows;
        for (std::int64_t col = 0; col < args.x.cols; ++col) {
          const T r = stats(1, col);
          const auto normalised = [&](std::int64_t row) {
            return (x(row, col) - stats(0, col)) * r;
          };
          const T sum_dy = sum_of<T>(rows, [&](std::int64_t row) { return dy(row, col); });
          const T sum_dyx =
              sum_of<T>(rows, [&](std::int64_t row) { return dy(row, col) * normalised(row); });
          const double count = static_cast<double>(rows);
          for (std::int64_t row = 0; row < rows; ++row) {
            dx.put_if_present(
                row, col,
                r * weight.get_or(0, col, 1) *
                    (dy(row, col) - sum_dy / count - normalised(row) * sum_dyx / count));
          }
          dweight.put_if_present(0, col, sum_dyx);
          dbias.put_if_present(0, col, sum_dy);
        }
      });
}

}  // namespace

void add_norm_kernels(KernelTable& table) {
  table.layer_norm_forward = layer_norm_forward;
  table.layer_norm_backward = layer_norm_backward;
  table.rms_norm_forward = rms_norm_forward;
  table.rms_norm_backward = rms_norm_backward;
  table.batch_norm_forward = batch_norm_forward;
  table.batch_norm_backward = batch_norm_backward;
  table.norm_workspace = [](std::int64_t, std::int64_t) -> std::int64_t { return 0; };
}

}  // namespace ffn::inline v0::kernels::reference
