#include "ffn/tensor/host.h"

#include "ffn/base/blocks.h"
#include "ffn/base/half.h"

namespace ffn::inline v0 {
namespace {

double element(const Tensor& tensor, const std::byte* row, std::int64_t col) {
  switch (tensor.dtype()) {
    case DType::f64: return reinterpret_cast<const double*>(row)[col];
    case DType::f32: return static_cast<double>(reinterpret_cast<const float*>(row)[col]);
    case DType::bf16: return static_cast<double>(to_float(reinterpret_cast<const Bf16*>(row)[col]));
    case DType::f16: return static_cast<double>(to_float(reinterpret_cast<const F16*>(row)[col]));
    case DType::i32: return reinterpret_cast<const std::int32_t*>(row)[col];
    case DType::u8: return reinterpret_cast<const std::uint8_t*>(row)[col];
    case DType::i8: return reinterpret_cast<const std::int8_t*>(row)[col];
    case DType::c128: return reinterpret_cast<const Complex*>(row)[col].real();
    case DType::q4_0:
    case DType::q4_1:
    case DType::q5_0:
    case DType::q8_0:
    case DType::q4_k:
    case DType::q6_k: break;
  }
  fail(ErrorKind::dtype, "host_values", to_string(tensor.dtype()), " is read by whole blocks");
}

void set_element(const Tensor& tensor, std::byte* row, std::int64_t col, double value) {
  switch (tensor.dtype()) {
    case DType::f64: reinterpret_cast<double*>(row)[col] = value; return;
    case DType::f32: reinterpret_cast<float*>(row)[col] = static_cast<float>(value); return;
    case DType::bf16:
      reinterpret_cast<Bf16*>(row)[col] = to_bf16(static_cast<float>(value));
      return;
    case DType::f16: reinterpret_cast<F16*>(row)[col] = to_f16(static_cast<float>(value)); return;
    case DType::i32:
      reinterpret_cast<std::int32_t*>(row)[col] = static_cast<std::int32_t>(value);
      return;
    case DType::u8:
      reinterpret_cast<std::uint8_t*>(row)[col] = static_cast<std::uint8_t>(value);
      return;
    case DType::i8:
      reinterpret_cast<std::int8_t*>(row)[col] = static_cast<std::int8_t>(value);
      return;
    case DType::c128: reinterpret_cast<Complex*>(row)[col] = value; return;
    case DType::q4_0:
    case DType::q4_1:
    case DType::q5_0:
    case DType::q8_0:
    case DType::q4_k:
    case DType::q6_k: break;
  }
  fail(ErrorKind::dtype, "set_host_values", to_string(tensor.dtype()),
       " is written by quantize_row");
}

std::byte* row_of(const Tensor& tensor, std::int64_t row) {
  return tensor.data() + dtype_bytes(tensor.dtype(), row * tensor.ld());
}

}  // namespace

void require_data(const Tensor& tensor, std::string_view who) {
  const bool readable =
      tensor.defined() && (tensor.data() != nullptr || tensor.shape().count() == 0);
  check(readable, ErrorKind::device, who,
        "the tensor has no data: it is absent or on a dry device, which computes no values");
}

std::vector<double> host_values(const Tensor& tensor) {
  require_data(tensor, "host_values");
  std::vector<double> values;
  values.reserve(static_cast<std::size_t>(tensor.shape().count()));
  std::vector<float> block(is_block(tensor.dtype()) ? static_cast<std::size_t>(tensor.cols()) : 0);
  for (std::int64_t row = 0; row < tensor.rows(); ++row) {
    const std::byte* source = row_of(tensor, row);
    if (is_block(tensor.dtype())) {
      dequantize_row(tensor.dtype(), source, tensor.cols(), block.data());
      values.insert(values.end(), block.begin(), block.end());
      continue;
    }
    for (std::int64_t col = 0; col < tensor.cols(); ++col) {
      values.push_back(element(tensor, source, col));
    }
  }
  return values;
}

void set_host_values(const Tensor& tensor, std::span<const double> values) {
  require_data(tensor, "set_host_values");
  check(static_cast<std::int64_t>(values.size()) == tensor.shape().count(), ErrorKind::shape,
        "set_host_values", "shape ", tensor.shape(), " takes ", tensor.shape().count(),
        " values, got ", values.size());
  std::size_t next = 0;
  for (std::int64_t row = 0; row < tensor.rows(); ++row) {
    for (std::int64_t col = 0; col < tensor.cols(); ++col) {
      set_element(tensor, row_of(tensor, row), col, values[next++]);
    }
  }
}

}  // namespace ffn::inline v0
