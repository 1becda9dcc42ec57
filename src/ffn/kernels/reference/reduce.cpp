// Reductions of a whole matrix to one number.
#include "ffn/kernels/reduce.h"

#include "ffn/kernels/reference/access.h"
#include "ffn/kernels/reference/families.h"

namespace ffn::inline v0::kernels::reference {
namespace {

void sum_squares(const LaunchContext&, const SumSquaresArgs& args) {
  FFN_ASSERT(args.sum.dtype == DType::f64 && args.sum.rows == 1 && args.sum.cols == 1);
  double total = 0;
  with_compute_type({args.x.dtype}, [&]<class T>() {
    const Input<T> x(args.x);
    for (std::int64_t row = 0; row < args.x.rows; ++row)
      for (std::int64_t col = 0; col < args.x.cols; ++col) total += std::norm(x(row, col));
  });
  *static_cast<double*>(args.sum.data) = total;
}

}  // namespace

void add_reduce_kernels(KernelTable& table) {
  table.sum_squares = sum_squares;
  table.sum_squares_workspace = [](std::int64_t, std::int64_t) -> std::int64_t { return 0; };
}

}  // namespace ffn::inline v0::kernels::reference
