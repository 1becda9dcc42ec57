#include "ffn/ops/tokens.h"

#include "ffn/base/faults.h"
#include "ffn/ops/checks.h"
#include "ffn/ops/view.h"

namespace ffn::inline v0 {
namespace {

// Throws Error{shape} unless the rows [first, first + count) are in a sequence of T rows of x.
void require_rows(std::string_view op, std::int64_t first, std::int64_t count, std::int64_t T,
                  const Shape& x) {
  check(first >= 0 && count >= 0 && first <= T - count, ErrorKind::shape, op, "rows [", first, ", ",
        first, " + ", count, ") are not in a sequence of ", T, " rows of x ", x);
}

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
    if (sequences_ > 0) require_rows(name(), first_, count_, T, x.shape);
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

// Columns [begin, begin + count) of x [B, T·D] → [B, count]: the rows of a sequence are a piece of
// its row.
class TakeTokensOp final : public Op {
 public:
  TakeTokensOp(std::int64_t begin, std::int64_t count) : begin_(begin), count_(count) {}

  std::string_view name() const override { return "take_tokens"; }

  OpSpec infer(std::span<const TensorSpec> inputs, const OpContext& context) const override {
    const TensorSpec& x = inputs[0];
    op_detail::require_compute(name(), "x", x, context);
    OpSpec spec;
    spec.outputs.push_back({{x.rows(), count_}, x.dtype});
    return spec;
  }

  void forward(const ForwardArgs& args) const override {
    const Tensor from = args.inputs[0].slice_cols(begin_, count_);
    args.kernels().copy(args.launch, {from.matrix(), args.outputs[0].matrix(), 1, false});
  }

  void backward(const BackwardArgs& args) const override {
    const GradientTarget& dx = args.input_gradients[0];
    const std::int64_t end = begin_ + count_;
    if (!fault(440)) op_detail::zero_unless_added(args, dx, dx.tensor.slice_cols(0, begin_));
    op_detail::zero_unless_added(args, dx, dx.tensor.slice_cols(end, dx.tensor.cols() - end));
    op_detail::copy_gradient(args, args.output_gradients[0],
                             {dx.tensor.slice_cols(begin_, count_), dx.accumulate});
  }

 private:
  std::int64_t begin_, count_;
};

// x [B, n] → [B, before + n + after] with zeros at both ends.
class PadTokensOp final : public Op {
 public:
  PadTokensOp(std::int64_t before, std::int64_t after) : before_(before), after_(after) {}

  std::string_view name() const override { return "pad_tokens"; }

  OpSpec infer(std::span<const TensorSpec> inputs, const OpContext& context) const override {
    const TensorSpec& x = inputs[0];
    op_detail::require_compute(name(), "x", x, context);
    OpSpec spec;
    spec.outputs.push_back({{x.rows(), before_ + x.cols() + after_}, x.dtype});
    return spec;
  }

  void forward(const ForwardArgs& args) const override {
    const Tensor &x = args.inputs[0], &y = args.outputs[0];
    const std::int64_t end = before_ + x.cols();
    args.kernels().fill(args.launch, {y.slice_cols(0, before_).matrix(), 0});
    args.kernels().fill(args.launch, {y.slice_cols(end, after_).matrix(), 0});
    args.kernels().copy(args.launch,
                        {x.matrix(), y.slice_cols(before_, x.cols()).matrix(), 1, false});
  }

  void backward(const BackwardArgs& args) const override {
    const GradientTarget& dx = args.input_gradients[0];
    op_detail::copy_gradient(args, args.output_gradients[0].slice_cols(before_, dx.tensor.cols()),
                             dx);
  }

 private:
  std::int64_t before_, after_;
};

// Inputs: x [B·T, D], gate [B, D].
class GateTokensOp final : public Op {
 public:
  GateTokensOp(std::int64_t sequences, std::int64_t first, std::int64_t count)
      : sequences_(sequences), first_(first), count_(count) {}

  std::string_view name() const override { return "gate_tokens"; }

