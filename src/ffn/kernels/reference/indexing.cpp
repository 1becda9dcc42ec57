// Rows moved by index, and top-K routing.
#include <algorithm>
#include <cmath>

#include "ffn/base/faults.h"
#include "ffn/kernels/reference/access.h"
#include "ffn/kernels/reference/families.h"

namespace ffn::inline v0::kernels::reference {
namespace {

void gather_rows(const LaunchContext&, const GatherRowsArgs& args) {
  FFN_ASSERT(args.x.cols == args.y.cols);
  with_compute_type({args.x.dtype, args.y.dtype}, [&]<class T>() {
    const Input<T> x(args.x);
    const Output<T> y(args.y, args.accumulate);
    for (std::int64_t row = 0; row < args.y.rows; ++row) {
      const std::int32_t source = args.index[row];
      FFN_ASSERT(source >= -1 && source < args.x.rows);
      for (std::int64_t col = 0; col < args.y.cols; ++col) {
        y.put(row, col, source >= 0 ? x(source, col) : T(0));
      }
    }
  });
}

// One row of sums, so that every row of y is rounded once. Complex is the widest compute type.
std::int64_t scatter_add_rows_workspace(std::int64_t, std::int64_t cols, DType) {
  return cols * static_cast<std::int64_t>(sizeof(Complex));
}

void scatter_add_rows(const LaunchContext& ctx, const ScatterAddRowsArgs& args) {
  FFN_ASSERT(args.x.cols == args.y.cols);
  FFN_ASSERT(ctx.workspace_bytes >=
             scatter_add_rows_workspace(args.y.rows, args.y.cols, args.y.dtype));
  with_compute_type({args.x.dtype, args.y.dtype}, [&]<class T>() {
    const Input<T> x(args.x);
    const Output<T> y(args.y, args.accumulate);
    const std::int64_t cols = args.y.cols;
    T* sums = reinterpret_cast<T*>(ctx.workspace);
    for (std::int64_t target = 0; target < args.y.rows; ++target) {
      std::fill_n(sums, cols, T(0));
      for (std::int64_t row = 0; row < args.x.rows; ++row) {
        if (args.index[row] != target) continue;
        if (fault(21)) std::fill_n(sums, cols, T(0));
        for (std::int64_t col = 0; col < cols; ++col) sums[col] += x(row, col);
      }
      for (std::int64_t col = 0; col < cols; ++col) y.put(target, col, sums[col]);
    }
  });
}

// The largest logit of the row (by real part, ties to the lower index) that `chosen[0..count)`
// lacks.
template <class T>
std::int32_t next_largest(const Input<T>& logits, std::int64_t row, std::int64_t E,
                          const std::int32_t* chosen, std::int64_t count) {
  std::int32_t best = -1;
  for (std::int32_t e = 0; e < E; ++e) {
    if (std::find(chosen, chosen + count, e) != chosen + count) continue;
    const double logit = real_part(logits(row, e));
    const double largest = best < 0 ? 0 : real_part(logits(row, best));
    if (best < 0 || logit > largest || (fault(22) && logit == largest)) best = e;
  }
  return best;
}

void route_top_k_forward(const LaunchContext&, const RouteTopKForwardArgs& args) {
  const std::int64_t N = args.logits.rows, E = args.logits.cols, K = args.k;
  FFN_ASSERT(K >= 1 && K <= E && args.weights.rows == N && args.weights.cols == K);
  with_compute_type({args.logits.dtype, args.weights.dtype}, [&]<class T>() {
    const Input<T> logits(args.logits);
    const Output<T> weights(args.weights);
    for (std::int64_t row = 0; row < N; ++row) {
      std::int32_t* chosen = args.expert + row * K;
      for (std::int64_t k = 0; k < K; ++k) {
        chosen[k] = next_largest<T>(logits, row, E, chosen, k);
      }
      const T max = logits(row, chosen[0]);
      T sum{};
      for (std::int64_t k = 0; k < K; ++k) sum += std::exp(logits(row, chosen[k]) - max);
      for (std::int64_t k = 0; k < K; ++k) {
        weights.put(row, k, std::exp(logits(row, chosen[k]) - max) / sum);
      }
    }
  });
  std::int32_t position = 0;
  for (std::int64_t e = 0; e < E; ++e) {
    args.offsets[e] = position;
    for (std::int64_t slot = 0; slot < N * K; ++slot) {
      if (args.expert[slot] != e) continue;
      args.order[position] = static_cast<std::int32_t>(slot);
      args.token[position] = static_cast<std::int32_t>(slot / K);
      ++position;
    }
  }
  args.offsets[E] = position;
}

void route_top_k_backward(const LaunchContext&, const RouteTopKBackwardArgs& args) {
  FFN_ASSERT(same_shape(args.weights, args.dweights));
  if (args.dlogits.to.data == nullptr) return;
  const std::int64_t K = args.weights.cols;
  with_compute_type(
      {args.weights.dtype, args.dweights.dtype, args.dlogits.to.dtype}, [&]<class T>() {
        const Input<T> weights(args.weights), dweights(args.dweights);
        const Output<T> dlogits(args.dlogits);
        for (std::int64_t row = 0; row < args.weights.rows; ++row) {
          const std::int32_t* chosen = args.expert + row * K;
          T dot{};
          for (std::int64_t k = 0; k < K; ++k) dot += weights(row, k) * dweights(row, k);
          for (std::int64_t e = 0; e < args.dlogits.to.cols; ++e) {
            const std::int64_t k = std::find(chosen, chosen + K, e) - chosen;
            dlogits.put(row, e, k < K ? weights(row, k) * (dweights(row, k) - dot) : T(0));
          }
        }
      });
}

}  // namespace

void add_indexing_kernels(KernelTable& table) {
  table.gather_rows = gather_rows;
  table.scatter_add_rows = scatter_add_rows;
  table.scatter_add_rows_workspace = scatter_add_rows_workspace;
  table.route_top_k_forward = route_top_k_forward;
  table.route_top_k_backward = route_top_k_backward;
}

}  // namespace ffn::inline v0::kernels::reference
