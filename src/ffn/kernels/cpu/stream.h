// How pointwise and row kernels see memory. A row streams through segments that stay in the
// first-level cache; a segment of f32 is used in place, one of bf16 or f16 is converted on the way
// in and out. So every kernel is one f32 loop, whatever the storage types of its operands are.
#pragma once

#include <cstdint>

#include "ffn/base/check.h"
#include "ffn/base/dtype.h"
#include "ffn/base/faults.h"
#include "ffn/base/half.h"
#include "ffn/kernels/args.h"
#include "ffn/kernels/cpu/loops.h"
#include "ffn/kernels/cpu/parallel.h"
#include "ffn/kernels/cpu/vec.h"

namespace ffn::inline v0::kernels::cpu::FFN_ISA_NAMESPACE {
namespace {

// Elements per segment: four operands of 2 KiB leave most of a 32 KiB cache to the caller.
constexpr std::int64_t kSegment = 512;
// Elements that are worth a thread: about 4 µs of work, several times what waking it costs.
constexpr std::int64_t kGrain = 16384;

struct alignas(64) Buffer {
  float data[kSegment];
};

// Without branches, so that the compiler's own vectoriser can turn a loop of it into the ISA at
// hand. Equal to base/half.h bit for bit (tested).
inline std::uint16_t float_to_half(float value) {
  const std::uint32_t word = __builtin_bit_cast(std::uint32_t, value);
  const std::uint32_t sign = (word >> 16) & 0x8000u;
  const std::uint32_t a = word & 0x7fffffffu;
  // Normal: round the 13 low bits to nearest even, then rebias the exponent from 127 to 15.
  const std::uint32_t normal = (a + 0xfffu + ((a >> 13) & 1u) - 0x38000000u) >> 13;
  // Subnormal: adding 0.5 aligns the mantissa so that the addition rounds at 2^-24.
  const float shifted = __builtin_bit_cast(float, a < 0x38800000u ? a : 0u) + 0.5f;
  const std::uint32_t subnormal = __builtin_bit_cast(std::uint32_t, shifted) - 0x3f000000u;
  std::uint32_t half = a < 0x38800000u ? subnormal : normal;
  half = a >= 0x477ff000u ? 0x7c00u : half;  // rounds to infinity
  half = a > 0x7f800000u ? 0x7e00u : half;
  return static_cast<std::uint16_t>(sign | half);
}

template <class Half>
inline void convert_in(const Half* from, std::int64_t n, float* to) {
  std::int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) store(to + i, load(from + i));
  const int rest = static_cast<int>(n - i);
  if (rest > 0) store_n(to + i, load_n(from + i, rest), rest);
}
inline void convert_in(const void* data, DType dtype, std::int64_t offset, std::int64_t n,
                       float* to) {
  FFN_ASSERT(dtype == DType::bf16 || dtype == DType::f16);
  if (dtype == DType::bf16) {
    convert_in(static_cast<const Bf16*>(data) + offset, n, to);
  } else {
    convert_in(static_cast<const F16*>(data) + offset, n, to);
  }
}

inline void convert_out(const float* from, std::int64_t n, Bf16* to) {
  std::int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) store(to + i, load(from + i));
  const int rest = static_cast<int>(n - i);
  const int stored = fault(40) ? rest - 1 : rest;
  if (rest > 0) store_n(to + i, load_n(from + i, rest), stored);
}
inline void convert_out(const float* from, void* data, DType dtype, std::int64_t offset,
                        std::int64_t n) {
  FFN_ASSERT(dtype == DType::bf16 || dtype == DType::f16);
  if (dtype == DType::bf16) {
    convert_out(from, n, static_cast<Bf16*>(data) + offset);
  } else {
    F16* to = static_cast<F16*>(data) + offset;
    for (std::int64_t i = 0; i < n; ++i) to[i].bits = float_to_half(from[i]);
  }
}

// An operand. read() gives n ≤ kSegment elements from (row, col) on, in place or in the reader's
// own buffer; what it gave stays valid until the next read().
class Reader {
 public:
  // An absent operand reads as `absent` everywhere.
  explicit Reader(const ConstMatrix& m, float absent = 0)
      : data_(m.data), dtype_(m.dtype), rows_(m.rows), ld_(m.ld) {
    if (!present()) fill_with(kSegment, buffer_.data, absent);
  }

  bool present() const { return data_ != nullptr; }
  const float* read(std::int64_t row, std::int64_t col, std::int64_t n) {
    if (!present()) return buffer_.data;
    const std::int64_t offset = row * ld_ + col;
    if (dtype_ == DType::f32) return static_cast<const float*>(data_) + offset;
    convert_in(data_, dtype_, offset, n, buffer_.data);
    return buffer_.data;
  }
  // Asks for the lines of n elements of the row after `row`: rows of a wide matrix lie in pages of
  // their own, which the hardware does not look ahead into.
  void ask_next_row(std::int64_t row, std::int64_t col, std::int64_t n) const {
    if (!present() || row + 1 >= rows_) return;
    const std::int64_t bytes = dtype_ == DType::f32 ? 4 : 2,
                       first = ((row + 1) * ld_ + col) * bytes;
    for (std::int64_t at = 0; at < n * bytes; at += 64)
      __builtin_prefetch(static_cast<const std::byte*>(data_) + first + at);
  }
  float element(std::int64_t row, std::int64_t col) { return *read(row, col, 1); }

