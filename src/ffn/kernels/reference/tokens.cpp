// Pictures cut into patches, means over tokens, and gated tokens.
#include "ffn/kernels/reference/access.h"
#include "ffn/kernels/reference/families.h"

namespace ffn::inline v0::kernels::reference {
namespace {

// Calls body(b, pixel, row, col) for every pixel of picture b, which is patches[row, col].
template <class Body>
void for_each_pixel(const PatchGrid& grid, std::int64_t pictures, const Body& body) {
  const std::int64_t p = grid.patch, plane = grid.height * grid.width;
  FFN_ASSERT(p > 0 && grid.height % p == 0 && grid.width % p == 0);
  for (std::int64_t b = 0; b < pictures; ++b) {
    for (std::int64_t pixel = 0; pixel < grid.picture(); ++pixel) {
      const std::int64_t c = pixel / plane;
      const std::int64_t y = pixel % plane / grid.width, x = pixel % grid.width;
      const std::int64_t token = (y / p) * grid.across() + x / p;
      body(b, pixel, b * grid.tokens() + token, (c * p + y % p) * p + x % p);
    }
  }
}

void patchify_forward(const LaunchContext&, const PatchifyForwardArgs& args) {
  with_compute_type({args.images.dtype, args.patches.dtype}, [&]<class T>() {
    const Input<T> images(args.images);
    const Output<T> patches(args.patches);
    for_each_pixel(args.grid, args.images.rows,
                   [&](std::int64_t b, std::int64_t pixel, std::int64_t row, std::int64_t col) {
                     patches.put(row, col, images(b, pixel));
                   });
  });
}

void patchify_backward(const LaunchContext&, const PatchifyBackwardArgs& args) {
  if (args.dimages.to.data == nullptr) return;
  with_compute_type({args.dpatches.dtype, args.dimages.to.dtype}, [&]<class T>() {
    const Input<T> dpatches(args.dpatches);
    const Output<T> dimages(args.dimages);
    for_each_pixel(args.grid, args.dimages.to.rows,
                   [&](std::int64_t b, std::int64_t pixel, std::int64_t row, std::int64_t col) {
                     dimages.put(b, pixel, dpatches(row, col));
                   });
  });
}

// Rows of one sequence in x, for `sequences` rows of means.
std::int64_t sequence_rows(std::int64_t rows, std::int64_t sequences) {
  FFN_ASSERT(sequences == 0 ? rows == 0 : rows % sequences == 0);
  return sequences > 0 ? rows / sequences : 0;
}

void mean_tokens_forward(const LaunchContext&, const MeanTokensForwardArgs& args) {
  const std::int64_t T = sequence_rows(args.x.rows, args.y.rows);
  with_compute_type({args.x.dtype, args.y.dtype}, [&]<class Number>() {
    const Input<Number> x(args.x);
    const Output<Number> y(args.y);
    for (std::int64_t b = 0; b < args.y.rows; ++b) {
      for (std::int64_t col = 0; col < args.y.cols; ++col) {
        Number sum{};
        for (std::int64_t t = args.first; t < args.first + args.count; ++t) {
          sum += x(b * T + t, col);
        }
        y.put(b, col, sum / static_cast<double>(args.count));
      }
    }
  });
}

void mean_tokens_backward(const LaunchContext&, const MeanTokensBackwardArgs& args) {
  if (args.dx.to.data == nullptr) return;
  const std::int64_t T = sequence_rows(args.dx.to.rows, args.dy.rows);
  with_compute_type({args.dy.dtype, args.dx.to.dtype}, [&]<class Number>() {
    const Input<Number> dy(args.dy);
    const Output<Number> dx(args.dx);
    for (std::int64_t row = 0; row < args.dx.to.rows; ++row) {
      const std::int64_t t = row % T;
      const bool inside = t >= args.first && t < args.first + args.count;
      for (std::int64_t col = 0; col < args.dy.cols; ++col) {
        const Number share = dy(row / T, col) / static_cast<double>(args.count);
        dx.put(row, col, inside ? share : Number{});
      }
    }
  });
}

void gate_tokens_forward(const LaunchContext&, const GateTokensForwardArgs& args) {
  const std::int64_t T = sequence_rows(args.x.rows, args.gate.rows);
  with_compute_type({args.x.dtype, args.gate.dtype, args.y.dtype}, [&]<class Number>() {
    const Input<Number> x(args.x), gate(args.gate);
    const Output<Number> y(args.y);
    for (std::int64_t row = 0; row < args.x.rows; ++row) {
      const std::int64_t t = row % T;
      const bool inside = t >= args.first && t < args.first + args.count;
      for (std::int64_t col = 0; col < args.x.cols; ++col) {
        y.put(row, col, inside ? x(row, col) * gate(row / T, col) : x(row, col));
      }
    }
  });
}

void gate_gradient(const GateTokensBackwardArgs& args) {
  const std::int64_t T = sequence_rows(args.dy.rows, args.dgate.to.rows);
  with_compute_type({args.x.dtype, args.dy.dtype, args.dgate.to.dtype}, [&]<class Number>() {
    const Input<Number> x(args.x), dy(args.dy);
    const Output<Number> dgate(args.dgate);
    for (std::int64_t b = 0; b < args.dgate.to.rows; ++b) {
      for (std::int64_t col = 0; col < args.dy.cols; ++col) {
        Number sum{};
        for (std::int64_t t = args.first; t < args.first + args.count; ++t) {
          sum += x(b * T + t, col) * dy(b * T + t, col);
        }
        dgate.put(b, col, sum);
      }
    }
  });
}

void gate_tokens_backward(const LaunchContext&, const GateTokensBackwardArgs& args) {
  if (args.dgate.to.data != nullptr) gate_gradient(args);  // before dx may overwrite dy
  if (args.dx.to.data == nullptr) return;
  const std::int64_t T = sequence_rows(args.dy.rows, args.gate.rows);
  with_compute_type({args.gate.dtype, args.dy.dtype, args.dx.to.dtype}, [&]<class Number>() {
    const Input<Number> gate(args.gate), dy(args.dy);
    const Output<Number> dx(args.dx);
    for (std::int64_t row = 0; row < args.dy.rows; ++row) {
      const std::int64_t t = row % T;
      const bool inside = t >= args.first && t < args.first + args.count;
      for (std::int64_t col = 0; col < args.dy.cols; ++col) {
        dx.put(row, col, inside ? dy(row, col) * gate(row / T, col) : dy(row, col));
      }
    }
  });
}

}  // namespace

void add_token_kernels(KernelTable& table) {
  table.patchify_forward = patchify_forward;
  table.patchify_backward = patchify_backward;
  table.mean_tokens_forward = mean_tokens_forward;
  table.mean_tokens_backward = mean_tokens_backward;
  table.gate_tokens_forward = gate_tokens_forward;
  table.gate_tokens_backward = gate_tokens_backward;
}

}  // namespace ffn::inline v0::kernels::reference
