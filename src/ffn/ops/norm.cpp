#include "ffn/ops/norm.h"

#include "ffn/ops/checks.h"

namespace ffn::inline v0 {
namespace {

void require_eps(std::string_view op, float eps) {
  check(eps >= 0, ErrorKind::config, op, "eps is ", eps, "; it must be at least 0");
}

// What both norms save: x, the statistics, and the weight where dx needs it.
void save_for_backward(OpSpec& spec, bool has_weight, const OpContext& context) {
  if (!context.recording) return;
  spec.saved.push_back(Saved::input(0));
  spec.saved.push_back(Saved::extra(0));
  if (has_weight && context.wants(0)) spec.saved.push_back(Saved::input(1));
}

GradientTarget target_or_absent(const BackwardArgs& args, bool present, std::size_t index) {
  return present ? args.input_gradients[index] : GradientTarget();
}

// Inputs: x, then weight and bias where present.
class LayerNormOp final : public Op {
 public:
  LayerNormOp(bool has_weight, bool has_bias, float eps)
      : has_weight_(has_weight), has_bias_(has_bias), eps_(eps) {}

  std::string_view name() const override { return "layer_norm"; }

  OpSpec infer(std::span<const TensorSpec> inputs, const OpContext& context) const override {
    const TensorSpec& x = inputs[0];
    op_detail::require_compute(name(), "x", x, context);
    if (has_weight_) op_detail::require_vector(name(), "weight", inputs[1], x);
    if (has_bias_) op_detail::require_vector(name(), "bias", inputs[bias_index()], x);
    require_eps(name(), eps_);
    OpSpec spec;
    spec.outputs.push_back({x.shape, x.dtype});
    spec.extra.push_back({{x.rows(), 2}, gradient_dtype(x.dtype)});
    save_for_backward(spec, has_weight_, context);
    spec.may_alias.push_back({0, 0});
    spec.gradient_may_alias.push_back({0, 0});
    spec.backward_scratch_bytes = context.kernels->norm_workspace(x.rows(), x.cols());
    return spec;
  }

  void forward(const ForwardArgs& args) const override {
    const Tensor weight = has_weight_ ? args.inputs[1] : Tensor();
    const Tensor bias = has_bias_ ? args.inputs[bias_index()] : Tensor();
    const Tensor stats = args.extra.empty() ? Tensor() : args.extra[0];
    args.kernels().layer_norm_forward(args.launch,
                                      {args.inputs[0].matrix(), weight.matrix(), bias.matrix(),
                                       args.outputs[0].matrix(), stats.matrix(), eps_});
  }

  void backward(const BackwardArgs& args) const override {
    const Tensor weight = args.saved.size() > 2 ? args.saved[2] : Tensor();
    args.kernels().layer_norm_backward(
        args.launch, {args.saved[0].matrix(), weight.matrix(), args.saved[1].matrix(),
                      args.output_gradients[0].matrix(), args.input_gradients[0].matrix(),
                      target_or_absent(args, has_weight_, 1).matrix(),
                      target_or_absent(args, has_bias_, bias_index()).matrix()});
  }

 private:
  std::size_t bias_index() const { return has_weight_ ? 2 : 1; }

  bool has_weight_, has_bias_;
  float eps_;
};

// Inputs: x, then weight where present.
class RmsNormOp final : public Op {
 public:
  RmsNormOp(bool has_weight, float eps, float weight_offset)
      : has_weight_(has_weight), eps_(eps), weight_offset_(weight_offset) {}

  std::string_view name() const override { return "rms_norm"; }

  OpSpec infer(std::span<const TensorSpec> inputs, const OpContext& context) const override {
    const TensorSpec& x = inputs[0];
    op_detail::require_compute(name(), "x", x, context);
    if (has_weight_) op_detail::require_vector(name(), "weight", inputs[1], x);
    require_eps(name(), eps_);
    OpSpec spec;
    spec.outputs.push_back({x.shape, x.dtype});
    spec.extra.push_back({{x.rows(), 1}, gradient_dtype(x.dtype)});
    save_for_backward(spec, has_weight_, context);
    spec.may_alias.push_back({0, 0});
    spec.backward_scratch_bytes = context.kernels->norm_workspace(x.rows(), x.cols());
    return spec;
  }

  void forward(const ForwardArgs& args) const override {
    const Tensor weight = has_weight_ ? args.inputs[1] : Tensor();
    const Tensor stats = args.extra.empty() ? Tensor() : args.extra[0];
    args.kernels().rms_norm_forward(
        args.launch, {args.inputs[0].matrix(), weight.matrix(), args.outputs[0].matrix(),
                      stats.matrix(), eps_, weight_offset_});
  }

  void backward(const BackwardArgs& args) const override {
    const Tensor weight = args.saved.size() > 2 ? args.saved[2] : Tensor();
    args.kernels().rms_norm_backward(
        args.launch, {args.saved[0].matrix(), weight.matrix(), args.saved[1].matrix(),
                      args.output_gradients[0].matrix(), args.input_gradients[0].matrix(),
                      target_or_absent(args, has_weight_, 1).matrix(), weight_offset_});
  }

 private:
  bool has_weight_;
  float eps_, weight_offset_;
};

}  // namespace

Value layer_norm(Executor& ex, Value x, const Value& weight, const Value& bias, float eps) {
  Values inputs;
  inputs.push_back(std::move(x));
  if (weight.defined()) inputs.push_back(weight);
  if (bias.defined()) inputs.push_back(bias);
  return ex.apply_one(LayerNormOp(weight.defined(), bias.defined(), eps), std::move(inputs));
}

Value rms_norm(Executor& ex, Value x, const Value& weight, float eps, float weight_offset) {
  Values inputs;
  inputs.push_back(std::move(x));
  if (weight.defined()) inputs.push_back(weight);
  return ex.apply_one(RmsNormOp(weight.defined(), eps, weight_offset), std::move(inputs));
}

}  // namespace ffn::inline v0
