// Auxiliary losses of a router, and rows divided by their sums.
#include "ffn/base/faults.h"
#include "ffn/kernels/reference/access.h"
#include "ffn/kernels/reference/families.h"
#include "ffn/kernels/reference/log_sum_exp.h"

namespace ffn::inline v0::kernels::reference {
namespace {

// Σ over a row.
template <class T>
T sum_row(const Input<T>& x, std::int64_t row, std::int64_t cols) {
  T sum{};
  for (std::int64_t col = 0; col < cols; ++col) sum += x(row, col);
  return sum;
}

// N rows as S sequences of equal length.
std::int64_t sequence_rows(std::int64_t N, std::int64_t S) {
  FFN_ASSERT(S > 0 ? N % S == 0 : N == 0);
  return S > 0 ? N / S : 0;
}

// coefficient/S·f[s, e]/T: what p[n, e] of a row of sequence s is multiplied by in the loss.
template <class T, class Args>
T balance_weight(const Args& args, std::int64_t s, std::int64_t e) {
  const auto S = static_cast<double>(args.load.rows), E = static_cast<double>(args.load.cols);
  const auto rows = static_cast<double>(args.scores.rows) / S;
  const T f = Input<T>(args.load)(s, e) * (E / (static_cast<double>(args.k) * rows));
  return static_cast<double>(args.coefficient) / S * f / rows;
}

void balance_loss_forward(const LaunchContext&, const BalanceLossForwardArgs& args) {
  const std::int64_t N = args.scores.rows, E = args.scores.cols;
  const std::int64_t rows = sequence_rows(N, args.load.rows);
  FFN_ASSERT(args.load.cols == E && args.k >= 1);
  with_compute_type({args.scores.dtype, args.load.dtype, args.loss.dtype}, [&]<class T>() {
    const Input<T> scores(args.scores);
    T loss{};
    for (std::int64_t row = 0; row < N; ++row) {
      const T sum = args.normalised ? sum_row(scores, row, E) : T(1);
      for (std::int64_t e = 0; e < E; ++e) {
        loss += balance_weight<T>(args, row / rows, e) * (scores(row, e) / sum);
      }
    }
    Output<T>(args.loss).put(0, 0, loss);
  });
}

void balance_loss_backward(const LaunchContext&, const BalanceLossBackwardArgs& args) {
  if (args.dscores.to.data == nullptr) return;
  const std::int64_t N = args.scores.rows, E = args.scores.cols;
  const std::int64_t rows = sequence_rows(N, args.load.rows);
  FFN_ASSERT(args.load.cols == E && args.k >= 1);
  with_compute_type({args.scores.dtype, args.load.dtype, args.dy.dtype, args.dscores.to.dtype},
                    [&]<class T>() {
                      const Input<T> scores(args.scores), dy(args.dy);
                      const Output<T> dscores(args.dscores);
                      for (std::int64_t row = 0; row < N; ++row) {
                        // d(x/Σx): (weight − Σ weight·p)/Σx.
                        const T sum = args.normalised ? sum_row(scores, row, E) : T(1);
                        T pull{};
                        if (args.normalised) {
                          for (std::int64_t e = 0; e < E; ++e) {
                            pull += balance_weight<T>(args, row / rows, e) * (scores(row, e) / sum);
                          }
                        }
                        for (std::int64_t e = 0; e < E; ++e) {
                          const T slope = (balance_weight<T>(args, row / rows, e) - pull) / sum;
                          dscores.put(row, e, dy.get_or(row, e, 0) + slope);
                        }
                      }
                    });
}

void z_loss_forward(const LaunchContext&, const ZLossForwardArgs& args) {
  const std::int64_t N = args.logits.rows, E = args.logits.cols;
  with_compute_type({args.logits.dtype, args.loss.dtype}, [&]<class T>() {
    const Input<T> logits(args.logits);
    T squares{};
    for (std::int64_t row = 0; row < N; ++row) {
      const T lse = log_sum_exp(logits, row, E);
      squares += lse * lse;
    }
    const double scale = static_cast<double>(args.coefficient) / static_cast<double>(N);
    Output<T>(args.loss).put(0, 0, N > 0 ? scale * squares : T(0));
  });
}

void z_loss_backward(const LaunchContext&, const ZLossBackwardArgs& args) {
  if (args.dlogits.to.data == nullptr) return;
  const std::int64_t N = args.logits.rows, E = args.logits.cols;
  const double scale = 2 * static_cast<double>(args.coefficient) / static_cast<double>(N);
  with_compute_type({args.logits.dtype, args.dy.dtype, args.dlogits.to.dtype}, [&]<class T>() {
    const Input<T> logits(args.logits), dy(args.dy);
    const Output<T> dlogits(args.dlogits);
    for (std::int64_t row = 0; row < N; ++row) {
      const T lse = log_sum_exp(logits, row, E);
      for (std::int64_t e = 0; e < E; ++e) {
        const T slope = scale * lse * std::exp(logits(row, e) - lse);
        dlogits.put(row, e, dy.get_or(row, e, 0) + slope);
      }
    }
  });
}

// I(s, e).
double type_weight(const std::int32_t* types, float delta, std::int64_t s, std::int64_t e,
                   std::int64_t E) {
  if (types == nullptr) return 1;
  const bool own = (e < E / 2) == (types[s] == 1);
  return own ? 1 + static_cast<double>(delta) : 1 - static_cast<double>(delta);
}

// Mean and unbiased variance of all entries; the variance of one entry is 0.
template <class T>
struct Spread {
  T mean{}, variance{};
  double count = 0;
};
template <class T>
Spread<T> spread_of(const ConstMatrix& matrix) {
  const Input<T> z(matrix);
  const std::int64_t entries = matrix.rows * matrix.cols;
  Spread<T> spread;
  spread.count = static_cast<double>(entries);
  for (std::int64_t row = 0; row < matrix.rows; ++row) {
    spread.mean += sum_row(z, row, matrix.cols) / spread.count;
  }
  const double below = fault(95) ? spread.count : spread.count - 1;
  for (std::int64_t row = 0; row < matrix.rows && entries > 1; ++row) {
    for (std::int64_t col = 0; col < matrix.cols; ++col) {
      const T distance = z(row, col) - spread.mean;
      spread.variance += distance * distance / below;
    }
  }
  return spread;
}

void importance_loss_forward(const LaunchContext&, const ImportanceLossForwardArgs& args) {
  const std::int64_t S = args.sequences, E = args.weights.cols;
  const std::int64_t rows = sequence_rows(args.weights.rows, S);
  FFN_ASSERT(args.importance.rows == S && args.importance.cols == E);
  with_compute_type({args.weights.dtype, args.importance.dtype, args.loss.dtype}, [&]<class T>() {
    const Input<T> weights(args.weights);
    const Output<T> importance(args.importance);
    for (std::int64_t s = 0; s < S; ++s) {
      for (std::int64_t e = 0; e < E; ++e) {
        T sum{};
        for (std::int64_t row = s * rows; row < (s + 1) * rows; ++row) sum += weights(row, e);
        importance.put(s, e, type_weight(args.types, args.delta, s, e, E) * sum);
      }
    }
    const Spread<T> z = spread_of<T>(args.importance);
    const double coefficient = static_cast<double>(args.coefficient);
    const bool none = real_part(z.mean) == 0;
    Output<T>(args.loss).put(0, 0, none ? T(0) : coefficient * z.variance / (z.mean * z.mean));
  });
}

void importance_loss_backward(const LaunchContext&, const ImportanceLossBackwardArgs& args) {
  if (args.dweights.to.data == nullptr) return;
  const std::int64_t N = args.dweights.to.rows, E = args.importance.cols;
  const std::int64_t rows = sequence_rows(N, args.importance.rows);
  with_compute_type({args.importance.dtype, args.dy.dtype, args.dweights.to.dtype}, [&]<class T>() {
    const Input<T> importance(args.importance), dy(args.dy);
    const Output<T> dweights(args.dweights);
    const Spread<T> z = spread_of<T>(args.importance);
    const auto coefficient = static_cast<double>(args.coefficient);
    const bool none = real_part(z.mean) == 0 || z.count < 2;
    for (std::int64_t row = 0; row < N; ++row) {
      for (std::int64_t e = 0; e < E; ++e) {
        const std::int64_t s = row / rows;
        T slope{};  // dloss/dZ
        if (!none) {
          slope = 2 * coefficient / (z.mean * z.mean) *
                  ((importance(s, e) - z.mean) / (z.count - 1) - z.variance / (z.mean * z.count));
        }
        const double weight = type_weight(args.types, args.delta, s, e, E);
        dweights.put(row, e, dy.get_or(row, e, 0) + weight * slope);
      }
    }
  });
}

void normalise_rows_forward(const LaunchContext&, const NormaliseRowsForwardArgs& args) {
  FFN_ASSERT(same_shape(args.x, args.y));
  with_compute_type({args.x.dtype, args.y.dtype}, [&]<class T>() {
    const Input<T> x(args.x);
    const Output<T> y(args.y);
    for (std::int64_t row = 0; row < args.x.rows; ++row) {
      const T sum = sum_row(x, row, args.x.cols) + static_cast<double>(args.eps);
      for (std::int64_t col = 0; col < args.x.cols; ++col) {
        y.put(row, col, static_cast<double>(args.scale) * x(row, col) / sum);
      }
    }
  });
}

void normalise_rows_backward(const LaunchContext&, const NormaliseRowsBackwardArgs& args) {
  if (args.dx.to.data == nullptr) return;
  FFN_ASSERT(same_shape(args.x, args.y) && same_shape(args.x, args.dy));
  const std::int64_t cols = args.x.cols;
  with_compute_type({args.x.dtype, args.y.dtype, args.dy.dtype, args.dx.to.dtype}, [&]<class T>() {
    const Input<T> x(args.x), y(args.y), dy(args.dy);
    const Output<T> dx(args.dx);
    for (std::int64_t row = 0; row < args.x.rows; ++row) {
      const T sum = sum_row(x, row, cols) + static_cast<double>(args.eps);
      T dot{};
      for (std::int64_t col = 0; col < cols; ++col) dot += dy(row, col) * y(row, col);
      for (std::int64_t col = 0; col < cols; ++col) {
        dx.put(row, col, (static_cast<double>(args.scale) * dy(row, col) - dot) / sum);
      }
    }
  });
}

}  // namespace

void add_router_loss_kernels(KernelTable& table) {
  table.balance_loss_forward = balance_loss_forward;
  table.balance_loss_backward = balance_loss_backward;
  table.z_loss_forward = z_loss_forward;
  table.z_loss_backward = z_loss_backward;
  table.importance_loss_forward = importance_loss_forward;
  table.importance_loss_backward = importance_loss_backward;
  table.normalise_rows_forward = normalise_rows_forward;
  table.normalise_rows_backward = normalise_rows_backward;
}

}  // namespace ffn::inline v0::kernels::reference