 private:
  const void* data_;
  DType dtype_;
  std::int64_t rows_, ld_;
  Buffer buffer_;
};

// A result. The kernel writes n ≤ kSegment elements to begin(row, col), then calls end() with the
// same place; end() converts or adds. When is_memory(), begin() is the result's own memory.
class Writer {
 public:
  Writer(const Matrix& m, bool accumulate)
      : data_(m.data), dtype_(m.dtype), accumulate_(accumulate), ld_(m.ld) {}
  explicit Writer(const Matrix& m) : Writer(m, false) {}
  explicit Writer(const GradMatrix& g) : Writer(g.to, g.accumulate) {}

  bool present() const { return data_ != nullptr; }
  bool is_memory() const { return dtype_ == DType::f32 && !accumulate_; }
  float* begin(std::int64_t row, std::int64_t col) {
    if (!is_memory()) return buffer_.data;
    return static_cast<float*>(data_) + row * ld_ + col;
  }
  void end(std::int64_t row, std::int64_t col, std::int64_t n) {
    const std::int64_t offset = row * ld_ + col;
    if (dtype_ == DType::f32) {
      if (accumulate_) add(static_cast<float*>(data_) + offset, buffer_.data, n);
      return;
    }
    if (accumulate_) {
      Buffer old;
      convert_in(data_, dtype_, offset, n, old.data);
      add(buffer_.data, old.data, n);
    }
    convert_out(buffer_.data, data_, dtype_, offset, n);
  }
  void put(std::int64_t row, std::int64_t col, float value) {
    *begin(row, col) = value;
    end(row, col, 1);
  }

 private:
  static void add(float* to, const float* from, std::int64_t n) {
    map(n, to, [](Vec a, Vec b) { return a + b; }, static_cast<const float*>(to), from);
  }

  void* data_;
  DType dtype_;
  bool accumulate_;
  std::int64_t ld_;
  Buffer buffer_;
};

// n elements from (row, col) on.
struct Segment {
  std::int64_t row, col, n;
};

// Calls body(row, col, n) for the segments of one row.
template <class F>
inline void for_row_segments(std::int64_t cols, const F& body) {
  for (std::int64_t col = 0; col < cols; col += kSegment) body(col, least(kSegment, cols - col));
}

// Calls body(begin, end) over disjoint row ranges, on as many threads as the elements are worth.
template <class F>
inline void for_row_ranges(const LaunchContext& ctx, std::int64_t rows, std::int64_t cols,
                           const F& body) {
  for_ranges(ctx, rows, 1, most(1, kGrain / most(cols, 1)), body);
}

template <class M>
inline bool packed(const M& m) {
  return m.data == nullptr || m.ld == m.cols;
}

// n elements of a row of x into y, unchanged; both have the same dtype.
inline void copy_elements(const ConstMatrix& x, std::int64_t x_row, const Matrix& y,
                          std::int64_t y_row, std::int64_t col, std::int64_t n) {
  const std::int64_t bytes = y.dtype == DType::f32 ? 4 : 2;
  const auto* from = static_cast<const std::byte*>(x.data) + (x_row * x.ld + col) * bytes;
  auto* to = static_cast<std::byte*>(y.data) + (y_row * y.ld + col) * bytes;
  __builtin_memcpy(to, from, static_cast<std::size_t>(n * bytes));
}

// The shape an elementwise kernel walks, cut into segments.
class Grid {
 public:
  Grid() = default;
  // Rows that follow each other without padding in every operand are one long row.
  template <class First, class... Rest>
  explicit Grid(const First& shape, const Rest&... operands)
      : rows_(shape.rows), cols_(shape.cols) {
    if (packed(shape) && (packed(operands) && ...)) {
      cols_ *= rows_;
      rows_ = cols_ > 0 ? 1 : 0;
    }
    per_row_ = ceil_div(cols_, kSegment);
  }

  // Rows stay rows, as where an operand is broadcast over them.
  static Grid by_rows(const ConstMatrix& shape) {
    Grid grid;
    grid.rows_ = shape.rows;
    grid.cols_ = shape.cols;
    grid.per_row_ = ceil_div(grid.cols_, kSegment);
    return grid;
  }

  // Calls make() once per thread for a function of a Segment (it owns the readers and writers), and
  // that function for every segment.
  template <class Make>
  void run(const LaunchContext& ctx, const Make& make) const {
    const std::int64_t enough = most(1, kGrain / most(1, least(cols_, kSegment)));
    for_ranges(ctx, rows_ * per_row_, 1, enough, [&](std::int64_t begin, std::int64_t end) {
      auto body = make();
      for (std::int64_t i = begin; i < end; ++i) {
        const std::int64_t col = i % per_row_ * kSegment;
        body(Segment{i / per_row_, col, least(kSegment, cols_ - col)});
      }
    });
  }

 private:
  std::int64_t rows_ = 0, cols_ = 0, per_row_ = 0;
};

}  // namespace
}  // namespace ffn::inline v0::kernels::cpu::FFN_ISA_NAMESPACE
