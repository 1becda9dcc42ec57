// Operands for product tests. The values are small integers (times a power of two in quantised
// blocks), so that every product and every partial sum is exact in f32: the kernel must then return
// the exact result whatever order it sums in, and one wrong element anywhere shows.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <limits>
#include <memory>
#include <new>
#include <random>
#include <string>
#include <vector>

#include "ffn/base/blocks.h"
#include "ffn/base/cpu_features.h"
#include "ffn/base/half.h"
#include "ffn/kernels/table.h"

namespace ffn::test {

using kernels::ConstMatrix;
using kernels::KernelTable;
using kernels::LaunchContext;
using kernels::Matrix;

inline std::int64_t round_up_to_block(DType dtype, std::int64_t count) {
  const std::int64_t block = block_elements(dtype);
  return (count + block - 1) / block * block;
}

// A stored matrix without a byte behind its last element (a read beyond it is a sanitizer report).
// Gaps between rows hold NaN (0xFF bytes), which would poison any result that used them.
class Stored {
 public:
  Stored(DType dtype, std::int64_t rows, std::int64_t cols, std::int64_t gap)
      : dtype_(dtype), rows_(rows), cols_(cols), ld_(cols + round_up_to_block(dtype, gap)) {
    const std::int64_t elements = rows == 0 ? 0 : (rows - 1) * ld_ + cols;
    bytes_.assign(static_cast<std::size_t>(dtype_bytes(dtype, elements)), std::byte{0xFF});
  }

  Matrix matrix() { return {bytes_.data(), dtype_, rows_, cols_, ld_}; }
  ConstMatrix view() const { return {bytes_.data(), dtype_, rows_, cols_, ld_}; }
  std::int64_t rows() const { return rows_; }
  std::int64_t cols() const { return cols_; }
  const std::vector<std::byte>& bytes() const { return bytes_; }

  void fill_integers(std::mt19937& random) {
    for (std::int64_t r = 0; r < rows_; ++r) {
      if (is_block(dtype_)) {
        fill_blocks(r, random, false);
        continue;
      }
      for (std::int64_t c = 0; c < cols_; ++c) put(r, c, static_cast<float>(random() % 9) - 4.0f);
    }
  }
  // Blocks whose integers have the largest magnitudes there are, of either sign.
  void fill_extremes(std::mt19937& random) {
    for (std::int64_t r = 0; r < rows_; ++r) fill_blocks(r, random, true);
  }
  void fill_reals(std::mt19937& random) {
    std::uniform_real_distribution<float> value(-1.0f, 1.0f);
    for (std::int64_t r = 0; r < rows_; ++r) {
      for (std::int64_t c = 0; c < cols_; ++c) put(r, c, value(random));
    }
  }

  void put(std::int64_t r, std::int64_t c, float value) {
    std::byte* at = bytes_.data() + dtype_bytes(dtype_, r * ld_ + c);
    const Bf16 bf16 = to_bf16(value);
    const F16 f16 = to_f16(value);
    if (dtype_ == DType::f32) std::memcpy(at, &value, sizeof value);
    if (dtype_ == DType::bf16) std::memcpy(at, &bf16, sizeof bf16);
    if (dtype_ == DType::f16) std::memcpy(at, &f16, sizeof f16);
  }
  // All values, row by row, exact.
  std::vector<double> values() const {
    std::vector<double> all;
    all.reserve(static_cast<std::size_t>(rows_ * cols_));
    std::vector<float> row(static_cast<std::size_t>(cols_));
    for (std::int64_t r = 0; r < rows_; ++r) {
      const std::byte* from = bytes_.data() + dtype_bytes(dtype_, r * ld_);
      read_row(from, row);
      all.insert(all.end(), row.begin(), row.end());
    }
    return all;
  }
  // Everything between the rows is still 0xFF.
  bool gaps_untouched() const {
    for (std::int64_t r = 0; r + 1 < rows_; ++r) {
      const auto begin = bytes_.begin() + dtype_bytes(dtype_, r * ld_ + cols_);
      const auto end = bytes_.begin() + dtype_bytes(dtype_, (r + 1) * ld_);
      if (std::any_of(begin, end, [](std::byte b) { return b != std::byte{0xFF}; })) return false;
    }
    return true;
  }

