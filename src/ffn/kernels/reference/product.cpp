// Matrix products, plain and grouped by expert, and sums over rows.
#include <algorithm>

#include "ffn/kernels/reference/access.h"
#include "ffn/kernels/reference/families.h"

namespace ffn::inline v0::kernels::reference {
namespace {

void product(const LaunchContext&, const ProductArgs& args) {
  const bool nt = args.form == ProductForm::nt, tn = args.form == ProductForm::tn;
  ConstMatrix stored_b = args.b;
  if (args.packed_b != nullptr) {
    stored_b = {args.packed_b, DType::f64, args.b.rows, args.b.cols, args.b.cols};
  }
  const std::int64_t M = args.c.rows, N = args.c.cols, K = tn ? args.a.rows : args.a.cols;
  FFN_ASSERT((tn ? args.a.cols : args.a.rows) == M);
  FFN_ASSERT((nt ? args.b.cols : args.b.rows) == K && (nt ? args.b.rows : args.b.cols) == N);
  with_compute_type({args.a.dtype, stored_b.dtype, args.c.dtype, args.bias.dtype}, [&]<class T>() {
    const Input<T> a(args.a), b(stored_b), bias(args.bias);
    const Output<T> c(args.c, args.accumulate);
    for (std::int64_t m = 0; m < M; ++m) {
      for (std::int64_t n = 0; n < N; ++n) {
        T sum{};
        for (std::int64_t k = 0; k < K; ++k) {
          sum += (tn ? a(k, m) : a(m, k)) * (nt ? b(n, k) : b(k, n));
        }
        c.put(m, n, sum + bias.get_or(0, n, 0));
      }
    }
  });
}

ConstMatrix rows_of(const ConstMatrix& matrix, std::int64_t begin, std::int64_t count) {
  const auto* bytes = static_cast<const std::byte*>(matrix.data);
  return {bytes + dtype_bytes(matrix.dtype, begin * matrix.ld), matrix.dtype, count, matrix.cols,
          matrix.ld};
}
Matrix rows_of(const Matrix& matrix, std::int64_t begin, std::int64_t count) {
  auto* bytes = static_cast<std::byte*>(matrix.data);
  return {bytes + dtype_bytes(matrix.dtype, begin * matrix.ld), matrix.dtype, count, matrix.cols,
          matrix.ld};
}

void grouped_product(const LaunchContext& ctx, const GroupedProductArgs& args) {
  const std::int64_t E = args.experts;
  const std::int64_t b_rows = args.b.rows / E, c_rows = args.c.rows / E;
  FFN_ASSERT(args.offsets[0] == 0 && args.offsets[E] == args.a.rows);
  FFN_ASSERT(args.bias.data == nullptr || (args.form == ProductForm::nt && args.bias.rows == E));
  for (std::int64_t e = 0; e < E; ++e) {
    const std::int64_t begin = args.offsets[e], count = args.offsets[e + 1] - begin;
    ProductArgs one;
    one.form = args.form;
    one.a = rows_of(args.a, begin, count);
    if (args.form == ProductForm::tn) {
      one.b = rows_of(args.b, begin, count);
      one.c = rows_of(args.c, e * c_rows, c_rows);
    } else {
      one.b = rows_of(args.b, e * b_rows, b_rows);
      one.c = rows_of(args.c, begin, count);
    }
    if (args.bias.data != nullptr) one.bias = rows_of(args.bias, e, 1);
    one.accumulate = args.accumulate;
    product(ctx, one);
  }
}

// The packed layout is B itself as stored, row-major without padding, in f64: exact for every real
// storage type, so that a packed product equals the unpacked one bit for bit.
std::int64_t packed_b_bytes(ProductForm, const ConstMatrix& b, DType) {
  return dtype_bytes(DType::f64, b.rows * b.cols);
}

void pack_b(const LaunchContext&, const PackArgs& args) {
  const bool nt = args.form == ProductForm::nt;
  FFN_ASSERT(args.form != ProductForm::tn && args.b.dtype != DType::c128);
  FFN_ASSERT(args.begin >= 0 && args.end <= (nt ? args.b.rows : args.b.cols));
  const Input<double> b(args.b);
  const Output<double> packed(
      Matrix{args.packed, DType::f64, args.b.rows, args.b.cols, args.b.cols});
  // An output column is a row of B for nt, a column of B for nn.
  for (std::int64_t n = args.begin; n < args.end; ++n) {
    for (std::int64_t k = 0; k < (nt ? args.b.cols : args.b.rows); ++k) {
      if (nt) {
        packed.put(n, k, b(n, k));
      } else {
        packed.put(k, n, b(k, n));
      }
    }
  }
}

void row_sum(const LaunchContext&, const RowSumArgs& args) {
  const std::int64_t period = args.y.rows;
  FFN_ASSERT(period == 0 || args.x.rows % period == 0);
  with_compute_type({args.x.dtype, args.y.dtype}, [&]<class T>() {
    const Input<T> x(args.x);
    const Output<T> y(args.y, args.accumulate);
    for (std::int64_t j = 0; j < period; ++j) {
      for (std::int64_t col = 0; col < args.y.cols; ++col) {
        T sum{};
        for (std::int64_t row = j; row < args.x.rows; row += period) sum += x(row, col);
        y.put(j, col, sum);
      }
    }
  });
}

void grouped_row_sum(const LaunchContext& ctx, const GroupedRowSumArgs& args) {
  FFN_ASSERT(args.x.cols == args.y.cols);
  FFN_ASSERT(args.offsets[0] == 0 && args.offsets[args.y.rows] == args.x.rows);
  for (std::int64_t e = 0; e < args.y.rows; ++e) {
    const std::int64_t begin = args.offsets[e], count = args.offsets[e + 1] - begin;
    row_sum(ctx, {rows_of(args.x, begin, count), rows_of(args.y, e, 1), args.accumulate});
  }
}

}  // namespace

void add_product_kernels(KernelTable& table) {
  table.product = product;
  table.product_workspace = [](const ProductShape&, int) -> std::int64_t { return 0; };
  table.product_piece = [](std::int64_t K) -> std::int64_t { return std::max<std::int64_t>(K, 1); };
  table.grouped_product = grouped_product;
  table.grouped_product_workspace = [](const ProductShape&, std::int64_t, int) -> std::int64_t {
    return 0;
  };
  table.pack_b = pack_b;
  table.packed_b_bytes = packed_b_bytes;
  table.pack_granularity = []() -> std::int64_t { return 1; };
  table.row_sum = row_sum;
  table.grouped_row_sum = grouped_row_sum;
  table.row_sum_workspace = [](std::int64_t, std::int64_t, std::int64_t) -> std::int64_t {
    return 0;
  };
}

}  // namespace ffn::inline v0::kernels::reference
