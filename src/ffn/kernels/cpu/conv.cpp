// Depthwise convolution over a grid of tokens. Channels lie next to each other, so they are the
// vector; the window's taps are summed in registers. Weights are read from a transposed f32 copy in
// the workspace.
#include "ffn/kernels/conv.h"

#include "ffn/kernels/cpu/stream.h"
#include "ffn/kernels/table.h"

namespace ffn::inline v0::kernels::cpu::FFN_ISA_NAMESPACE {
void fill_conv(KernelTable& table);

namespace {

// Vectors of channels that pass together: enough independent sums to hide an fma's latency.
constexpr int kVectors = 4;
constexpr std::int64_t kWide = kVectors * kLanes;
// Channels of one piece of the weight gradient's work; a multiple of kWide on every ISA.
constexpr std::int64_t kPieceChannels = 128;

// kVectors come whole; a single vector has `last` lanes.
template <int Vectors, class T>
Vec read(const T* at, std::int64_t last) {
  if constexpr (Vectors == kVectors) return load(at);
  return load_n(at, last);
}
template <int Vectors, class T>
void write(T* at, Vec value, std::int64_t last) {
  if constexpr (Vectors == kVectors) return store(at, value);
  store_n(at, value, last);
}

// [k² + 1, C] in f32: a row per tap, then one for the bias. Rows are whole cache lines.
struct Taps {
  float* data;
  std::int64_t stride;

