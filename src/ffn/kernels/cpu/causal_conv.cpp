// Causal convolution over the tokens of sequences. Rows pass once, in order: the k − 1 rows that a
// row looks back at are still in the first-level cache.
#include "ffn/kernels/causal_conv.h"

#include "ffn/kernels/cpu/channel_taps.h"
#include "ffn/kernels/table.h"

namespace ffn::inline v0::kernels::cpu::FFN_ISA_NAMESPACE {
void fill_causal_conv(KernelTable& table);

namespace {

// Rows of the weight gradient that are summed before they join the total: the error grows with kRun
// + T/kRun.
constexpr std::int64_t kRun = 64;
// Taps of the weight gradient that share a pass over dy.
constexpr int kTapsAtOnce = 4;

// out[t] (+)= bias + Σ over lags of weight[k − 1 − lag]·in[t − lag], or in[t + lag] on the way
// back.
template <class In, class Out>
struct Window {
  const In* in;
  std::int64_t in_ld;
  Out* out;
  std::int64_t out_ld;
  bool accumulate;
  Taps taps;
  std::int64_t tokens, k;
  bool back;

  // Lags 0 … lags(row) − 1 stay in the row's sequence.
  std::int64_t lags(std::int64_t row) const {
    const std::int64_t t = row % tokens;
    return least(k, back ? tokens - t : (fault(82) ? row : t) + 1);
  }
  const float* weight(std::int64_t lag) const {
    return taps.row(back && fault(83) ? lag : k - 1 - lag);
  }
};

template <int Vectors, class In, class Out>
void window_sum(const Window<In, Out>& w, std::int64_t row, std::int64_t lags, std::int64_t col,
                std::int64_t last) {
  const std::int64_t step = w.back ? w.in_ld : -w.in_ld;
  const In* in = w.in + row * w.in_ld + col;
  Vec sums[Vectors];
#pragma GCC unroll 4
  for (int j = 0; j < Vectors; ++j) {
    sums[j] = read<Vectors>(w.taps.row(w.k) + col + j * kLanes, last);
  }
  for (std::int64_t lag = 0; lag < lags; ++lag, in += step) {
    const float* weight = w.weight(lag) + col;
#pragma GCC unroll 4
    for (int j = 0; j < Vectors; ++j) {
      const std::int64_t at = j * kLanes;
      sums[j] = fma(read<Vectors>(weight + at, last), read<Vectors>(in + at, last), sums[j]);
    }
  }
  Out* out = w.out + row * w.out_ld + col;
#pragma GCC unroll 4
  for (int j = 0; j < Vectors; ++j) {
    Out* at = out + j * kLanes;
    write<Vectors>(at, w.accumulate ? sums[j] + read<Vectors>(at, last) : sums[j], last);
  }
}

template <class In, class Out>
void convolve(const LaunchContext& ctx, const ConstMatrix& in, const GradMatrix& out,
              const Taps& taps, std::int64_t tokens, std::int64_t k, bool back) {
  const Window<In, Out> window{static_cast<const In*>(in.data),
                               in.ld,
                               static_cast<Out*>(out.to.data),
                               out.to.ld,
                               out.accumulate,
                               taps,
                               tokens,
                               k,
                               back};
  for_row_ranges(ctx, in.rows, in.cols * k, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t row = begin; row < end; ++row) {
      const std::int64_t lags = window.lags(row);
      std::int64_t col = 0;
      for (; col + kWide <= in.cols; col += kWide) {
        window_sum<kVectors>(window, row, lags, col, kLanes);
      }
      for (; col < in.cols; col += kLanes) {
        window_sum<1>(window, row, lags, col, least(kLanes, in.cols - col));
      }
    }
  });
}

void convolve_any(const LaunchContext& ctx, const ConstMatrix& in, const GradMatrix& out,
                  const Taps& taps, std::int64_t tokens, std::int64_t k, bool back) {
  if (narrow(in.dtype)) {
    if (narrow(out.to.dtype)) return convolve<Bf16, Bf16>(ctx, in, out, taps, tokens, k, back);
    return convolve<Bf16, float>(ctx, in, out, taps, tokens, k, back);
  }
  if (narrow(out.to.dtype)) return convolve<float, Bf16>(ctx, in, out, taps, tokens, k, back);
  convolve<float, float>(ctx, in, out, taps, tokens, k, back);
}

// The channels [col, col + last) of the rows [begin, end) of a sequence whose first row is `first`.
struct Strip {
  std::int64_t first, begin, end, col, last;
};

// All lanes, or the first `last`: half-width elements are slow to load one by one.
template <bool Whole, class T>
Vec lanes(const T* at, std::int64_t last) {
  if constexpr (Whole) return load(at);
  return load_n(at, last);
}
template <bool Whole>
void add_lanes(float* to, Vec sum, std::int64_t last) {
  store_n(to, lanes<Whole>(to, last) + sum, last);
}

