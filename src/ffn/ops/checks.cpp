#include "ffn/ops/checks.h"

namespace ffn::inline v0::op_detail {

void require_compute(std::string_view op, std::string_view what, const TensorSpec& spec,
                     const OpContext& context) {
  if (spec.dtype == DType::f32 || spec.dtype == DType::bf16) return;
  const bool wide = spec.dtype == DType::f64 || spec.dtype == DType::c128;
  check(wide, ErrorKind::dtype, op, what, " ", spec.shape, " is ", to_string(spec.dtype),
        "; it must be f32 or bf16");
  check(context.kernels == &kernels::reference_table(), ErrorKind::dtype, op, what, " ", spec.shape,
        " is ", to_string(spec.dtype), ", which only the reference device computes with");
}

void require_same_dtype(std::string_view op, std::string_view name_a, const TensorSpec& a,
                        std::string_view name_b, const TensorSpec& b) {
  check(a.dtype == b.dtype, ErrorKind::dtype, op, name_a, " ", a.shape, " is ", to_string(a.dtype),
        ", ", name_b, " ", b.shape, " is ", to_string(b.dtype), "; cast one of them");
}

void require_same_shape(std::string_view op, std::string_view name_a, const TensorSpec& a,
                        std::string_view name_b, const TensorSpec& b) {
  check(a.shape == b.shape, ErrorKind::shape, op, name_a, " is ", a.shape, ", ", name_b, " is ",
        b.shape, "; they must be equal");
}

void require_vector(std::string_view op, std::string_view what, const TensorSpec& vector,
                    const TensorSpec& x) {
  check(vector.rows() == 1 && vector.cols() == x.cols(), ErrorKind::shape, op, what, " is ",
        vector.shape, ", x is ", x.shape, "; it must be [", x.cols(), "]");
  check(vector.dtype == gradient_dtype(x.dtype), ErrorKind::dtype, op, what, " ", vector.shape,
        " is ", to_string(vector.dtype), ", for x ", x.shape, " of ", to_string(x.dtype),
        " it must be ", to_string(gradient_dtype(x.dtype)));
}

void require_weight(std::string_view op, const TensorSpec& weight, const TensorSpec& x,
                    bool wants_gradient) {
  const bool frozen = weight.dtype == DType::f16 || is_block(weight.dtype);
  const bool narrow = weight.dtype == DType::f32 || weight.dtype == DType::bf16;
  const bool narrow_x = x.dtype == DType::f32 || x.dtype == DType::bf16;
  // f64 and c128 (reference) also read a frozen f32 or bf16 weight: checkpoints have those.
  const bool fits = narrow_x ? narrow : weight.dtype == x.dtype || (narrow && !wants_gradient);
  check(frozen || fits, ErrorKind::dtype, op, "weight ", weight.shape, " is ",
        to_string(weight.dtype), ", which does not go with x ", x.shape, " of ",
        to_string(x.dtype));
  check(!(frozen && wants_gradient), ErrorKind::config, op, "weight ", weight.shape, " of ",
        to_string(weight.dtype), " is frozen: it has no gradient");
}

void require_plain_weight(std::string_view op, std::string_view what, const TensorSpec& weight,
                          const TensorSpec& x, bool wants_gradient) {
  const auto is_narrow = [](DType d) { return d == DType::f32 || d == DType::bf16; };
  const bool narrow = is_narrow(weight.dtype);
  const bool same = weight.dtype == x.dtype || (narrow && !wants_gradient);
  check(is_narrow(x.dtype) ? narrow : same, ErrorKind::dtype, op, what, " ", weight.shape, " is ",
        to_string(weight.dtype), ", which does not go with x ", x.shape, " of ",
        to_string(x.dtype));
}

void require_packed_layer(std::string_view op, const TensorSpec& packed,
                          const kernels::ExpertLayerShape& layer, const OpContext& context) {
  check(packed.dtype == DType::u8, ErrorKind::dtype, op, "packed ", packed.shape, " is ",
        to_string(packed.dtype), "; it must be u8");
  const std::int64_t bytes = context.kernels->packed_layer_bytes(layer);
  check(bytes > 0 && packed.shape.count() == bytes, ErrorKind::shape, op, "packed is ",
        packed.shape, "; this layer takes ", bytes, " bytes on this device");
}

void require_index(std::string_view op, std::string_view what, const TensorSpec& index,
                   std::int64_t count, const Shape& of) {
  check(index.dtype == DType::i32, ErrorKind::dtype, op, what, " ", index.shape, " is ",
        to_string(index.dtype), "; it must be i32");
  check(index.shape.count() == count, ErrorKind::shape, op, what, " is ", index.shape, " with ",
        index.shape.count(), " entries; ", of, " needs ", count);
}

void require_index_range(const Executor& ex, std::string_view op, std::string_view what,
                         const Tensor& index, std::int64_t lowest, std::int64_t bound) {
  if (index.dtype() != DType::i32) return;  // infer() says so
  check(index.contiguous(), ErrorKind::shape, op, what, " ", index.shape(),
        " has a leading dimension of ", index.ld(), "; it must be contiguous");
  const std::int32_t* data = host_indices(ex, index);
  if (data == nullptr) return;
  const std::int64_t count = index.shape().count();
  for (std::int64_t i = 0; i < count; ++i) {
    check(data[i] >= lowest && data[i] < bound, ErrorKind::shape, op, what, " ", index.shape(),
          ": entry ", i, " is ", data[i], ", outside [", lowest, ", ", bound, ")");
  }
}

std::int64_t rows_per_sequence(std::string_view op, const TensorSpec& x, std::int64_t sequences) {
  const bool fits = sequences > 0 ? x.rows() % sequences == 0 : sequences == 0 && x.rows() == 0;
  check(fits, ErrorKind::shape, op, "x is ", x.shape, " with ", x.rows(), " rows, which are not ",
        sequences, " equal sequences");
  return sequences > 0 ? x.rows() / sequences : 0;
}

Shape with_cols(const Shape& shape, std::int64_t cols) {
  switch (shape.rank()) {
    case 0:
    case 1: return {cols};
    case 2: return {shape[0], cols};
    case 3: return {shape[0], shape[1], cols};
    default: return {shape[0], shape[1], shape[2], cols};
  }
}

}  // namespace ffn::inline v0::op_detail
