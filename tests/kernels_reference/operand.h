// A matrix for tests: rows with padding behind each (ld > cols) and guard bytes around the whole.
// Everything that a kernel must not touch holds one pattern, and intact() looks at all of it.
#pragma once

#include <algorithm>
#include <complex>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <random>
#include <span>
#include <vector>

#include "ffn/base/blocks.h"
#include "ffn/base/half.h"
#include "ffn/kernels/args.h"

namespace ffn::test {

using Number = std::complex<double>;

class Operand {
 public:
  Operand(DType dtype, std::int64_t rows, std::int64_t cols)
      : dtype_(dtype), rows_(rows), cols_(cols), ld_(cols + (is_block(dtype) ? kQuantBlock : 3)) {
    bytes_.assign(static_cast<std::size_t>(2 * kGuard + dtype_bytes(dtype, rows * ld_)), kPattern);
  }
  Operand(DType dtype, std::int64_t rows, std::int64_t cols, std::span<const double> values)
      : Operand(dtype, rows, cols) {
    set(values);
  }

  std::int64_t rows() const { return rows_; }
  std::int64_t cols() const { return cols_; }
  std::size_t size() const { return static_cast<std::size_t>(rows_ * cols_); }
  kernels::Matrix matrix() { return {data(), dtype_, rows_, cols_, ld_}; }
  kernels::ConstMatrix view() { return matrix(); }

  Number get(std::int64_t row, std::int64_t col) {
    const std::byte* at = data() + dtype_bytes(dtype_, row * ld_ + col);
    switch (dtype_) {
      case DType::f64: return load<double>(at);
      case DType::f32: return static_cast<double>(load<float>(at));
      case DType::bf16: return static_cast<double>(to_float(load<Bf16>(at)));
      case DType::f16: return static_cast<double>(to_float(load<F16>(at)));
      default: return load<Number>(at);
    }
  }
  void set(std::int64_t row, std::int64_t col, Number value) {
    std::byte* at = data() + dtype_bytes(dtype_, row * ld_ + col);
    const float narrow = static_cast<float>(value.real());
    switch (dtype_) {
      case DType::f64: return store(at, value.real());
      case DType::f32: return store(at, narrow);
      case DType::bf16: return store(at, to_bf16(narrow));
      case DType::f16: return store(at, to_f16(narrow));
      default: return store(at, value);
    }
  }

  // All elements, row by row, without padding.
  template <class T>
  void set(std::span<const T> values) {
    if (is_block(dtype_)) return quantise(values);
    for (std::int64_t row = 0; row < rows_; ++row) {
      for (std::int64_t col = 0; col < cols_; ++col) {
        set(row, col, values[static_cast<std::size_t>(row * cols_ + col)]);
      }
    }
  }
  std::vector<Number> numbers() {
    std::vector<Number> all;
    for (std::int64_t row = 0; row < rows_; ++row) {
      for (std::int64_t col = 0; col < cols_; ++col) all.push_back(get(row, col));
    }
    return all;
  }
  std::vector<double> values() {
    if (is_block(dtype_)) return dequantised();
    std::vector<double> all;
    for (const Number& number : numbers()) all.push_back(number.real());
    return all;
  }

  // Guards and padding still hold the pattern.
  bool intact() const {
    const auto untouched = [&](std::int64_t begin, std::int64_t end) {
      return std::all_of(bytes_.begin() + begin, bytes_.begin() + end,
                         [](std::byte byte) { return byte == kPattern; });
    };
    const std::int64_t row_bytes = dtype_bytes(dtype_, ld_);
    bool result = untouched(0, kGuard) &&
                  untouched(kGuard + rows_ * row_bytes, static_cast<std::int64_t>(bytes_.size()));
    for (std::int64_t row = 0; row < rows_; ++row) {
      const std::int64_t begin = kGuard + row * row_bytes;
      result = result && untouched(begin + dtype_bytes(dtype_, cols_), begin + row_bytes);
    }
    return result;
  }

 private:
  static constexpr std::int64_t kGuard = 64;
  static constexpr std::byte kPattern{0xA5};

  template <class T>
  static T load(const std::byte* at) {
    T value;
    std::memcpy(&value, at, sizeof value);
    return value;
  }
  template <class T>
  static void store(std::byte* at, const T& value) {
    std::memcpy(at, &value, sizeof value);
  }
  std::byte* data() { return bytes_.data() + kGuard; }

  template <class T>
  void quantise(std::span<const T> values) {
    for (std::int64_t row = 0; row < rows_; ++row) {
      std::vector<float> line;
      for (std::int64_t col = 0; col < cols_; ++col) {
        const Number value = values[static_cast<std::size_t>(row * cols_ + col)];
        line.push_back(static_cast<float>(value.real()));
      }
      quantize_row(dtype_, line.data(), cols_, data() + dtype_bytes(dtype_, row * ld_));
    }
  }
  std::vector<double> dequantised() {
    std::vector<double> all;
    std::vector<float> line(static_cast<std::size_t>(cols_));
    for (std::int64_t row = 0; row < rows_; ++row) {
      dequantize_row(dtype_, data() + dtype_bytes(dtype_, row * ld_), cols_, line.data());
      all.insert(all.end(), line.begin(), line.end());
    }
    return all;
  }

  DType dtype_;
  std::int64_t rows_, cols_, ld_;
  std::vector<std::byte> bytes_;
};

// ±[0.1, limit), the first one positive (so that a rectifier lets something through); never a kink.
inline std::vector<double> random_values(std::mt19937_64& random, std::size_t size,
                                         double limit = 2) {
  std::vector<double> values(size);
  for (std::size_t i = 0; i < size; ++i) {
    const std::uint64_t word = random();
    const double magnitude = 0.1 + (limit - 0.1) * static_cast<double>(word >> 11) * 0x1p-53;
    values[i] = (word & 1) != 0 && i != 0 ? -magnitude : magnitude;
  }
  return values;
}

// Where the kernels under test run: one thread, room for any of their workspaces here.
struct Launch {
  alignas(64) std::byte workspace[1 << 16];
  operator kernels::LaunchContext() { return {nullptr, workspace, sizeof workspace}; }
};

}  // namespace ffn::test
