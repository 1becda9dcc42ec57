#include "ffn/ops/mix_tokens.h"

#include <utility>

#include "ffn/base/faults.h"
#include "ffn/ops/checks.h"

namespace ffn::inline v0 {
namespace {

using kernels::ConstMatrix;
using kernels::Matrix;
using kernels::ProductForm;

// A vector [T] as one column.
ConstMatrix column(const Tensor& vector) {
  return {vector.data(), vector.dtype(), vector.cols(), 1, 1};
}

// Inputs: x, weight, bias.
class MixTokensOp final : public Op {
 public:
  explicit MixTokensOp(std::int64_t sequences) : sequences_(sequences) {}

  std::string_view name() const override { return "mix_tokens"; }

  OpSpec infer(std::span<const TensorSpec> inputs, const OpContext& context) const override {
    check_inputs(inputs, context);
    const TensorSpec &x = inputs[0], &weight = inputs[1], &bias = inputs[2];
    const std::int64_t T = weight.rows(), C = x.cols();
    const auto workspace = [&](const kernels::ProductShape& shape) {
      return context.kernels->product_workspace(shape, context.threads);
    };
    const std::int64_t ones = charged_bytes(ones_spec(x).bytes());

    OpSpec spec;
    spec.outputs.push_back({x.shape, x.dtype});
    spec.forward_scratch_bytes =
        ones + std::max(workspace({ProductForm::nn, T, C, 1, bias.dtype, x.dtype, x.dtype}),
                        workspace({ProductForm::nn, T, C, T, weight.dtype, x.dtype, x.dtype}));
    spec.forward_flops = 2 * x.rows() * T * C;
    std::int64_t products = 0;
    if (context.wants(1)) {
      spec.saved.push_back(Saved::input(0));
      const TensorSpec sum = sum_spec({T, T}, weight);
      products = workspace({ProductForm::nt, T, T, C, x.dtype, x.dtype, sum.dtype});
      spec.backward_scratch_bytes += charged_bytes(sum.bytes());
      spec.backward_flops += spec.forward_flops;
    }
    if (context.wants(0)) {
      spec.saved.push_back(Saved::input(1));
      products =
          std::max(products, workspace({ProductForm::tn, T, C, T, weight.dtype, x.dtype, x.dtype}));
      spec.backward_flops += spec.forward_flops;
    }
    if (context.wants(2)) {
      const TensorSpec sum = sum_spec({T, 1}, bias);
      products =
          std::max(products, workspace({ProductForm::nt, T, 1, C, x.dtype, x.dtype, sum.dtype}));
      spec.backward_scratch_bytes += charged_bytes(sum.bytes()) + ones;
    }
    spec.backward_scratch_bytes += products;
    return spec;
  }

  void forward(const ForwardArgs& args) const override {
    const Tensor &x = args.inputs[0], &weight = args.inputs[1], &y = args.outputs[0];
    op_detail::Workspace scratch(args.launch);
    const Matrix ones = scratch.take(ones_spec(x.spec()));
    args.kernels().fill(args.launch, {ones, 1});
    const std::int64_t T = weight.rows();
    for (std::int64_t b = 0; b < sequences_; ++b) {
      const Tensor yb = y.slice_rows(b * T, T);  // [T, C]
      // bias[t]·1 in every channel, exactly; then the product on top of it.
      args.kernels().product(
          scratch.rest(),
          {ProductForm::nn, column(args.inputs[2]), ones, yb.matrix(), {}, false, nullptr});
      if (fault(403)) bias_along_channels(args, yb);
      args.kernels().product(scratch.rest(), {ProductForm::nn,
                                              weight.matrix(),
                                              x.slice_rows(b * T, T).matrix(),
                                              yb.matrix(),
                                              {},
                                              true,
                                              nullptr});
    }
  }

