#include "ffn/ops/grouped_linear.h"

#include "ffn/ops/checks.h"

namespace ffn::inline v0 {
namespace {

using kernels::ProductForm;
using op_detail::gradient_dtype_of;

// Inputs: x, weights, offsets, then bias where present.
class GroupedLinearOp final : public Op {
 public:
  GroupedLinearOp(std::int64_t experts, bool has_bias) : experts_(experts), has_bias_(has_bias) {}

  std::string_view name() const override { return "grouped_linear"; }

  OpSpec infer(std::span<const TensorSpec> inputs, const OpContext& context) const override {
    const TensorSpec &x = inputs[0], &weights = inputs[1], &offsets = inputs[2];
    op_detail::require_compute(name(), "x", x, context);
    check(experts_ >= 1, ErrorKind::config, name(), experts_, " experts; there must be at least 1");
    check(weights.shape.rank() == 2 && weights.cols() == x.cols() && weights.rows() % experts_ == 0,
          ErrorKind::shape, name(), "x is ", x.shape, ", weights is ", weights.shape, "; ",
          experts_, " experts need weights [", experts_, "·H, ", x.cols(), "]");
    op_detail::require_weight(name(), weights, x, context.wants(1));
    op_detail::require_index(name(), "offsets", offsets, experts_ + 1, weights.shape);
    const std::int64_t R = x.rows(), D = x.cols(), H = weights.rows() / experts_;
    if (has_bias_) check_bias(inputs[3], weights, x, context);
    const auto workspace = [&](const kernels::ProductShape& shape) {
      return context.kernels->grouped_product_workspace(shape, experts_, context.threads);
    };

    OpSpec spec;
    spec.outputs.push_back({op_detail::with_cols(x.shape, H), x.dtype});
    spec.forward_scratch_bytes =
        workspace({ProductForm::nt, R, H, D, x.dtype, weights.dtype, x.dtype});
    spec.forward_flops = 2 * R * D * H;
    spec.saved.push_back(Saved::input(2));
    if (context.wants(1)) {
      spec.saved.push_back(Saved::input(0));
      const DType dw = gradient_dtype_of(weights);
      spec.backward_scratch_bytes = workspace({ProductForm::tn, H, D, R, x.dtype, x.dtype, dw});
      spec.backward_flops += spec.forward_flops;
    }
    if (context.wants(0)) {
      spec.saved.push_back(Saved::input(1));
      spec.backward_scratch_bytes =
          std::max(spec.backward_scratch_bytes,
                   workspace({ProductForm::nn, R, D, H, x.dtype, weights.dtype, x.dtype}));
      spec.backward_flops += spec.forward_flops;
    }
    return spec;
  }

  void forward(const ForwardArgs& args) const override {
    const Tensor bias = has_bias_ ? args.inputs[3] : Tensor();
    args.kernels().grouped_product(
        args.launch, {ProductForm::nt, args.inputs[0].matrix(), args.inputs[1].matrix(),
                      args.outputs[0].matrix(), args.inputs[2].data_as<const std::int32_t>(),
                      experts_, false, bias.matrix()});
  }

  void backward(const BackwardArgs& args) const override {
    const kernels::ConstMatrix dy = args.output_gradients[0].matrix();
    const GradientTarget &dx = args.input_gradients[0], &dweights = args.input_gradients[1];
    const auto* offsets = args.saved[0].data_as<const std::int32_t>();
    std::size_t next = 1;
    if (dweights.wanted()) {
      const Tensor& x = args.saved[next++];
      args.kernels().grouped_product(
          args.launch, {ProductForm::tn, dy, x.matrix(), dweights.tensor.matrix(), offsets,
                        experts_, dweights.accumulate});
    }
    if (dx.wanted()) {
      const Tensor& weights = args.saved[next++];
      args.kernels().grouped_product(
          args.launch, {ProductForm::nn, dy, weights.matrix(), dx.tensor.matrix(), offsets,
                        experts_, dx.accumulate});
    }
    if (has_bias_ && args.input_gradients[3].wanted()) {
      const GradientTarget& dbias = args.input_gradients[3];
      args.kernels().grouped_row_sum(args.launch,
                                     {dy, offsets, dbias.tensor.matrix(), dbias.accumulate});
    }
  }

 private:
  void check_bias(const TensorSpec& bias, const TensorSpec& weights, const TensorSpec& x,
                  const OpContext& context) const {
    const std::int64_t H = weights.rows() / experts_;
    check(bias.shape.rank() == 2 && bias.rows() == experts_ && bias.cols() == H, ErrorKind::shape,
          name(), "bias is ", bias.shape, ", weights is ", weights.shape, "; it must be [",
          experts_, ", ", H, "]");
    op_detail::require_plain_weight(name(), "bias", bias, x, context.wants(3));
  }

  std::int64_t experts_;
  bool has_bias_;
};

// Ascending from 0 to `rows`.
void check_offsets(const Executor& ex, const Tensor& offsets, std::int64_t rows) {
  op_detail::require_index_range(ex, "grouped_linear", "offsets", offsets, 0, rows + 1);
  if (offsets.dtype() != DType::i32) return;  // infer() says so
  const std::int32_t* data = op_detail::host_indices(ex, offsets);
  if (data == nullptr) return;
  const std::int64_t last = offsets.shape().count() - 1;
  check(data[0] == 0 && data[last] == rows, ErrorKind::shape, "grouped_linear", "offsets ",
        offsets.shape(), " run from ", data[0], " to ", data[last], ", they must run from 0 to ",
        rows, " rows");
  for (std::int64_t e = 0; e < last; ++e) {
    check(data[e] <= data[e + 1], ErrorKind::shape, "grouped_linear", "offsets ", offsets.shape(),
          " fall from ", data[e], " to ", data[e + 1], " at expert ", e);
  }
}

}  // namespace

Value grouped_linear(Executor& ex, Value x, const Value& weights, const Tensor& offsets,
                     std::int64_t experts, const Value& bias) {
  check_offsets(ex, offsets, x.rows());
  Values inputs;
  inputs.push_back(std::move(x));
  inputs.push_back(weights);
  inputs.push_back(ex.constant(offsets));
  if (bias.defined()) inputs.push_back(bias);
  return ex.apply_one(GroupedLinearOp(experts, bias.defined()), std::move(inputs));
}

}  // namespace ffn::inline v0
