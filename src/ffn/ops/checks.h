// What the operations' infer() and free functions share: checks with one wording, and small sizes.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string_view>

#include "ffn/autograd/executor.h"
#include "ffn/base/error.h"

namespace ffn::inline v0::op_detail {

// Throws Error{dtype} unless `spec` holds numbers that the device computes with: f32 or bf16, on
// the reference device also f64 and c128.
void require_compute(std::string_view op, std::string_view what, const TensorSpec& spec,
                     const OpContext& context);
// Throws Error{dtype} when a and b differ in dtype.
void require_same_dtype(std::string_view op, std::string_view name_a, const TensorSpec& a,
                        std::string_view name_b, const TensorSpec& b);
// Throws Error{shape} when a and b differ in shape.
void require_same_shape(std::string_view op, std::string_view name_a, const TensorSpec& a,
                        std::string_view name_b, const TensorSpec& b);
// A vector over x's columns in the dtype of x's statistics: Error{shape}, Error{dtype}.
void require_vector(std::string_view op, std::string_view what, const TensorSpec& vector,
                    const TensorSpec& x);
// The weight of a product with x: x's class of dtype, or frozen f16 and blocks.
// Errors: dtype; config when a frozen weight is asked for a gradient.
void require_weight(std::string_view op, const TensorSpec& weight, const TensorSpec& x,
                    bool wants_gradient);
// A weight that is read element by element: x's class of dtype, and no f16 or blocks; f64 and c128
// (reference) also go with a frozen f32 or bf16 one. Error{dtype}.
void require_plain_weight(std::string_view op, std::string_view what, const TensorSpec& weight,
                          const TensorSpec& x, bool wants_gradient);
// The packed form of a layer of this shape: Error{dtype}, Error{shape}.
void require_packed_layer(std::string_view op, const TensorSpec& packed,
                          const kernels::ExpertLayerShape& layer, const OpContext& context);
// i32 with one entry for each of `count` rows of `of`: Error{dtype}, Error{shape}.
void require_index(std::string_view op, std::string_view what, const TensorSpec& index,
                   std::int64_t count, const Shape& of);
// Where the host can read `index`: Error{shape} naming the first entry outside [lowest, bound).
void require_index_range(const Executor& ex, std::string_view op, std::string_view what,
                         const Tensor& index, std::int64_t lowest, std::int64_t bound);

// Rows of each of `sequences` equal sequences in x: Error{shape} when they do not divide. No rows
// may be no sequences.
std::int64_t rows_per_sequence(std::string_view op, const TensorSpec& x, std::int64_t sequences);

// `shape` with another last axis.
Shape with_cols(const Shape& shape, std::int64_t cols);

// The dtype in which the gradient of a value is kept.
inline DType gradient_dtype_of(const TensorSpec& spec) {
  return spec.role == Role::parameter ? gradient_dtype(spec.dtype) : spec.dtype;
}

// Host-readable indices; nullptr where there are none (a dry device, no rows).
inline const std::int32_t* host_indices(const Executor& ex, const Tensor& index) {
  return ex.dry() ? nullptr : index.data_as<const std::int32_t>();
}

// Cuts a workspace into 64-byte aligned pieces; infer() counts the same pieces with
// charged_bytes().
class Workspace {
 public:
  explicit Workspace(const kernels::LaunchContext& launch) : rest_(launch) {}
  kernels::Matrix take(const TensorSpec& spec) {
    const std::int64_t bytes = charged_bytes(spec.bytes());
    kernels::Matrix piece{rest_.workspace, spec.dtype, spec.rows(), spec.cols(), spec.cols()};
    rest_.workspace += bytes;
    rest_.workspace_bytes -= bytes;
    return piece;
  }
  // What is left, for the kernel.
  const kernels::LaunchContext& rest() const { return rest_; }

 private:
  kernels::LaunchContext rest_;
};

// A gradient that may already lie where it belongs (the executor gave dy's buffer to dx).
inline bool in_place(const GradientTarget& target, const Tensor& dy) {
  return !target.accumulate && target.tensor.data() == dy.data();
}

// dx (+)= alpha·dy between any two float dtypes.
inline void copy_gradient(const BackwardArgs& args, const Tensor& dy, const GradientTarget& target,
                          float alpha = 1) {
  args.kernels().copy(args.launch, {dy.matrix(), target.tensor.matrix(), alpha, target.accumulate});
}

// Zeroes `part` of a target, which no gradient reaches, unless the target is being added to.
inline void zero_unless_added(const BackwardArgs& args, const GradientTarget& target,
                              const Tensor& part) {
  if (!target.wanted() || target.accumulate) return;
  args.kernels().fill(args.launch, {part.matrix(), 0});
}

}  // namespace ffn::inline v0::op_detail
