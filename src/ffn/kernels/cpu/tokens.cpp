// Pictures cut into patches, means over tokens, and gated tokens: copies and sums of whole row
// pieces.
#include "ffn/kernels/tokens.h"
#include "ffn/kernels/cpu/stream.h"
#include "ffn/kernels/table.h"

namespace ffn::inline v0::kernels::cpu::FFN_ISA_NAMESPACE {
void fill_tokens(KernelTable& table);

namespace {

// Calls body(b, pixel, row, col) for every run of `patch` pixels of the pictures [begin, end) that
// lies in one patch: it is patches[row, col …].
template <class Body>
void for_each_run(const PatchGrid& grid, std::int64_t begin, std::int64_t end, const Body& body) {
  const std::int64_t p = grid.patch, across = grid.across();
  for (std::int64_t b = begin; b < end; ++b) {
    for (std::int64_t c = 0; c < grid.channels; ++c) {
      for (std::int64_t y = 0; y < grid.height; ++y) {
        const std::int64_t line = (c * grid.height + y) * grid.width;
        const std::int64_t row = b * grid.tokens() + y / p * across, col = (c * p + y % p) * p;
        for (std::int64_t j = 0; j < across; ++j) body(b, line + j * p, row + j, col);
      }
    }
  }
}

// n elements from one place to another, in pieces that fit a segment.
void move_run(Reader& from, std::int64_t from_row, std::int64_t from_col, Writer& to,
              std::int64_t to_row, std::int64_t to_col, std::int64_t n) {
  for_row_segments(n, [&](std::int64_t at, std::int64_t count) {
    map(
        count, to.begin(to_row, to_col + at), [](Vec v) { return v; },
        from.read(from_row, from_col + at, count));
    to.end(to_row, to_col + at, count);
  });
}

void patchify_forward(const LaunchContext& ctx, const PatchifyForwardArgs& args) {
  const PatchGrid& grid = args.grid;
  FFN_ASSERT(grid.patch > 0 && grid.height % grid.patch == 0 && grid.width % grid.patch == 0);
  for_row_ranges(
      ctx, args.images.rows, args.images.cols, [&](std::int64_t begin, std::int64_t end) {
        Reader images(args.images);
        Writer patches(args.patches);
        for_each_run(grid, begin, end,
                     [&](std::int64_t b, std::int64_t pixel, std::int64_t row, std::int64_t col) {
                       move_run(images, b, pixel, patches, row, col, grid.patch);
                     });
      });
}

void patchify_backward(const LaunchContext& ctx, const PatchifyBackwardArgs& args) {
  if (args.dimages.to.data == nullptr) return;
  const PatchGrid& grid = args.grid;
  for_row_ranges(
      ctx, args.dimages.to.rows, args.dimages.to.cols, [&](std::int64_t begin, std::int64_t end) {
        Reader dpatches(args.dpatches);
        Writer dimages(args.dimages);
        for_each_run(grid, begin, end,
                     [&](std::int64_t b, std::int64_t pixel, std::int64_t row, std::int64_t col) {
                       move_run(dpatches, row, col, dimages, b, pixel, grid.patch);
                     });
      });
}

// Rows summed before they join the total: the error grows with kRun + count/kRun.
constexpr std::int64_t kRun = 64;

void mean_of_rows(const MeanTokensForwardArgs& args, std::int64_t b, Reader& x, Writer& y) {
  const std::int64_t T = args.x.rows / args.y.rows;
  const std::int64_t begin = b * T + args.first, end = begin + args.count;
  const auto plus = [](Vec a, Vec v) { return a + v; };
  Buffer total, run;
  for_row_segments(args.x.cols, [&](std::int64_t col, std::int64_t n) {
    const float *total_now = total.data, *run_now = run.data;
    fill_with(n, total.data, 0);
    for (std::int64_t row = begin; row < end;) {
      fill_with(n, run.data, 0);
      const std::int64_t stop = least(end, row + kRun);
      for (; row < stop; ++row) map(n, run.data, plus, run_now, x.read(row, col, n));
      map(n, total.data, plus, total_now, run_now);
    }
    const Vec count = set(static_cast<float>(args.count));
    map(n, y.begin(b, col), [=](Vec v) { return v / count; }, total_now);
    y.end(b, col, n);
  });
}

void mean_tokens_forward(const LaunchContext& ctx, const MeanTokensForwardArgs& args) {
  for_row_ranges(ctx, args.y.rows, args.count * args.y.cols,
                 [&](std::int64_t begin, std::int64_t end) {
                   Reader x(args.x);
                   Writer y(args.y);
                   for (std::int64_t b = begin; b < end; ++b) mean_of_rows(args, b, x, y);
                 });
}

void mean_tokens_backward(const LaunchContext& ctx, const MeanTokensBackwardArgs& args) {
  const Matrix& to = args.dx.to;
  if (to.data == nullptr || to.rows == 0) return;
  const std::int64_t T = to.rows / args.dy.rows;
  const Vec count = set(static_cast<float>(args.count));
  for_row_ranges(ctx, to.rows, to.cols, [&](std::int64_t begin, std::int64_t end) {
    Reader dy(args.dy);
    Writer dx(args.dx);
    for (std::int64_t row = begin; row < end; ++row) {
      const std::int64_t t = row % T;
      const bool inside = t >= args.first && t < args.first + args.count;
      if (!inside && args.dx.accumulate) continue;
      for_row_segments(to.cols, [&](std::int64_t col, std::int64_t n) {
        if (inside) {
          const auto share = [=](Vec v) { return v / count; };
          map(n, dx.begin(row, col), share, dy.read(row / T, col, n));
        } else {
          fill_with(n, dx.begin(row, col), 0);
        }
        dx.end(row, col, n);
      });
    }
  });
}

// to (+)= from with the rows [first, first + count) of sequence b times gate[b, :].
void gate_rows(const LaunchContext& ctx, const ConstMatrix& from, const ConstMatrix& by,
               const GradMatrix& to, std::int64_t first, std::int64_t count) {
  if (from.rows == 0) return;
  const std::int64_t T = from.rows / by.rows;
  for_row_ranges(ctx, from.rows, from.cols, [&](std::int64_t begin, std::int64_t end) {
    Reader x(from), gate(by);
    Writer y(to);
    for (std::int64_t row = begin; row < end; ++row) {
      const std::int64_t t = row % T;
      const bool inside = fault(78) || (t >= first && t < first + count);
      for_row_segments(from.cols, [&](std::int64_t col, std::int64_t n) {
        const float* values = x.read(row, col, n);
        if (inside) {
          const auto times = [](Vec a, Vec b) { return a * b; };
          map(n, y.begin(row, col), times, values, gate.read(row / T, col, n));
        } else {
          map(n, y.begin(row, col), [](Vec v) { return v; }, values);
        }
        y.end(row, col, n);
      });
    }
  });
}

void gate_tokens_forward(const LaunchContext& ctx, const GateTokensForwardArgs& args) {
  gate_rows(ctx, args.x, args.gate, {args.y, false}, args.first, args.count);
}

void gradient_of_gate(const GateTokensBackwardArgs& args, std::int64_t b, Reader& x, Reader& dy,
                      Writer& dgate) {
  const std::int64_t T = args.dy.rows / args.dgate.to.rows;
  const std::int64_t begin = b * T + args.first, end = begin + args.count;
  const auto plus = [](Vec a, Vec v) { return a + v; };
  const auto plus_product = [](Vec a, Vec u, Vec v) { return fma(u, v, a); };
  Buffer total, run;
  for_row_segments(args.dy.cols, [&](std::int64_t col, std::int64_t n) {
    const float *total_now = total.data, *run_now = run.data;
    fill_with(n, total.data, 0);
    for (std::int64_t row = begin; row < end;) {
      fill_with(n, run.data, 0);
      const std::int64_t stop = least(end, row + kRun);
      for (; row < stop; ++row) {
        map(n, run.data, plus_product, run_now, x.read(row, col, n), dy.read(row, col, n));
      }
      map(n, total.data, plus, total_now, run_now);
    }
    map(n, dgate.begin(b, col), [](Vec v) { return v; }, total_now);
    dgate.end(b, col, n);
  });
}

void gate_tokens_backward(const LaunchContext& ctx, const GateTokensBackwardArgs& args) {
  const Matrix& to = args.dgate.to;
  if (to.data != nullptr) {  // before dx may overwrite dy
    for_row_ranges(ctx, to.rows, args.count * to.cols, [&](std::int64_t begin, std::int64_t end) {
      Reader x(args.x), dy(args.dy);
      Writer dgate(args.dgate);
      for (std::int64_t b = begin; b < end; ++b) gradient_of_gate(args, b, x, dy, dgate);
    });
  }
  if (args.dx.to.data != nullptr) {
    gate_rows(ctx, args.dy, args.gate, args.dx, args.first, args.count);
  }
}

}  // namespace

void fill_tokens(KernelTable& table) {
  table.patchify_forward = patchify_forward;
  table.patchify_backward = patchify_backward;
  table.mean_tokens_forward = mean_tokens_forward;
  table.mean_tokens_backward = mean_tokens_backward;
  table.gate_tokens_forward = gate_tokens_forward;
  table.gate_tokens_backward = gate_tokens_backward;
}

}  // namespace ffn::inline v0::kernels::cpu::FFN_ISA_NAMESPACE
