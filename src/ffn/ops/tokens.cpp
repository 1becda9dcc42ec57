#include "ffn/ops/tokens.h"

#include "ffn/ops/checks.h"
#include "ffn/ops/view.h"

namespace ffn::inline v0 {
namespace {

class MeanTokensOp final : public Op {
 public:
  MeanTokensOp(std::int64_t sequences, std::int64_t first, std::int64_t count)
      : sequences_(sequences), first_(first), count_(count) {}

  std::string_view name() const override { return "mean_tokens"; }

  OpSpec infer(std::span<const TensorSpec> inputs, const OpContext& context) const override {
    const TensorSpec& x = inputs[0];
    op_detail::require_compute(name(), "x", x, context);
    const std::int64_t T = op_detail::rows_per_sequence(name(), x, sequences_);
    check(count_ >= 1, ErrorKind::config, name(), "the mean of ", count_, " rows of x ", x.shape,
          "; there must be one or more");
    check(sequences_ == 0 || (first_ >= 0 && first_ <= T - count_), ErrorKind::shape, name(),
          "rows [", first_, ", ", first_, " + ", count_, ") are not in a sequence of ", T,
          " rows of x ", x.shape);
    OpSpec spec;
    spec.outputs.push_back({{sequences_, x.cols()}, x.dtype});
    return spec;
  }

  void forward(const ForwardArgs& args) const override {
    args.kernels().mean_tokens_forward(
        args.launch, {args.inputs[0].matrix(), args.outputs[0].matrix(), first_, count_});
  }

  void backward(const BackwardArgs& args) const override {
    args.kernels().mean_tokens_backward(
        args.launch,
        {args.output_gradients[0].matrix(), args.input_gradients[0].matrix(), first_, count_});
  }

 private:
  std::int64_t sequences_, first_, count_;
};

// Inputs: token [1, D], x [B, T·D]. Output [B, (T + 1)·D].
class PrependTokenOp final : public Op {
 public:
  explicit PrependTokenOp(std::int64_t D) : D_(D) {}

  std::string_view name() const override { return "prepend_token"; }

  OpSpec infer(std::span<const TensorSpec> inputs, const OpContext& context) const override {
    const TensorSpec &token = inputs[0], &x = inputs[1];
    op_detail::require_compute(name(), "x", x, context);
    op_detail::require_same_dtype(name(), "token", token, "x", x);
    OpSpec spec;
    spec.outputs.push_back({{x.rows(), D_ + x.cols()}, x.dtype});
    if (context.wants(0)) {
      spec.backward_scratch_bytes = context.kernels->row_sum_workspace(x.rows(), D_, 1);
    }
    return spec;
  }

  void forward(const ForwardArgs& args) const override {
    const Tensor &y = args.outputs[0], &x = args.inputs[1];
    const Tensor first = y.slice_cols(0, D_);
    // −0 + token is token to the bit.
    args.kernels().fill(args.launch, {first.matrix(), -0.0f});
    args.kernels().add_forward(args.launch,
                               {first.matrix(), args.inputs[0].matrix(), first.matrix()});
    args.kernels().copy(args.launch, {x.matrix(), y.slice_cols(D_, x.cols()).matrix(), 1, false});
  }

  void backward(const BackwardArgs& args) const override {
    const GradientTarget &dtoken = args.input_gradients[0], &dx = args.input_gradients[1];
    const Tensor& dy = args.output_gradients[0];
    if (dtoken.wanted()) {
      args.kernels().row_sum(
          args.launch, {dy.slice_cols(0, D_).matrix(), dtoken.tensor.matrix(), dtoken.accumulate});
    }
    if (dx.wanted()) {
      op_detail::copy_gradient(args, dy.slice_cols(D_, dy.cols() - D_), dx);
    }
  }

 private:
  std::int64_t D_;
};

// x as one row per sequence.
Value by_sequence(std::string_view op, Executor& ex, Value x, std::int64_t sequences) {
  const std::int64_t T = op_detail::rows_per_sequence(op, x.tensor.spec(), sequences);
  const std::int64_t D = x.cols();
  check(T <= 1 || x.tensor.ld() == D, ErrorKind::shape, op, "x is ", x.shape(),
        " with a leading dimension of ", x.tensor.ld(),
        "; its sequences cannot become rows without a copy");
  return reshape(ex, std::move(x), {sequences, T * D});
}

}  // namespace

Value mean_tokens(Executor& ex, Value x, std::int64_t sequences, std::int64_t first,
                  std::int64_t count) {
  Values inputs;
  inputs.push_back(std::move(x));
  return ex.apply_one(MeanTokensOp(sequences, first, count), std::move(inputs));
}

Value prepend_token(Executor& ex, const Value& token, Value x, std::int64_t sequences) {
  const std::int64_t D = x.cols();
  check(token.rows() == 1 && token.cols() == D, ErrorKind::shape, "prepend_token", "token is ",
        token.shape(), ", x is ", x.shape(), "; token must be [1, ", D, "]");
  Values inputs;
  inputs.push_back(token);
  inputs.push_back(by_sequence("prepend_token", ex, std::move(x), sequences));
  const Value rows = ex.apply_one(PrependTokenOp(D), std::move(inputs));
  const std::int64_t tokens = D > 0 ? rows.cols() / D : 0;
  return reshape(ex, rows, {sequences * tokens, D});
}

Value first_token(Executor& ex, Value x, std::int64_t sequences) {
  const std::int64_t D = x.cols();
  return slice_cols(ex, by_sequence("first_token", ex, std::move(x), sequences), 0, D);
}

}  // namespace ffn::inline v0
