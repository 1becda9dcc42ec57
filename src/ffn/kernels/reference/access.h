// How the reference kernels see memory: elements of any storage type are read as the compute type T
// (double, or Complex when an operand is c128) and written back with one rounding. The kernels
// above this header are then nothing but their equations.
#pragma once

#include <bit>
#include <cmath>
#include <complex>
#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <type_traits>

#include "ffn/base/check.h"
#include "ffn/base/dtype.h"
#include "ffn/base/half.h"
#include "ffn/base/scalar.h"
#include "ffn/kernels/args.h"
#include "ffn/kernels/reference/block_element.h"

namespace ffn::inline v0::kernels::reference {

// Calls body.operator()<T>(), T chosen by the dtypes of the operands.
template <class Body>
void with_compute_type(std::initializer_list<DType> operands, const Body& body) {
  for (const DType dtype : operands) {
    if (dtype == DType::c128) return body.template operator()<Complex>();
  }
  body.template operator()<double>();
}

// x as f32 rounded to odd: an inexact result takes the neighbour whose last bit is 1. Rounding that
// to bf16 or f16 equals rounding x itself once (Boldo & Melquiond 2008: 24 ≥ 11 + 2 bits).
inline float round_to_odd(double x) {
  const float nearest = static_cast<float>(x);
  if (std::isnan(x) || static_cast<double>(nearest) == x) return nearest;
  if ((std::bit_cast<std::uint32_t>(nearest) & 1u) != 0) return nearest;
  const bool upwards = static_cast<double>(nearest) < x;
  return std::nextafter(nearest, upwards ? HUGE_VALF : -HUGE_VALF);
}

inline double read_real(const void* data, DType dtype, std::int64_t i) {
  switch (dtype) {
    case DType::f64: return static_cast<const double*>(data)[i];
    case DType::f32: return static_cast<double>(static_cast<const float*>(data)[i]);
    case DType::bf16: return static_cast<double>(to_float(static_cast<const Bf16*>(data)[i]));
    case DType::f16: return static_cast<double>(to_float(static_cast<const F16*>(data)[i]));
    case DType::i32: return static_cast<const std::int32_t*>(data)[i];
    case DType::u8: return static_cast<const std::uint8_t*>(data)[i];
    case DType::i8: return static_cast<const std::int8_t*>(data)[i];
    case DType::q4_0:
    case DType::q4_1:
    case DType::q5_0:
    case DType::q8_0:
    case DType::q4_k:
    case DType::q6_k: return read_block_element(data, dtype, i);
    case DType::c128: break;
  }
  FFN_ASSERT(false);  // an operand that was not named to with_compute_type, or is not read
  return 0;
}

inline void write_real(void* data, DType dtype, std::int64_t i, double value) {
  switch (dtype) {
    case DType::f64: static_cast<double*>(data)[i] = value; return;
    case DType::f32: static_cast<float*>(data)[i] = static_cast<float>(value); return;
    case DType::bf16: static_cast<Bf16*>(data)[i] = to_bf16(round_to_odd(value)); return;
    case DType::f16: static_cast<F16*>(data)[i] = to_f16(round_to_odd(value)); return;
    case DType::i32:
      static_cast<std::int32_t*>(data)[i] = static_cast<std::int32_t>(std::nearbyint(value));
      return;
    default: FFN_ASSERT(dtype == DType::i32);  // kernels write no u8, i8 or blocks
  }
}

template <class T>
T read_element(const void* data, DType dtype, std::int64_t i) {
  if constexpr (std::is_same_v<T, Complex>) {
    if (dtype == DType::c128) return static_cast<const Complex*>(data)[i];
  }
  return T(read_real(data, dtype, i));
}

// A complex value written to a real type keeps its real part: what leaves c128 has no derivative.
template <class T>
void write_element(void* data, DType dtype, std::int64_t i, const T& value) {
  if constexpr (std::is_same_v<T, Complex>) {
    if (dtype == DType::c128) {
      static_cast<Complex*>(data)[i] = value;
      return;
    }
  }
  write_real(data, dtype, i, real_part(value));
}

template <class T>
class Input {
 public:
  explicit Input(const ConstMatrix& matrix) : matrix_(matrix) {}

  bool present() const { return matrix_.data != nullptr; }
  T operator()(std::int64_t row, std::int64_t col) const {
    FFN_ASSERT(row >= 0 && row < matrix_.rows && col >= 0 && col < matrix_.cols);
    return read_element<T>(matrix_.data, matrix_.dtype, row * matrix_.ld + col);
  }
  // The element, or `absent` when there is no such operand.
  T get_or(std::int64_t row, std::int64_t col, double absent) const {
    return present() ? (*this)(row, col) : T(absent);
  }

 private:
  ConstMatrix matrix_;
};

// Results and gradients: put() overwrites or, where the caller asked for it, adds.
template <class T>
class Output {
 public:
  explicit Output(const Matrix& matrix, bool accumulate = false)
      : matrix_(matrix), accumulate_(accumulate) {}
  explicit Output(const GradMatrix& gradient) : Output(gradient.to, gradient.accumulate) {}

  bool present() const { return matrix_.data != nullptr; }
  void put(std::int64_t row, std::int64_t col, const T& value) const {
    FFN_ASSERT(row >= 0 && row < matrix_.rows && col >= 0 && col < matrix_.cols);
    const std::int64_t i = row * matrix_.ld + col;
    if (accumulate_) {
      write_element<T>(matrix_.data, matrix_.dtype, i,
                       read_element<T>(matrix_.data, matrix_.dtype, i) + value);
    } else {
      write_element<T>(matrix_.data, matrix_.dtype, i, value);
    }
  }
  void put_if_present(std::int64_t row, std::int64_t col, const T& value) const {
    if (present()) put(row, col, value);
  }

 private:
  Matrix matrix_;
  bool accumulate_;
};

inline bool same_shape(const ConstMatrix& a, const ConstMatrix& b) {
  return a.rows == b.rows && a.cols == b.cols;
}

}  // namespace ffn::inline v0::kernels::reference
