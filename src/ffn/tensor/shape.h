// Shapes of up to four axes. A tensor is rows of its last axis: rows() × cols().
#pragma once

#include <cstdint>
#include <initializer_list>
#include <iosfwd>
#include <string>

#include "ffn/base/dtype.h"

namespace ffn::inline v0 {

class Shape {
 public:
  static constexpr int kMaxRank = 4;

  Shape() = default;
  // Throws Error{shape} for more than kMaxRank axes, a negative axis, or more than 2^62 elements.
  Shape(std::initializer_list<std::int64_t> axes);

  int rank() const { return rank_; }
  std::int64_t operator[](int axis) const { return axes_[axis]; }
  // The last axis, 1 for rank 0; and the product of the others.
  std::int64_t cols() const { return rank_ == 0 ? 1 : axes_[rank_ - 1]; }
  std::int64_t rows() const {
    std::int64_t product = 1;
    for (int axis = 0; axis + 1 < rank_; ++axis) product *= axes_[axis];
    return product;
  }
  std::int64_t count() const { return rows() * cols(); }

  friend bool operator==(const Shape& a, const Shape& b) {
    if (a.rank_ != b.rank_) return false;
    for (int axis = 0; axis < a.rank_; ++axis)
      if (a.axes_[axis] != b.axes_[axis]) return false;
    return true;
  }

 private:
  std::int64_t axes_[kMaxRank] = {};
  int rank_ = 0;
};

// "[2, 3]".
std::string to_string(const Shape& shape);
std::ostream& operator<<(std::ostream& out, const Shape& shape);

// What part a tensor plays; decides gradients, ledger tag and whether it may be overwritten.
//   activation: made by an operation or given as input; may be donated to the next operation
//   parameter:  a weight; its gradient is kept in f32 or wider
//   state:      KV cache, running statistics, routing bias: no gradient, preallocated at its bound
enum class Role : std::uint8_t { activation, parameter, state };

// All that `infer` knows of a tensor.
struct TensorSpec {
  Shape shape;
  DType dtype = DType::f32;
  Role role = Role::activation;

  std::int64_t rows() const { return shape.rows(); }
  std::int64_t cols() const { return shape.cols(); }
  std::int64_t bytes() const { return rows() * dtype_bytes(dtype, cols()); }
};

}  // namespace ffn::inline v0
