// What a model's code passes around: a tensor and the place where its gradient is collected.
#pragma once

#include <cstdint>

#include "ffn/base/small_vector.h"
#include "ffn/tensor/tensor.h"

namespace ffn::inline v0 {

struct Parameter;

// Collects the gradient of one value. Belongs to the tape (activations, leaves) or to a parameter.
struct GradientSlot {
  TensorSpec spec;
  Tensor gradient;  // parameters: a fixed view of the gradient arena; others: made on first use
  Parameter* parameter = nullptr;
  std::uint32_t tape_age = 0;  // which life of the tape it belongs to
  bool defined = false;        // holds a sum; otherwise the first contribution overwrites
};

// Cheap to copy; copying keeps the tensor alive. Give the last handle away with std::move: the
// executor may then reuse the buffer for the result.
struct Value {
  Tensor tensor;
  GradientSlot* slot = nullptr;  // null: no gradient flows here
  std::uint32_t tape_age = 0;    // of a tape's slot: using it after clear_tape() is an Error

  const Shape& shape() const { return tensor.shape(); }
  DType dtype() const { return tensor.dtype(); }
  std::int64_t rows() const { return tensor.rows(); }
  std::int64_t cols() const { return tensor.cols(); }
  bool defined() const { return tensor.defined(); }
};

using Values = SmallVector<Value, 8>;

}  // namespace ffn::inline v0