// sums[tap + i] += Σ over the strip's rows of dy ⊙ (x moved by that tap), i < Count.
template <int Count, bool Whole, class In>
void add_taps(const CausalConvBackwardArgs& args, const Strip& strip, std::int64_t tap,
              const Taps& sums) {
  const std::int64_t ld = args.x.ld;
  const In* dy = static_cast<const In*>(args.dy.data) + strip.first * args.dy.ld + strip.col;
  const In* x = static_cast<const In*>(args.x.data) + strip.first * ld + strip.col;
  Vec run[Count];
#pragma GCC unroll 4
  for (int i = 0; i < Count; ++i) run[i] = zero();
  for (std::int64_t t = strip.begin; t < strip.end; ++t) {
    const Vec slope = lanes<Whole>(dy + t * args.dy.ld, strip.last);
#pragma GCC unroll 4
    for (int i = 0; i < Count; ++i) {
      const std::int64_t from = t - (args.k - 1 - tap - i);
      if (from >= 0) run[i] = fma(slope, lanes<Whole>(x + from * ld, strip.last), run[i]);
    }
  }
#pragma GCC unroll 4
  for (int i = 0; i < Count; ++i) {
    add_lanes<Whole>(sums.row(tap + i) + strip.col, run[i], strip.last);
  }
}

// sums[k] += Σ over the strip's rows of dy.
template <bool Whole, class In>
void add_bias(const CausalConvBackwardArgs& args, const Strip& strip, const Taps& sums) {
  const In* dy = static_cast<const In*>(args.dy.data) + strip.first * args.dy.ld + strip.col;
  Vec run = zero();
  for (std::int64_t t = strip.begin; t < strip.end; ++t) {
    run = run + lanes<Whole>(dy + t * args.dy.ld, strip.last);
  }
  add_lanes<Whole>(sums.row(args.k) + strip.col, run, strip.last);
}

template <bool Whole, class In>
void sum_strip(const CausalConvBackwardArgs& args, const Strip& strip, const Taps& sums) {
  std::int64_t tap = args.dweight.to.data != nullptr ? 0 : args.k;
  for (; tap + kTapsAtOnce <= args.k; tap += kTapsAtOnce) {
    add_taps<kTapsAtOnce, Whole, In>(args, strip, tap, sums);
  }
  for (; tap < args.k; ++tap) add_taps<1, Whole, In>(args, strip, tap, sums);
  if (args.dbias.to.data != nullptr) add_bias<Whole, In>(args, strip, sums);
}

// Partial sums of some channels over the sequences of one chunk, a run of rows at a time: its cache
// lines are shared by neighbouring strips.
template <class In>
void sum_chunk(const CausalConvBackwardArgs& args, const Taps& sums, Range chunk, Range channels) {
  for (std::int64_t tap = args.dweight.to.data != nullptr ? 0 : args.k; tap <= args.k; ++tap) {
    fill_with(channels.end - channels.begin, sums.row(tap) + channels.begin, 0);
  }
  const std::int64_t T = args.tokens, runs = ceil_div(T, kRun);
  for (std::int64_t run = chunk.begin * runs; run < chunk.end * runs; ++run) {
    const std::int64_t begin = run % runs * kRun, end = least(T, begin + kRun);
    for (std::int64_t col = channels.begin; col < channels.end; col += kLanes) {
      const std::int64_t last = least(kLanes, channels.end - col);
      const Strip strip{run / runs * T, begin, end, col, last};
      if (last == kLanes) {
        sum_strip<true, In>(args, strip, sums);
      } else {
        sum_strip<false, In>(args, strip, sums);
      }
    }
  }
}

void weight_gradient(const LaunchContext& ctx, const CausalConvBackwardArgs& args,
                     std::int64_t sequences) {
  const auto part = [&](const Taps& sums, Range chunk, Range channels) {
    if (narrow(args.dy.dtype)) {
      sum_chunk<Bf16>(args, sums, chunk, channels);
    } else {
      sum_chunk<float>(args, sums, chunk, channels);
    }
  };
  sum_over_sequences(ctx, args.dy, sequences, args.k, part);
  fold_chunks(ctx, Chunks(sequences), args.k, args.dy.cols, args.dweight, args.dbias);
}

std::int64_t causal_conv_forward_workspace(std::int64_t channels, std::int64_t k) {
  return Taps::bytes(channels, k);
}

std::int64_t causal_conv_backward_workspace(std::int64_t sequences, std::int64_t channels,
                                            std::int64_t k) {
  return (1 + Chunks(sequences).count()) * Taps::bytes(channels, k);
}

void causal_conv_forward(const LaunchContext& ctx, const CausalConvForwardArgs& args) {
  FFN_ASSERT(args.k >= 1 && args.x.rows % most(args.tokens, 1) == 0);
  const Taps taps = taps_at(ctx, args.x.cols, args.k, 0);
  transpose_weight(args.weight, args.bias, taps);
  convolve_any(ctx, args.x, {args.y, false}, taps, args.tokens, args.k, false);
}

void causal_conv_backward(const LaunchContext& ctx, const CausalConvBackwardArgs& args) {
  FFN_ASSERT(args.k >= 1 && args.dy.rows % most(args.tokens, 1) == 0);
  const std::int64_t sequences = args.dy.rows / most(args.tokens, 1);
  if (args.dx.to.data != nullptr) {
    const Taps taps = taps_at(ctx, args.dy.cols, args.k, 0);
    transpose_weight(args.weight, {}, taps);
    convolve_any(ctx, args.dy, args.dx, taps, args.tokens, args.k, true);
  }
  if (args.dweight.to.data != nullptr || args.dbias.to.data != nullptr) {
    weight_gradient(ctx, args, sequences);
  }
}

}  // namespace

void fill_causal_conv(KernelTable& table) {
  table.causal_conv_forward = causal_conv_forward;
  table.causal_conv_backward = causal_conv_backward;
  table.causal_conv_forward_workspace = causal_conv_forward_workspace;
  table.causal_conv_backward_workspace = causal_conv_backward_workspace;
}

}  // namespace ffn::inline v0::kernels::cpu::FFN_ISA_NAMESPACE