  OpSpec infer(std::span<const TensorSpec> inputs, const OpContext& context) const override {
    const TensorSpec &x = inputs[0], &gate = inputs[1];
    op_detail::require_compute(name(), "x", x, context);
    op_detail::require_same_dtype(name(), "gate", gate, "x", x);
    const std::int64_t T = op_detail::rows_per_sequence(name(), x, sequences_);
    check(gate.rows() == sequences_ && gate.cols() == x.cols(), ErrorKind::shape, name(),
          "gate is ", gate.shape, ", x is ", x.shape, " in ", sequences_,
          " sequences; gate must be [", sequences_, ", ", x.cols(), "]");
    if (sequences_ > 0) require_rows(name(), first_, count_, T, x.shape);
    OpSpec spec;
    spec.outputs.push_back({x.shape, x.dtype});
    spec.may_alias.push_back({0, 0});
    spec.gradient_may_alias.push_back({0, 0});
    if (context.wants(1)) spec.saved.push_back(Saved::input(0));
    if (context.wants(0)) spec.saved.push_back(Saved::input(1));
    return spec;
  }

  void forward(const ForwardArgs& args) const override {
    args.kernels().gate_tokens_forward(
        args.launch, {args.inputs[0].matrix(), args.inputs[1].matrix(), args.outputs[0].matrix(),
                      first_, count_});
  }

  void backward(const BackwardArgs& args) const override {
    const GradientTarget &dx = args.input_gradients[0], &dgate = args.input_gradients[1];
    std::size_t next = 0;
    const Tensor x = dgate.wanted() ? args.saved[next++] : Tensor();
    const Tensor gate = dx.wanted() ? args.saved[next++] : Tensor();
    args.kernels().gate_tokens_backward(
        args.launch, {x.matrix(), gate.matrix(), args.output_gradients[0].matrix(), dx.matrix(),
                      dgate.matrix(), first_, count_});
  }

 private:
  std::int64_t sequences_, first_, count_;
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

Value take_tokens(Executor& ex, Value x, std::int64_t sequences, std::int64_t first,
                  std::int64_t count) {
  const std::int64_t D = x.cols();
  const std::int64_t T = op_detail::rows_per_sequence("take_tokens", x.tensor.spec(), sequences);
  require_rows("take_tokens", first, count, sequences > 0 ? T : first + count, x.shape());
  if (count == T) return x;
  Values inputs;
  // No sequences have rows of any length.
  inputs.push_back(sequences > 0 ? by_sequence("take_tokens", ex, std::move(x), sequences)
                                 : reshape(ex, std::move(x), {0, (first + count) * D}));
  Value rows = ex.apply_one(TakeTokensOp(first * D, count * D), std::move(inputs));
  return reshape(ex, std::move(rows), {sequences * count, D});
}

Value pad_tokens(Executor& ex, Value x, std::int64_t sequences, std::int64_t before,
                 std::int64_t after) {
  const std::int64_t D = x.cols();
  check(before >= 0 && after >= 0, ErrorKind::config, "pad_tokens", before, " rows before and ",
        after, " after the sequences of x ", x.shape(), "; there must be 0 or more");
  if (before + after == 0) return x;
  Values inputs;
  inputs.push_back(by_sequence("pad_tokens", ex, std::move(x), sequences));
  const Value rows = ex.apply_one(PadTokensOp(before * D, after * D), std::move(inputs));
  return reshape(ex, rows, {D > 0 ? sequences * rows.cols() / D : 0, D});
}

Value join_tokens(Executor& ex, Value a, Value b, std::int64_t sequences) {
  const std::int64_t D = a.cols();
  check(b.cols() == D, ErrorKind::shape, "join_tokens", "a is ", a.shape(), ", b is ", b.shape(),
        "; columns must be equal");
  const std::int64_t rows = a.rows() + b.rows();
  const Value parts[] = {by_sequence("join_tokens", ex, std::move(a), sequences),
                         by_sequence("join_tokens", ex, std::move(b), sequences)};
  return reshape(ex, concat_cols(ex, parts), {rows, D});
}

Value gate_tokens(Executor& ex, Value x, Value gate, std::int64_t sequences, std::int64_t first,
                  std::int64_t count) {
  Values inputs;
  inputs.push_back(std::move(x));
  inputs.push_back(std::move(gate));
  return ex.apply_one(GateTokensOp(sequences, first, count), std::move(inputs));
}

Value first_token(Executor& ex, Value x, std::int64_t sequences) {
  const std::int64_t D = x.cols();
  return slice_cols(ex, by_sequence("first_token", ex, std::move(x), sequences), 0, D);
}

}  // namespace ffn::inline v0
