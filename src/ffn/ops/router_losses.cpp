#include "ffn/ops/router_losses.h"

#include "ffn/ops/checks.h"

namespace ffn::inline v0 {
namespace {

// Outputs of all three: a view of the input, whose gradient becomes the input's in place, and the
// loss, to which none arrives: it starts from itself with seed 1.
OpSpec pass_through(const TensorSpec& input, std::int64_t ld) {
  OpSpec spec;
  spec.outputs.push_back({input.shape, input.dtype});
  spec.outputs.push_back({{1, 1}, input.dtype});
  spec.views.push_back({0, 0, 0, ld});
  spec.gradient_may_alias.push_back({0, 0});
  return spec;
}

// Numbers [N, E] with a coefficient that makes a loss of them.
void require_router(std::string_view op, std::string_view what, const TensorSpec& input,
                    float coefficient, const OpContext& context) {
  op_detail::require_compute(op, what, input, context);
  check(input.shape.rank() == 2 && input.cols() >= 1, ErrorKind::shape, op, what, " are ",
        input.shape, "; they must be [N, E]");
  check(coefficient >= 0, ErrorKind::config, op, "the coefficient for ", what, " ", input.shape,
        " is ", coefficient, "; it must be at least 0");
}

// Inputs: scores, load.
class BalanceLossOp final : public Op {
 public:
  BalanceLossOp(std::int64_t k, bool normalised, float coefficient, std::int64_t ld)
      : k_(k), normalised_(normalised), coefficient_(coefficient), ld_(ld) {}

  std::string_view name() const override { return "balance_loss"; }

  OpSpec infer(std::span<const TensorSpec> inputs, const OpContext& context) const override {
    const TensorSpec &scores = inputs[0], &load = inputs[1];
    require_router(name(), "scores", scores, coefficient_, context);
    const std::int64_t E = scores.cols();
    check(k_ >= 1 && k_ <= E, ErrorKind::config, name(), "top ", k_, " of scores ", scores.shape,
          "; there are ", E, " experts");
    check(load.shape.rank() == 2 && load.cols() == E, ErrorKind::shape, name(), "load is ",
          load.shape, ", scores are ", scores.shape, "; it must be [S, ", E, "]");
    op_detail::rows_per_sequence(name(), scores, load.rows());
    check(load.dtype == gradient_dtype(scores.dtype), ErrorKind::dtype, name(), "load ", load.shape,
          " is ", to_string(load.dtype), ", for scores ", scores.shape, " of ",
          to_string(scores.dtype), " it must be ", to_string(gradient_dtype(scores.dtype)));
    OpSpec spec = pass_through(scores, ld_);
    if (context.wants(0)) {
      spec.saved.push_back(Saved::input(0));
      spec.saved.push_back(Saved::input(1));
    }
    return spec;
  }

  void forward(const ForwardArgs& args) const override {
    args.kernels().balance_loss_forward(
        args.launch, {args.inputs[0].matrix(), args.inputs[1].matrix(), k_, normalised_,
                      coefficient_, args.outputs[1].matrix()});
  }

  void backward(const BackwardArgs& args) const override {
    const Tensor &scores = args.saved[0], &load = args.saved[1];
    args.kernels().balance_loss_backward(
        args.launch, {scores.matrix(), load.matrix(), args.output_gradients[0].matrix(), k_,
                      normalised_, coefficient_, args.input_gradients[0].matrix()});
  }

 private:
  std::int64_t k_;
  bool normalised_;
  float coefficient_;
  std::int64_t ld_;
};

class ZLossOp final : public Op {
 public:
  ZLossOp(float coefficient, std::int64_t ld) : coefficient_(coefficient), ld_(ld) {}

  std::string_view name() const override { return "z_loss"; }

  OpSpec infer(std::span<const TensorSpec> inputs, const OpContext& context) const override {
    require_router(name(), "logits", inputs[0], coefficient_, context);
    OpSpec spec = pass_through(inputs[0], ld_);
    if (context.wants(0)) spec.saved.push_back(Saved::input(0));
    return spec;
  }

  void forward(const ForwardArgs& args) const override {
    args.kernels().z_loss_forward(
        args.launch, {args.inputs[0].matrix(), coefficient_, args.outputs[1].matrix()});
  }

  void backward(const BackwardArgs& args) const override {
    args.kernels().z_loss_backward(
        args.launch, {args.saved[0].matrix(), args.output_gradients[0].matrix(), coefficient_,
                      args.input_gradients[0].matrix()});
  }

