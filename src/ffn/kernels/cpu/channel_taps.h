// What convolutions with a window per channel share. Channels lie next to each other, so they are
// the vector. Weights are read from a transposed f32 copy in the workspace, a row per tap; their
// gradients are summed in rows of the same form.
#pragma once

#include "ffn/kernels/cpu/stream.h"

namespace ffn::inline v0::kernels::cpu::FFN_ISA_NAMESPACE {
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

inline bool narrow(DType dtype) {
  FFN_ASSERT(dtype == DType::f32 || dtype == DType::bf16);
  return dtype == DType::bf16;
}

// [taps + 1, C] in f32: a row per tap, then one for the bias. Rows are whole cache lines.
struct Taps {
  float* data;
  std::int64_t stride;

  float* row(std::int64_t tap) const { return data + tap * stride; }
  static std::int64_t stride_of(std::int64_t channels) { return ceil_div(channels, 16) * 16; }
  static std::int64_t bytes(std::int64_t channels, std::int64_t taps) {
    return (taps + 1) * stride_of(channels) * 4;
  }
};

// The index-th of such tables in the workspace: the weights, then one per chunk.
inline Taps taps_at(const LaunchContext& ctx, std::int64_t channels, std::int64_t taps,
                    std::int64_t index) {
  FFN_ASSERT(ctx.workspace_bytes >= (index + 1) * Taps::bytes(channels, taps));
  void* at = ctx.workspace + index * Taps::bytes(channels, taps);
  return {static_cast<float*>(at), Taps::stride_of(channels)};
}

// weight [C, taps], bias [1, C] or absent.
inline void transpose_weight(const ConstMatrix& weight, const ConstMatrix& bias, const Taps& to) {
  Reader w(weight), b(bias);
  for (std::int64_t c = 0; c < weight.rows; ++c) {
    for_row_segments(weight.cols, [&](std::int64_t col, std::int64_t n) {
      const float* from = w.read(c, col, n);
      for (std::int64_t i = 0; i < n; ++i) to.row(col + i)[c] = from[i];
    });
  }
  for_row_segments(weight.rows, [&](std::int64_t col, std::int64_t n) {
    map(n, to.row(weight.cols) + col, [](Vec v) { return v; }, b.read(0, col, n));
  });
}

// The weight gradient sums over sequences: they are cut into at most 16 chunks, by their number
// alone; partial sums are added in the order of the chunks.
struct Chunks {
  std::int64_t sequences, size;

  explicit Chunks(std::int64_t count) : sequences(count), size(most(1, ceil_div(count, 16))) {}
  std::int64_t count() const { return ceil_div(sequences, size); }
};

// Calls part(sums, sequences, channels) for every chunk and piece of the channels of dy, on several
// threads when there is enough work: it fills these channels of the chunk's sums.
template <class Part>
void sum_over_sequences(const LaunchContext& ctx, const ConstMatrix& dy, std::int64_t sequences,
                        std::int64_t taps, const Part& part) {
  const Chunks chunks(sequences);
  const std::int64_t pieces = ceil_div(dy.cols, kPieceChannels);
  const auto one = [&](std::int64_t index) {
    const std::int64_t chunk = index / pieces, begin = index % pieces * kPieceChannels;
    part(taps_at(ctx, dy.cols, taps, 1 + chunk),
         Range{chunk * chunks.size, least(sequences, (chunk + 1) * chunks.size)},
         Range{begin, least(dy.cols, begin + kPieceChannels)});
  };
  if (dy.rows * dy.cols * taps >= 2 * kGrain) return for_parts(ctx, chunks.count() * pieces, one);
  for (std::int64_t index = 0; index < chunks.count() * pieces; ++index) one(index);
}

// Adds the chunks up and writes dweight, transposed, and dbias; either may be absent.
inline void fold_chunks(const LaunchContext& ctx, const Chunks& chunks, std::int64_t taps,
                        std::int64_t channels, const GradMatrix& to_weight,
                        const GradMatrix& to_bias) {
  const std::int64_t count = fault(71) ? least(chunks.count(), 1) : chunks.count();
  Writer dweight(to_weight), dbias(to_bias);
  Buffer total;
  const float* now = total.data;
  const auto plus = [](Vec a, Vec b) { return a + b; };
  for (std::int64_t tap = dweight.present() ? 0 : taps; tap < taps + 1; ++tap) {
    if (tap == taps && !dbias.present()) break;
    for_row_segments(channels, [&](std::int64_t col, std::int64_t n) {
      fill_with(n, total.data, 0);
      for (std::int64_t chunk = 0; chunk < count; ++chunk) {
        const float* sums = taps_at(ctx, channels, taps, 1 + chunk).row(tap) + col;
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

}  // namespace
}  // namespace ffn::inline v0::kernels::cpu::FFN_ISA_NAMESPACE
