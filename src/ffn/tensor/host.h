// Reading a tensor on the host: always explicit, an Error on a dry device.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "ffn/base/error.h"
#include "ffn/base/scalar.h"
#include "ffn/tensor/tensor.h"

namespace ffn::inline v0 {

// Throws Error{device} when the tensor has no data (dry device, absent tensor with elements).
void require_data(const Tensor& tensor, std::string_view who);

// Every element in row order, whatever the dtype (blocks are dequantised; c128 gives real parts).
std::vector<double> host_values(const Tensor& tensor);

// The elements in place. T must be the dtype's own type (float for f32, …) and the tensor
// contiguous.
template <class T>
std::span<T> host_span(const Tensor& tensor) {
  require_data(tensor, "host_span");
  check(
      tensor.contiguous() && static_cast<std::int64_t>(sizeof(T)) == dtype_bytes(tensor.dtype(), 1),
      ErrorKind::dtype, "host_span", "a ", to_string(tensor.dtype()), " tensor of shape ",
      tensor.shape(), " is no plain array of ", sizeof(T), "-byte elements");
  return {tensor.data_as<T>(), static_cast<std::size_t>(tensor.shape().count())};
}

// Writes `values` (row order) into the tensor, rounding once to its dtype; not for block dtypes.
void set_host_values(const Tensor& tensor, std::span<const double> values);

}  // namespace ffn::inline v0
