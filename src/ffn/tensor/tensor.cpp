#include "ffn/tensor/tensor.h"

#include <utility>

#include "ffn/base/error.h"

namespace ffn::inline v0 {

Tensor::Tensor(StorageRef storage, const TensorSpec& spec, std::int64_t offset_bytes,
               std::int64_t ld)
    : storage_(std::move(storage)), spec_(spec), offset_bytes_(offset_bytes), ld_(ld) {
  const std::int64_t rows = spec_.rows(), cols = spec_.cols();
  check(ld >= cols, ErrorKind::shape, "tensor", "leading dimension ", ld, " is below ", cols,
        " columns");
  const std::int64_t block = block_elements(spec_.dtype);
  check(cols % block == 0 && ld % block == 0, ErrorKind::shape, "tensor", to_string(spec_.dtype),
        " needs rows of whole blocks of ", block, ", got ", cols, " columns");
  if (rows == 0) return;  // also as columns of a tensor without rows
  const std::int64_t end =
      dtype_bytes(spec_.dtype, (rows - 1) * ld) + dtype_bytes(spec_.dtype, cols);
  check(offset_bytes >= 0 && offset_bytes + end <= storage_->bytes(), ErrorKind::shape, "tensor",
        "shape ", spec_.shape, " at offset ", offset_bytes, " needs ", offset_bytes + end,
        " bytes, the storage has ", storage_->bytes());
}

Tensor::Tensor(StorageRef storage, const TensorSpec& spec)
    : Tensor(std::move(storage), spec, 0, spec.cols()) {}

std::byte* Tensor::data() const {
  if (storage_ == nullptr || storage_->data() == nullptr) return nullptr;
  return storage_->data() + offset_bytes_;
}

Tensor Tensor::slice_rows(std::int64_t begin, std::int64_t count) const {
  check(begin >= 0 && count >= 0 && begin + count <= rows(), ErrorKind::shape, "slice_rows",
        "rows [", begin, ", ", begin + count, ") are not in ", shape());
  TensorSpec spec = spec_;
  spec.shape = {count, cols()};
  return {storage_, spec, offset_bytes_ + dtype_bytes(dtype(), begin * ld_), ld_};
}

Tensor Tensor::slice_cols(std::int64_t begin, std::int64_t count) const {
  check(begin >= 0 && count >= 0 && begin + count <= cols(), ErrorKind::shape, "slice_cols",
        "columns [", begin, ", ", begin + count, ") are not in ", shape());
  check(begin % block_elements(dtype()) == 0, ErrorKind::shape, "slice_cols", "column ", begin,
        " cuts a block of ", to_string(dtype()));
  TensorSpec spec = spec_;
  spec.shape = {rows(), count};
  return {storage_, spec, offset_bytes_ + dtype_bytes(dtype(), begin), ld_};
}

Tensor Tensor::reshape(const Shape& shape) const {
  check(shape.count() == spec_.shape.count(), ErrorKind::shape, "reshape", spec_.shape, " has ",
        spec_.shape.count(), " elements, ", shape, " has ", shape.count());
  const bool same_rows = shape.cols() == cols();
  check(same_rows || contiguous(), ErrorKind::shape, "reshape", "rows of ", spec_.shape,
        " with leading dimension ", ld_, " cannot be regrouped as ", shape, " without a copy");
  Tensor view = *this;
  view.spec_.shape = shape;
  if (!same_rows) view.ld_ = shape.cols();
  return view;
}

Tensor Tensor::with_role(Role role) const {
  Tensor view = *this;
  view.spec_.role = role;
  return view;
}

}  // namespace ffn::inline v0
