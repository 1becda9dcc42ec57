// Depthwise convolution over a grid of tokens: a window's taps are summed in registers.
#include "ffn/kernels/conv.h"

#include "ffn/kernels/cpu/channel_taps.h"
#include "ffn/kernels/table.h"

namespace ffn::inline v0::kernels::cpu::FFN_ISA_NAMESPACE {
void fill_conv(KernelTable& table);

namespace {

// y (+)= the window of every place of x; `flipped` takes the taps backwards, as the gradient does.
template <class In, class Out>
struct Window {
  const In* in;
  std::int64_t in_ld;
  Out* out;
  std::int64_t out_ld;
  bool accumulate;
  Taps taps;
  bool flipped;
  TokenGrid grid;
  std::int64_t k;
};

template <int Vectors, class In, class Out>
void window_sum(const Window<In, Out>& w, std::int64_t first, std::int64_t y, std::int64_t x,
                std::int64_t col, std::int64_t last) {
  const std::int64_t r = w.k / 2, taps = w.k * w.k;
  const std::int64_t top = most(0, y - r), bottom = least(w.grid.height, y + r + 1);
  const std::int64_t left = most(0, x - r), right = least(w.grid.width, x + r + 1);
  Vec sums[Vectors];
#pragma GCC unroll 4
  for (int j = 0; j < Vectors; ++j) {
    sums[j] = read<Vectors>(w.taps.row(taps) + col + j * kLanes, last);
  }
  for (std::int64_t from_y = top; from_y < bottom; ++from_y) {
    for (std::int64_t from_x = left; from_x < right; ++from_x) {
      const std::int64_t tap = (from_y - y + r) * w.k + from_x - x + r;
      const float* weight = w.taps.row(w.flipped && !fault(70) ? taps - 1 - tap : tap) + col;
      const In* in = w.in + (first + from_y * w.grid.width + from_x) * w.in_ld + col;
#pragma GCC unroll 4
      for (int j = 0; j < Vectors; ++j) {
        const std::int64_t at = j * kLanes;
        sums[j] = fma(read<Vectors>(weight + at, last), read<Vectors>(in + at, last), sums[j]);
      }
    }
  }
  Out* out = w.out + (first + y * w.grid.width + x) * w.out_ld + col;
#pragma GCC unroll 4
  for (int j = 0; j < Vectors; ++j) {
    Out* at = out + j * kLanes;
    write<Vectors>(at, w.accumulate ? sums[j] + read<Vectors>(at, last) : sums[j], last);
  }
}

// One line of the grid of the sequence whose place 0 is row `first`.
template <class In, class Out>
void window_line(const Window<In, Out>& w, std::int64_t first, std::int64_t y,
                 std::int64_t channels) {
  for (std::int64_t x = 0; x < w.grid.width; ++x) {
    std::int64_t col = 0;
    for (; col + kWide <= channels; col += kWide) {
      window_sum<kVectors>(w, first, y, x, col, kLanes);
    }
    for (; col < channels; col += kLanes) {
      window_sum<1>(w, first, y, x, col, least(kLanes, channels - col));
    }
  }
}

void copy_prefix(const ConstMatrix& in, const GradMatrix& out, std::int64_t begin,
                 std::int64_t count) {
  Reader from(in);
  Writer to(out);
  for (std::int64_t row = begin; row < begin + count; ++row) {
    for_row_segments(in.cols, [&](std::int64_t col, std::int64_t n) {
      map(n, to.begin(row, col), [](Vec v) { return v; }, from.read(row, col, n));
      to.end(row, col, n);
    });
  }
}

template <class In, class Out>
void convolve(const LaunchContext& ctx, const ConstMatrix& in, const GradMatrix& out,
              const TokenGrid& grid, std::int64_t k, const Taps& taps, bool flipped) {
  const Window<In, Out> window{static_cast<const In*>(in.data),
                               in.ld,
                               static_cast<Out*>(out.to.data),
                               out.to.ld,
                               out.accumulate,
                               taps,
                               flipped,
                               grid,
                               k};
  const std::int64_t lines = in.rows / grid.rows() * grid.height;
  const std::int64_t work = grid.width * in.cols * k * k;
  for_ranges(ctx, lines, 1, most(1, kGrain / most(work, 1)),
             [&](std::int64_t begin, std::int64_t end) {
               for (std::int64_t line = begin; line < end; ++line) {
                 const std::int64_t start = line / grid.height * grid.rows();
                 const std::int64_t y = line % grid.height;
                 if (y == 0) copy_prefix(in, out, start, grid.prefix);
                 window_line(window, start + grid.prefix, y, in.cols);
               }
             });
}

void convolve_any(const LaunchContext& ctx, const ConstMatrix& in, const GradMatrix& out,
                  const TokenGrid& grid, std::int64_t k, const Taps& taps, bool flipped) {
  if (narrow(in.dtype)) {
    if (narrow(out.to.dtype)) return convolve<Bf16, Bf16>(ctx, in, out, grid, k, taps, flipped);
    return convolve<Bf16, float>(ctx, in, out, grid, k, taps, flipped);
  }
  if (narrow(out.to.dtype)) return convolve<float, Bf16>(ctx, in, out, grid, k, taps, flipped);
  convolve<float, float>(ctx, in, out, grid, k, taps, flipped);
}

// sums[col …] += Σ over the places of one sequence of dy ⊙ (x moved by a tap); for tap k² the bias:
// of dy alone. Lines are summed first: the error grows with width + height.
template <int Vectors, class In>
void add_tap(const DepthwiseConvBackwardArgs& args, std::int64_t first, std::int64_t tap,
             std::int64_t col, std::int64_t last, float* sums) {
  const std::int64_t k = args.k, width = args.grid.width, height = args.grid.height;
  const bool bias = tap == k * k;
  const std::int64_t down = bias ? 0 : tap / k - k / 2, right = bias ? 0 : tap % k - k / 2;
  const In* dy = static_cast<const In*>(args.dy.data) + col;
  const In* x = bias ? dy : static_cast<const In*>(args.x.data) + col;
  Vec total[Vectors];
#pragma GCC unroll 4
  for (int j = 0; j < Vectors; ++j) total[j] = read<Vectors>(sums + col + j * kLanes, last);
  for (std::int64_t i = most(0, -down); i < least(height, height - down); ++i) {
    Vec line[Vectors];
#pragma GCC unroll 4
    for (int j = 0; j < Vectors; ++j) line[j] = zero();
    for (std::int64_t at = most(0, -right); at < least(width, width - right); ++at) {
      const In* up = dy + (first + i * width + at) * args.dy.ld;
      const In* from = bias ? up : x + (first + (i + down) * width + at + right) * args.x.ld;
#pragma GCC unroll 4
      for (int j = 0; j < Vectors; ++j) {
        const Vec slope = read<Vectors>(up + j * kLanes, last);
        line[j] =
            bias ? line[j] + slope : fma(slope, read<Vectors>(from + j * kLanes, last), line[j]);
      }
    }
#pragma GCC unroll 4
    for (int j = 0; j < Vectors; ++j) total[j] = total[j] + line[j];
  }
#pragma GCC unroll 4
  for (int j = 0; j < Vectors; ++j) write<Vectors>(sums + col + j * kLanes, total[j], last);
}

// Partial sums of some channels over the sequences of one chunk.
template <class In>
void sum_chunk(const DepthwiseConvBackwardArgs& args, const Taps& sums, Range chunk,
               Range channels) {
  const std::int64_t from = args.dweight.to.data != nullptr ? 0 : args.k * args.k;
  const std::int64_t to = args.k * args.k + (args.dbias.to.data != nullptr ? 1 : 0);
  for (std::int64_t tap = from; tap < to; ++tap) {
    fill_with(channels.end - channels.begin, sums.row(tap) + channels.begin, 0);
  }
  for (std::int64_t b = chunk.begin; b < chunk.end; ++b) {
    const std::int64_t first = b * args.grid.rows() + args.grid.prefix;
    for (std::int64_t tap = from; tap < to; ++tap) {
      std::int64_t col = channels.begin;
      for (; col + kWide <= channels.end; col += kWide) {
        add_tap<kVectors, In>(args, first, tap, col, kLanes, sums.row(tap));
      }
      for (; col < channels.end; col += kLanes) {
        add_tap<1, In>(args, first, tap, col, least(kLanes, channels.end - col), sums.row(tap));
      }
    }
  }
}

void weight_gradient(const LaunchContext& ctx, const DepthwiseConvBackwardArgs& args) {
  const std::int64_t taps = args.k * args.k;
  const auto part = [&](const Taps& sums, Range sequences, Range channels) {
    if (narrow(args.dy.dtype)) {
      sum_chunk<Bf16>(args, sums, sequences, channels);
    } else {
      sum_chunk<float>(args, sums, sequences, channels);
    }
  };
  sum_over_sequences(ctx, args.dy, args.dy.rows / args.grid.rows(), taps, part);
  fold_chunks(ctx, Chunks(args.dy.rows / args.grid.rows()), taps, args.dy.cols, args.dweight,
              args.dbias);
}

std::int64_t depthwise_conv_forward_workspace(std::int64_t channels, std::int64_t k) {
  return Taps::bytes(channels, k * k);
}

std::int64_t depthwise_conv_backward_workspace(std::int64_t sequences, std::int64_t channels,
                                               std::int64_t k) {
  return (1 + Chunks(sequences).count()) * Taps::bytes(channels, k * k);
}

void depthwise_conv_forward(const LaunchContext& ctx, const DepthwiseConvForwardArgs& args) {
  FFN_ASSERT(args.k % 2 == 1 && args.x.rows % args.grid.rows() == 0);
  const Taps taps = taps_at(ctx, args.x.cols, args.k * args.k, 0);
  transpose_weight(args.weight, args.bias, taps);
  convolve_any(ctx, args.x, {args.y, false}, args.grid, args.k, taps, false);
}

void depthwise_conv_backward(const LaunchContext& ctx, const DepthwiseConvBackwardArgs& args) {
  FFN_ASSERT(args.k % 2 == 1 && args.dy.rows % args.grid.rows() == 0);
  if (args.dx.to.data != nullptr) {
    const Taps taps = taps_at(ctx, args.dy.cols, args.k * args.k, 0);
    transpose_weight(args.weight, {}, taps);
    convolve_any(ctx, args.dy, args.dx, args.grid, args.k, taps, true);
  }
  if (args.dweight.to.data != nullptr || args.dbias.to.data != nullptr) weight_gradient(ctx, args);
}

}  // namespace

void fill_conv(KernelTable& table) {
  table.depthwise_conv_forward = depthwise_conv_forward;
  table.depthwise_conv_backward = depthwise_conv_backward;
  table.depthwise_conv_forward_workspace = depthwise_conv_forward_workspace;
  table.depthwise_conv_backward_workspace = depthwise_conv_backward_workspace;
}

}  // namespace ffn::inline v0::kernels::cpu::FFN_ISA_NAMESPACE