 private:
  // Any bits but for scales, which are powers of two, and for factors of such size that K products
  // with rows of −4 … 4 stay far below 2^24 steps.
  void fill_blocks(std::int64_t r, std::mt19937& random, bool extreme) {
    const std::int64_t elements = block_elements(dtype_), bytes = dtype_bytes(dtype_, elements);
    for (std::int64_t block = 0; block < cols_ / elements; ++block) {
      std::byte* at = bytes_.data() + dtype_bytes(dtype_, r * ld_) + block * bytes;
      for (std::int64_t i = 0; i < bytes; ++i) {
        const auto bits = random() & 0xFF;
        at[i] = static_cast<std::byte>(!extreme ? bits : bits % 2 == 0 ? 0x00 : 0xFF);
      }
      const auto small = [&](std::int64_t i, int most) {
        const int least = extreme ? -128 : -most;
        if (extreme) most = 127;
        const int value = static_cast<int>(random() % (most - least + 1)) + least;
        at[i] = static_cast<std::byte>(!extreme ? value : value < 0 ? least : most);
      };
      const auto put_half = [&](std::int64_t i, float value) {
        const F16 half = to_f16(value);
        std::memcpy(at + i, &half, sizeof half);
      };
      const float scale = random() % 2 == 0 ? 0.5f : 1.0f;
      if (dtype_ == DType::q8_0)
        for (std::int64_t i = 2; i < bytes; ++i) small(i, 31);
      if (dtype_ == DType::q6_k)
        for (std::int64_t i = 192; i < 208; ++i) small(i, 2);
      put_half(dtype_ == DType::q6_k ? 208 : 0, scale);
      if (dtype_ == DType::q4_1 || dtype_ == DType::q4_k)
        put_half(2, 0.5f * (static_cast<float>(random() % 9) - 4.0f));
    }
  }
  void read_row(const std::byte* from, std::vector<float>& row) const {
    const std::size_t cols = row.size();
    if (is_block(dtype_)) return dequantize_row(dtype_, from, cols_, row.data());
    if (dtype_ == DType::f32 && cols > 0) std::memcpy(row.data(), from, cols * sizeof(float));
    for (std::size_t c = 0; c < cols && dtype_ != DType::f32; ++c) {
      std::uint16_t bits;
      std::memcpy(&bits, from + 2 * c, sizeof bits);
      row[c] = dtype_ == DType::bf16 ? to_float(Bf16{bits}) : to_float(F16{bits});
    }
  }

  DType dtype_;
  std::int64_t rows_, cols_, ld_;
  std::vector<std::byte> bytes_;
};

// A workspace of exactly the bytes asked for, full of NaN, with guards around it.
class Workspace {
 public:
  explicit Workspace(std::int64_t bytes)
      : bytes_(bytes),
        memory_(static_cast<std::byte*>(::operator new(size(), std::align_val_t{64}))) {
    std::fill_n(memory_.get(), size(), std::byte{0xFF});
    std::fill_n(memory_.get(), kGuard, kPattern);
    std::fill_n(memory_.get() + kGuard + bytes, kGuard, kPattern);
  }
  LaunchContext context(ThreadPool* pool) { return {pool, memory_.get() + kGuard, bytes_}; }
  bool guards_intact() const {
    const auto intact = [](const std::byte* at) {
      return std::all_of(at, at + kGuard, [](std::byte b) { return b == kPattern; });
    };
    return intact(memory_.get()) && intact(memory_.get() + kGuard + bytes_);
  }

 private:
  static constexpr std::int64_t kGuard = 1024;
  static constexpr std::byte kPattern{0xA5};
  std::size_t size() const { return static_cast<std::size_t>(bytes_ + 2 * kGuard); }

  struct Release {
    void operator()(std::byte* memory) const { ::operator delete(memory, std::align_val_t{64}); }
  };
  std::int64_t bytes_;
  std::unique_ptr<std::byte[], Release> memory_;
};

inline std::string isa_name(const testing::TestParamInfo<Isa>& info) {
  return std::string(to_string(info.param));
}

// value as C stores it.
inline double stored_value(DType dtype, double value) {
  const float narrow = static_cast<float>(value);
  return dtype == DType::bf16 ? static_cast<double>(to_float(to_bf16(narrow)))
                              : static_cast<double>(narrow);
}

}  // namespace ffn::test
