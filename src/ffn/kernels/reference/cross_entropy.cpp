// Cross-entropy of the softmax of logits, with targets as classes or as rows of weights.
#include "ffn/kernels/reference/access.h"
#include "ffn/kernels/reference/families.h"
#include "ffn/kernels/reference/log_sum_exp.h"

namespace ffn::inline v0::kernels::reference {
namespace {

// The weights of one row: of class target, or row `row` of a matrix.
struct ClassTargets {
  const std::int32_t* targets;
  std::int64_t V;

  bool counted(std::int64_t row) const { return targets[row] >= 0; }
  double sum(std::int64_t) const { return 1; }
  double weight(std::int64_t row, std::int64_t col) const {
    FFN_ASSERT(targets[row] < V);
    return col == targets[row] ? 1 : 0;
  }
};
template <class T>
struct SoftTargets {
  Input<T> targets;
  std::int64_t V;

  bool counted(std::int64_t row) const {
    for (std::int64_t col = 0; col < V; ++col) {
      if (targets(row, col) != T{}) return true;
    }
    return false;
  }
  T sum(std::int64_t row) const {
    T total{};
    for (std::int64_t col = 0; col < V; ++col) total += targets(row, col);
    return total;
  }
  T weight(std::int64_t row, std::int64_t col) const { return targets(row, col); }
};

// t of one class, `sum` = the sum of the row's weights.
template <class T, class Targets>
T smoothed(const Targets& targets, std::int64_t row, std::int64_t col, const T& sum,
           float smoothing) {
  const auto share = static_cast<double>(smoothing);
  const T spread = share / static_cast<double>(targets.V) * sum;
  return (1 - share) * T(targets.weight(row, col)) + spread;
}

template <class T, class Args, class Targets>
void forward(const Args& args, const Targets& targets) {
  const Input<T> logits(args.logits);
  const Output<T> loss(args.loss), lse(args.lse), count(args.count);
  T total{};
  std::int64_t counted = 0;
  for (std::int64_t row = 0; row < args.logits.rows; ++row) {
    const T log_sum = log_sum_exp(logits, row, args.logits.cols);
    lse.put(row, 0, log_sum);
    if (!targets.counted(row)) continue;
    const T sum(targets.sum(row));
    for (std::int64_t col = 0; col < args.logits.cols; ++col) {
      const T t = smoothed<T>(targets, row, col, sum, args.smoothing);
      // A class that does not count may have a logit of −inf.
      if (t != T{}) total += t * (log_sum - logits(row, col));
    }
    ++counted;
  }
  loss.put(0, 0, counted > 0 ? total / static_cast<double>(counted) : T(0));
  count.put(0, 0, T(static_cast<double>(counted)));
}

template <class T, class Args, class Targets>
void backward(const Args& args, const Targets& targets) {
  const Input<T> logits(args.logits), lse(args.lse), count(args.count), dloss(args.dloss);
  const Output<T> dlogits(args.dlogits);
  for (std::int64_t row = 0; row < args.logits.rows; ++row) {
    const bool counted = targets.counted(row);
    const T sum(targets.sum(row));
    for (std::int64_t col = 0; col < args.logits.cols; ++col) {
      T slope{};
      if (counted) {
        const T probability = std::exp(logits(row, col) - lse(row, 0));
        const T t = smoothed<T>(targets, row, col, sum, args.smoothing);
        slope = dloss(0, 0) / count(0, 0) * (sum * probability - t);
      }
      dlogits.put(row, col, slope);
    }
  }
}

void cross_entropy_forward(const LaunchContext&, const CrossEntropyForwardArgs& args) {
  with_compute_type(
      {args.logits.dtype, args.loss.dtype, args.lse.dtype, args.count.dtype},
      [&]<class T>() { forward<T>(args, ClassTargets{args.targets, args.logits.cols}); });
}

void cross_entropy_backward(const LaunchContext&, const CrossEntropyBackwardArgs& args) {
  if (args.dlogits.to.data == nullptr) return;
  with_compute_type(
      {args.logits.dtype, args.lse.dtype, args.count.dtype, args.dloss.dtype,
       args.dlogits.to.dtype},
      [&]<class T>() { backward<T>(args, ClassTargets{args.targets, args.logits.cols}); });
}

void soft_cross_entropy_forward(const LaunchContext&, const SoftCrossEntropyForwardArgs& args) {
  FFN_ASSERT(same_shape(args.logits, args.targets));
  with_compute_type(
      {args.logits.dtype, args.targets.dtype, args.loss.dtype, args.lse.dtype, args.count.dtype},
      [&]<class T>() {
        forward<T>(args, SoftTargets<T>{Input<T>(args.targets), args.logits.cols});
      });
}

void soft_cross_entropy_backward(const LaunchContext&, const SoftCrossEntropyBackwardArgs& args) {
  FFN_ASSERT(same_shape(args.logits, args.targets));
  if (args.dlogits.to.data == nullptr) return;
  with_compute_type({args.logits.dtype, args.targets.dtype, args.lse.dtype, args.count.dtype,
                     args.dloss.dtype, args.dlogits.to.dtype},
                    [&]<class T>() {
                      backward<T>(args, SoftTargets<T>{Input<T>(args.targets), args.logits.cols});
                    });
}

}  // namespace

void add_cross_entropy_kernels(KernelTable& table) {
  table.cross_entropy_forward = cross_entropy_forward;
  table.cross_entropy_backward = cross_entropy_backward;
  table.soft_cross_entropy_forward = soft_cross_entropy_forward;
  table.soft_cross_entropy_backward = soft_cross_entropy_backward;
  table.cross_entropy_workspace = [](std::int64_t) -> std::int64_t { return 0; };
}

}  // namespace ffn::inline v0::kernels::reference