 private:
  float coefficient_;
  std::int64_t ld_;
};

// Inputs: weights, then types where present.
class ImportanceLossOp final : public Op {
 public:
  ImportanceLossOp(bool has_types, std::int64_t sequences, float delta, float coefficient,
                   std::int64_t ld)
      : has_types_(has_types),
        sequences_(sequences),
        delta_(delta),
        coefficient_(coefficient),
        ld_(ld) {}

  std::string_view name() const override { return "importance_loss"; }

  OpSpec infer(std::span<const TensorSpec> inputs, const OpContext& context) const override {
    const TensorSpec& weights = inputs[0];
    require_router(name(), "weights", weights, coefficient_, context);
    op_detail::rows_per_sequence(name(), weights, sequences_);
    check(delta_ >= 0 && delta_ <= 1, ErrorKind::config, name(), "delta for weights ",
          weights.shape, " is ", delta_, "; it must be in [0, 1]");
    if (has_types_) op_detail::require_index(name(), "types", inputs[1], sequences_, weights.shape);
    OpSpec spec = pass_through(weights, ld_);
    const TensorSpec importance = importance_spec(weights);
    spec.extra.push_back(importance);
    if (!context.recording) spec.forward_scratch_bytes = charged_bytes(importance.bytes());
    if (context.wants(0)) {
      spec.saved.push_back(Saved::extra(0));
      if (has_types_) spec.saved.push_back(Saved::input(1));
    }
    return spec;
  }

  void forward(const ForwardArgs& args) const override {
    const Tensor& weights = args.inputs[0];
    const kernels::Matrix importance =
        args.extra.empty() ? op_detail::Workspace(args.launch).take(importance_spec(weights.spec()))
                           : args.extra[0].matrix();
    args.kernels().importance_loss_forward(
        args.launch, {weights.matrix(), types(args.inputs), sequences_, delta_, coefficient_,
                      importance, args.outputs[1].matrix()});
  }

  void backward(const BackwardArgs& args) const override {
    args.kernels().importance_loss_backward(
        args.launch, {args.saved[0].matrix(), args.output_gradients[0].matrix(), types(args.saved),
                      delta_, coefficient_, args.input_gradients[0].matrix()});
  }

 private:
  TensorSpec importance_spec(const TensorSpec& weights) const {
    return {{sequences_, weights.cols()}, gradient_dtype(weights.dtype)};
  }
  // The second of the inputs, or of what was saved.
  const std::int32_t* types(std::span<const Tensor> tensors) const {
    return has_types_ ? tensors[1].data_as<const std::int32_t>() : nullptr;
  }

  bool has_types_;
  std::int64_t sequences_;
  float delta_, coefficient_;
  std::int64_t ld_;
};

template <class O>
WithLoss apply_loss(Executor& ex, O op, Values inputs) {
  Values outputs = ex.apply(std::move(op), std::move(inputs));
  return {std::move(outputs[0]), std::move(outputs[1].tensor)};
}

}  // namespace

WithLoss balance_loss(Executor& ex, Value scores, const Tensor& load, std::int64_t k,
                      bool normalised, float coefficient) {
  const std::int64_t ld = scores.tensor.ld();
  Values inputs;
  inputs.push_back(std::move(scores));
  inputs.push_back(ex.constant(load));
  return apply_loss(ex, BalanceLossOp(k, normalised, coefficient, ld), std::move(inputs));
}

WithLoss z_loss(Executor& ex, Value logits, float coefficient) {
  const std::int64_t ld = logits.tensor.ld();
  Values inputs;
  inputs.push_back(std::move(logits));
  return apply_loss(ex, ZLossOp(coefficient, ld), std::move(inputs));
}

WithLoss importance_loss(Executor& ex, Value weights, const Tensor& types, std::int64_t sequences,
                         float delta, float coefficient) {
  const std::int64_t ld = weights.tensor.ld();
  if (types.defined()) op_detail::require_index_range(ex, "importance_loss", "types", types, 0, 2);
  Values inputs;
  inputs.push_back(std::move(weights));
  if (types.defined()) inputs.push_back(ex.constant(types));
  return apply_loss(ex, ImportanceLossOp(types.defined(), sequences, delta, coefficient, ld),
                    std::move(inputs));
}

}  // namespace ffn::inline v0