  void backward(const BackwardArgs& args) const override {
    const GradientTarget &dx = args.input_gradients[0], &dweight = args.input_gradients[1],
                         &dbias = args.input_gradients[2];
    std::size_t next = 0;
    const Tensor x = dweight.wanted() ? args.saved[next++] : Tensor();
    const Tensor weight = dx.wanted() ? args.saved[next++] : Tensor();
    const Tensor& dy = args.output_gradients[0];
    if (sequences_ == 0) {
      op_detail::zero_unless_added(args, dweight, dweight.tensor);
      op_detail::zero_unless_added(args, dbias, dbias.tensor);
      return;
    }
    const std::int64_t T = dy.rows() / sequences_;
    op_detail::Workspace scratch(args.launch);
    // What the sequences add up to, before it is added to what the gradient holds.
    Matrix weight_sum, bias_sum, ones;
    if (dweight.wanted()) weight_sum = scratch.take(sum_spec({T, T}, dweight.tensor.spec()));
    if (dbias.wanted()) {
      bias_sum = scratch.take(sum_spec({T, 1}, dbias.tensor.spec()));
      ones = scratch.take(ones_spec(dy.spec()));
      args.kernels().fill(args.launch, {ones, 1});
    }
    const auto product = [&](ProductForm form, const ConstMatrix& a, const ConstMatrix& b,
                             const Matrix& to, bool accumulate) {
      args.kernels().product(scratch.rest(), {form, a, b, to, {}, accumulate, nullptr});
    };
    for (std::int64_t b = 0; b < sequences_; ++b) {
      const ConstMatrix dyb = dy.slice_rows(b * T, T).matrix();  // [T, C]
      if (dweight.wanted())
        product(ProductForm::nt, dyb, x.slice_rows(b * T, T).matrix(), weight_sum, b > 0);
      if (dbias.wanted()) product(ProductForm::nt, dyb, ones, bias_sum, b > 0);
      if (dx.wanted()) {
        product(ProductForm::tn, weight.matrix(), dyb, dx.tensor.slice_rows(b * T, T).matrix(),
                dx.accumulate);
      }
    }
    const auto add = [&](const Matrix& sum, const GradientTarget& to) {
      if (to.wanted())
        args.kernels().copy(args.launch, {sum, to.tensor.matrix(), 1, to.accumulate});
    };
    add(weight_sum, dweight);
    std::swap(bias_sum.rows, bias_sum.cols);  // the column as a row
    bias_sum.ld = bias_sum.cols;
    add(bias_sum, dbias);
  }

 private:
  static TensorSpec ones_spec(const TensorSpec& x) { return {{1, x.cols()}, x.dtype}; }
  // A gradient's sum, never narrower than f32.
  static TensorSpec sum_spec(const Shape& shape, const TensorSpec& of) {
    return {shape, gradient_dtype(of.dtype)};
  }

  void check_inputs(std::span<const TensorSpec> inputs, const OpContext& context) const {
    const TensorSpec &x = inputs[0], &weight = inputs[1], &bias = inputs[2];
    op_detail::require_compute(name(), "x", x, context);
    const std::int64_t T = op_detail::rows_per_sequence(name(), x, sequences_);
    const bool square = weight.shape.rank() == 2 && weight.rows() == weight.cols();
    check(square && (sequences_ == 0 || weight.rows() == T), ErrorKind::shape, name(), "x is ",
          x.shape, " with sequences of ", T, " rows, weight is ", weight.shape, "; it must be [", T,
          ", ", T, "]");
    check(bias.rows() == 1 && bias.cols() == weight.rows(), ErrorKind::shape, name(), "bias is ",
          bias.shape, ", weight is ", weight.shape, "; bias must be [", weight.rows(), "]");
    require_dtype("weight", weight, x);
    require_dtype("bias", bias, x);
  }

  // A factor on the left of a product: f32 or bf16 beside f32 or bf16, and as x on the reference.
  void require_dtype(std::string_view what, const TensorSpec& factor, const TensorSpec& x) const {
    const auto narrow = [](DType dtype) { return dtype == DType::f32 || dtype == DType::bf16; };
    check(narrow(x.dtype) ? narrow(factor.dtype) : factor.dtype == x.dtype, ErrorKind::dtype,
          name(), what, " ", factor.shape, " is ", to_string(factor.dtype),
          ", which does not go with x ", x.shape, " of ", to_string(x.dtype));
  }

  // The planted fault: bias[c] in place of bias[t], as far as there are as many.
  static void bias_along_channels(const ForwardArgs& args, const Tensor& yb) {
    const std::int64_t count = std::min(yb.rows(), yb.cols());
    const Matrix part = yb.slice_cols(0, count).matrix();
    args.kernels().fill(args.launch, {part, 0});
    const Tensor first = args.inputs[2].reshape({1, yb.rows()}).slice_cols(0, count);
    args.kernels().add_forward(args.launch, {part, first.matrix(), part});
  }

  std::int64_t sequences_;
};

}  // namespace

Value mix_tokens(Executor& ex, Value x, const Value& weight, const Value& bias,
                 std::int64_t sequences) {
  Values inputs;
  inputs.push_back(std::move(x));
  inputs.push_back(weight);
  inputs.push_back(bias);
  return ex.apply_one(MixTokensOp(sequences), std::move(inputs));
}

}  // namespace ffn::inline v0
