#include "ffn/ops/batch_norm.h"

#include "ffn/ops/checks.h"

namespace ffn::inline v0 {
namespace {

// Inputs: x, running, then weight and bias where present. Outputs: y and, in training, the running
// statistics of the next step.
class BatchNormOp final : public Op {
 public:
  BatchNormOp(bool has_weight, bool has_bias, float eps, float momentum)
      : has_weight_(has_weight), has_bias_(has_bias), eps_(eps), momentum_(momentum) {}

  std::string_view name() const override { return "batch_norm"; }

  OpSpec infer(std::span<const TensorSpec> inputs, const OpContext& context) const override {
    const TensorSpec& x = inputs[0];
    check_inputs(inputs, context);
    const std::int64_t workspace = context.kernels->norm_workspace(x.rows(), x.cols());
    const TensorSpec stats{{2, x.cols()}, gradient_dtype(x.dtype)};
    OpSpec spec;
    spec.outputs.push_back({x.shape, x.dtype});
    spec.may_alias.push_back({0, 0});
    spec.forward_scratch_bytes = workspace;
    if (!context.training) return spec;

    spec.outputs.push_back(stats);
    if (context.recording) {
      spec.extra.push_back(stats);
      spec.saved.push_back(Saved::input(0));
      spec.saved.push_back(Saved::extra(0));
      if (has_weight_ && context.wants(0)) spec.saved.push_back(Saved::input(2));
    } else {
      // The kernel tells training from inference by the statistics: they need a place.
      spec.forward_scratch_bytes += charged_bytes(stats.bytes());
    }
    spec.backward_scratch_bytes = workspace;
    return spec;
  }

  void forward(const ForwardArgs& args) const override {
    const Tensor &x = args.inputs[0], &running = args.inputs[1];
    const Tensor weight = has_weight_ ? args.inputs[2] : Tensor();
    const Tensor bias = has_bias_ ? args.inputs[bias_index()] : Tensor();
    op_detail::Workspace workspace(args.launch);
    kernels::Matrix stats, new_running;
    if (args.context.training) {
      new_running = args.outputs[1].matrix();
      stats = args.extra.empty() ? workspace.take(args.outputs[1].spec()) : args.extra[0].matrix();
    }
    args.kernels().batch_norm_forward(
        workspace.rest(), {x.matrix(), weight.matrix(), bias.matrix(), running.matrix(),
                           args.outputs[0].matrix(), stats, new_running, eps_, momentum_});
  }

  void backward(const BackwardArgs& args) const override {
    if (!args.output_gradients[0].defined()) return zero_gradients(args);
    const Tensor weight = args.saved.size() > 2 ? args.saved[2] : Tensor();
    const auto target = [&](bool present, std::size_t index) {
      return present ? args.input_gradients[index].matrix() : kernels::GradMatrix();
    };
    args.kernels().batch_norm_backward(
        args.launch, {args.saved[0].matrix(), weight.matrix(), args.saved[1].matrix(),
                      args.output_gradients[0].matrix(), target(true, 0), target(has_weight_, 2),
                      target(has_bias_, bias_index())});
  }

 private:
  std::size_t bias_index() const { return has_weight_ ? 3 : 2; }

  // Only new_running got a gradient, which is state and passes none on.
  void zero_gradients(const BackwardArgs& args) const {
    for (const GradientTarget& target : args.input_gradients)
      op_detail::zero_unless_added(args, target, target.tensor);
  }

  void check_inputs(std::span<const TensorSpec> inputs, const OpContext& context) const {
    const TensorSpec &x = inputs[0], &running = inputs[1];
    op_detail::require_compute(name(), "x", x, context);
    check(running.rows() == 2 && running.cols() == x.cols(), ErrorKind::shape, name(),
          "running is ", running.shape, ", x is ", x.shape, "; running must be [2, ", x.cols(),
          "]");
    check(running.dtype == gradient_dtype(x.dtype), ErrorKind::dtype, name(), "running ",
          running.shape, " is ", to_string(running.dtype), ", for x ", x.shape, " of ",
          to_string(x.dtype), " it must be ", to_string(gradient_dtype(x.dtype)));
    if (has_weight_) op_detail::require_vector(name(), "weight", inputs[2], x);
    if (has_bias_) op_detail::require_vector(name(), "bias", inputs[bias_index()], x);
    check(eps_ >= 0, ErrorKind::config, name(), "eps is ", eps_, "; it must be at least 0");
    check(momentum_ >= 0 && momentum_ <= 1, ErrorKind::config, name(), "momentum is ", momentum_,
          "; it must be in [0, 1]");
    check(context.training || !context.recording, ErrorKind::config, name(), "x ", x.shape,
          " wants a gradient in eval mode, which running statistics do not give; "
          "train, or run it under NoTape");
  }

  bool has_weight_, has_bias_;
  float eps_, momentum_;
};

}  // namespace

Value batch_norm(Executor& ex, Value x, const Value& weight, const Value& bias, State& running,
                 float eps, float momentum) {
  Values inputs;
  inputs.push_back(std::move(x));
  inputs.push_back(ex.constant(running.tensor));
  if (weight.defined()) inputs.push_back(weight);
  if (bias.defined()) inputs.push_back(bias);
  Values outputs =
      ex.apply(BatchNormOp(weight.defined(), bias.defined(), eps, momentum), std::move(inputs));
  if (outputs.size() > 1) ex.update_state(running, outputs[1]);
  return std::move(outputs[0]);
}

}  // namespace ffn::inline v0