  float* row(std::int64_t tap) const { return data + tap * stride; }
  static std::int64_t stride_of(std::int64_t channels) { return ceil_div(channels, 16) * 16; }
  static std::int64_t bytes(std::int64_t channels, std::int64_t k) {
    return (k * k + 1) * stride_of(channels) * 4;
  }
};

Taps taps_at(const LaunchContext& ctx, std::int64_t channels, std::int64_t k, std::int64_t index) {
  FFN_ASSERT(ctx.workspace_bytes >= (index + 1) * Taps::bytes(channels, k));
  void* at = ctx.workspace + index * Taps::bytes(channels, k);
  return {static_cast<float*>(at), Taps::stride_of(channels)};
}

void transpose_weight(const ConstMatrix& weight, const ConstMatrix& bias, std::int64_t k,
                      const Taps& taps) {
  Reader w(weight), b(bias);
  for (std::int64_t c = 0; c < weight.rows; ++c) {
    for_row_segments(k * k, [&](std::int64_t col, std::int64_t n) {
      const float* from = w.read(c, col, n);
      for (std::int64_t i = 0; i < n; ++i) taps.row(col + i)[c] = from[i];
    });
  }
  for_row_segments(weight.rows, [&](std::int64_t col, std::int64_t n) {
    map(n, taps.row(k * k) + col, [](Vec v) { return v; }, b.read(0, col, n));
  });
}

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

bool narrow(DType dtype) {
  FFN_ASSERT(dtype == DType::f32 || dtype == DType::bf16);
  return dtype == DType::bf16;
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

// The weight gradient sums over sequences: they are cut into at most 16 chunks, by their number
// alone; partial sums are added in the order of the chunks.
struct Chunks {
  std::int64_t sequences, size;

  explicit Chunks(std::int64_t count) : sequences(count), size(most(1, ceil_div(count, 16))) {}
  std::int64_t count() const { return ceil_div(sequences, size); }
};

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

// Partial sums of the channels [begin, end) over the sequences of one chunk.
template <class In>
void sum_chunk(const DepthwiseConvBackwardArgs& args, const Taps& sums, Range chunk,
               std::int64_t begin, std::int64_t end) {
  const std::int64_t from = args.dweight.to.data != nullptr ? 0 : args.k * args.k;
  const std::int64_t to = args.k * args.k + (args.dbias.to.data != nullptr ? 1 : 0);
  for (std::int64_t tap = from; tap < to; ++tap) fill_with(end - begin, sums.row(tap) + begin, 0);
  for (std::int64_t b = chunk.begin; b < chunk.end; ++b) {
    const std::int64_t first = b * args.grid.rows() + args.grid.prefix;
    for (std::int64_t tap = from; tap < to; ++tap) {
      std::int64_t col = begin;
      for (; col + kWide <= end; col += kWide) {
        add_tap<kVectors, In>(args, first, tap, col, kLanes, sums.row(tap));
      }
      for (; col < end; col += kLanes) {
        add_tap<1, In>(args, first, tap, col, least(kLanes, end - col), sums.row(tap));
      }
    }
  }
}

// Adds the chunks up and writes dweight, transposed, and dbias.
void fold_chunks(const LaunchContext& ctx, const DepthwiseConvBackwardArgs& args,
                 std::int64_t chunks) {
  const std::int64_t channels = args.dy.cols, taps = args.k * args.k;
  Writer dweight(args.dweight), dbias(args.dbias);
  Buffer total;
  const float* now = total.data;
  const auto plus = [](Vec a, Vec b) { return a + b; };
  for (std::int64_t tap = dweight.present() ? 0 : taps; tap < taps + 1; ++tap) {
    if (tap == taps && !dbias.present()) break;
    for_row_segments(channels, [&](std::int64_t col, std::int64_t n) {
      fill_with(n, total.data, 0);
      for (std::int64_t chunk = 0; chunk < (fault(71) ? least(chunks, 1) : chunks); ++chunk) {
        const float* sums = taps_at(ctx, channels, args.k, 1 + chunk).row(tap) + col;
        map(n, total.data, plus, now, sums);
      }
      if (tap == taps) {
        map(n, dbias.begin(0, col), [](Vec v) { return v; }, now);
        dbias.end(0, col, n);
        return;
      }
      for (std::int64_t i = 0; i < n; ++i) dweight.put(col + i, tap, total.data[i]);
    });
  }
}

void weight_gradient(const LaunchContext& ctx, const DepthwiseConvBackwardArgs& args) {
  const std::int64_t channels = args.dy.cols;
  const Chunks chunks(args.dy.rows / args.grid.rows());
  const std::int64_t pieces = ceil_div(channels, kPieceChannels);
  const auto part = [&](std::int64_t index) {
    const std::int64_t chunk = index / pieces, begin = index % pieces * kPieceChannels;
    const std::int64_t end = least(channels, begin + kPieceChannels);
    const Range sequences{chunk * chunks.size, least(chunks.sequences, (chunk + 1) * chunks.size)};
    const Taps sums = taps_at(ctx, channels, args.k, 1 + chunk);
    if (narrow(args.dy.dtype)) {
      sum_chunk<Bf16>(args, sums, sequences, begin, end);
    } else {
      sum_chunk<float>(args, sums, sequences, begin, end);
    }
  };
  if (args.dy.rows * channels * args.k * args.k >= 2 * kGrain) {
    for_parts(ctx, chunks.count() * pieces, part);
  } else {
    for (std::int64_t index = 0; index < chunks.count() * pieces; ++index) part(index);
  }
  fold_chunks(ctx, args, chunks.count());
}

std::int64_t depthwise_conv_forward_workspace(std::int64_t channels, std::int64_t k) {
  return Taps::bytes(channels, k);
}

std::int64_t depthwise_conv_backward_workspace(std::int64_t sequences, std::int64_t channels,
                                               std::int64_t k) {
  return (1 + Chunks(sequences).count()) * Taps::bytes(channels, k);
}

void depthwise_conv_forward(const LaunchContext& ctx, const DepthwiseConvForwardArgs& args) {
  FFN_ASSERT(args.k % 2 == 1 && args.x.rows % args.grid.rows() == 0);
  const Taps taps = taps_at(ctx, args.x.cols, args.k, 0);
  transpose_weight(args.weight, args.bias, args.k, taps);
  convolve_any(ctx, args.x, {args.y, false}, args.grid, args.k, taps, false);
}

void depthwise_conv_backward(const LaunchContext& ctx, const DepthwiseConvBackwardArgs& args) {
  FFN_ASSERT(args.k % 2 == 1 && args.dy.rows % args.grid.rows() == 0);
  if (args.dx.to.data != nullptr) {
    const Taps taps = taps_at(ctx, args.dy.cols, args.k, 0);
    transpose_weight(args.weight, {}, args.k, taps);
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
