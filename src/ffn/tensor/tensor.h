// A tensor: rows of a shared storage, with a leading dimension and an offset. Splitting columns
// (heads), slicing rows (tokens) and regrouping rows are views; everything else is an explicit
// copy.
#pragma once

#include <cstdint>

#include "ffn/base/dtype.h"
#include "ffn/kernels/args.h"
#include "ffn/tensor/shape.h"
#include "ffn/tensor/storage.h"

namespace ffn::inline v0 {

class Tensor {
 public:
  // Absent: no storage, not even on a dry device.
  Tensor() = default;
  // Rows of `ld` elements (≥ cols) from `offset_bytes` on. Throws Error{shape} when they do not
  // fit.
  Tensor(StorageRef storage, const TensorSpec& spec, std::int64_t offset_bytes, std::int64_t ld);
  // Contiguous from the start.
  Tensor(StorageRef storage, const TensorSpec& spec);

  bool defined() const { return storage_ != nullptr; }
  const TensorSpec& spec() const { return spec_; }
  const Shape& shape() const { return spec_.shape; }
  DType dtype() const { return spec_.dtype; }
  Role role() const { return spec_.role; }
  std::int64_t rows() const { return spec_.rows(); }
  std::int64_t cols() const { return spec_.cols(); }
  std::int64_t ld() const { return ld_; }
  std::int64_t offset_bytes() const { return offset_bytes_; }
  bool contiguous() const { return ld_ == cols(); }
  const StorageRef& storage() const { return storage_; }

  // The first element; nullptr on a dry device.
  std::byte* data() const;
  template <class T>
  T* data_as() const {
    return reinterpret_cast<T*>(data());
  }
  kernels::Matrix matrix() const { return {data(), dtype(), rows(), cols(), ld_}; }

  // Views. Rows and columns count in the [rows, cols] picture; a block dtype is cut only at
  // multiples of its block. Throw Error{shape} when out of range.
  Tensor slice_rows(std::int64_t begin, std::int64_t count) const;
  Tensor slice_cols(std::int64_t begin, std::int64_t count) const;
  // Same elements under another shape: cols unchanged, or the tensor contiguous.
  Tensor reshape(const Shape& shape) const;
  Tensor with_role(Role role) const;

 private:
  StorageRef storage_;
  TensorSpec spec_;
  std::int64_t offset_bytes_ = 0;
  std::int64_t ld_ = 0;
};

}  // namespace ffn::inline v0
