#include "ffn/ops/fused/dense_layer.h"

#include <utility>

#include "ffn/ops/checks.h"
#include "ffn/ops/fused/dense_layer_tiles.h"

namespace ffn::inline v0 {
namespace {

using kernels::ConstMatrix;
using op_detail::DenseLayerGradients;
using op_detail::DenseLayerOperands;
using op_detail::DenseLayerPlan;

// Without a tape each thread may go through its own rows alone, tiles in its own cache; it then
// prepares all weights for itself, which so many rows pay for.
constexpr std::int64_t kLeastRowsInOnePass = 128;

// Inputs: x, up, down, then those of gate, gate_bias, up_bias, down_bias that there are.
// Saved: x, up, down, gate; then pre and up's values, or gate_bias and up_bias.
class DenseLayerOp final : public Op {
 public:
  DenseLayerOp(Activation activation, float beta, HiddenMemory memory, const LayerWeights& weights)
      : activation_(activation),
        beta_(beta),
        memory_(memory),
        present_(weights),
        packed_(weights.packed) {}

  std::string_view name() const override { return "dense_layer"; }

  OpSpec infer(std::span<const TensorSpec> inputs, const OpContext& context) const override {
    const TensorSpec &x = inputs[0], &up = inputs[1];
    check_inputs(inputs, context);
    const DenseLayerPlan plan = this->plan(x, up, context);
    OpSpec spec;
    spec.outputs.push_back({x.shape, x.dtype});
    spec.forward_flops = 2 * present_.maps() * plan.N * plan.D * plan.H;
    spec.forward_scratch_bytes =
        in_one_pass(plan, context)
            ? context.kernels->expert_layer_workspace(shape_of(plan), context.threads)
            : dense_layer_forward_scratch(plan, context);
    if (!context.recording) return spec;
    declare_saved(plan, spec);
    spec.backward_scratch_bytes = dense_layer_backward_scratch(plan, context);
    spec.backward_flops = backward_flops(plan, context);
    return spec;
  }

  void forward(const ForwardArgs& args) const override {
    DenseLayerOperands of = operands(args.inputs[0], args.inputs[1], args.inputs[2]);
    std::size_t next = 3;
    const auto take = [&](bool present) {
      return present ? ConstMatrix(args.inputs[next++].matrix()) : ConstMatrix{};
    };
    of.gate = take(present_.gate);
    of.gate_bias = take(present_.gate_bias);
    of.up_bias = take(present_.up_bias);
    of.down_bias = take(present_.down_bias);
    const kernels::Matrix y = args.outputs[0].matrix();
    const DenseLayerPlan plan =
        this->plan(args.inputs[0].spec(), args.inputs[1].spec(), args.context);
    if (in_one_pass(plan, args.context)) return run_in_one_pass(args, of, y);
    if (!args.extra.empty()) of.pre = args.extra[0].matrix();
    if (args.extra.size() > 1) of.up_value = args.extra[1].matrix();
    run_dense_layer_forward(plan, of, y, args.kernels(), args.launch);
  }

  void backward(const BackwardArgs& args) const override {
    DenseLayerOperands of = operands(args.saved[0], args.saved[1], args.saved[2]);
    std::size_t next = 3;
    if (present_.gate) of.gate = args.saved[next++].matrix();
    if (memory_ == HiddenMemory::store) {
      of.pre = args.saved[next++].matrix();
      if (present_.gate) of.up_value = args.saved[next++].matrix();
    } else {
      if (present_.gate_bias) of.gate_bias = args.saved[next++].matrix();
      if (present_.up_bias) of.up_bias = args.saved[next++].matrix();
    }
    DenseLayerGradients to;
    to.x = args.input_gradients[0].matrix();
    to.up = args.input_gradients[1].matrix();
    to.down = args.input_gradients[2].matrix();
    std::size_t input = 3;
    if (present_.gate) to.gate = args.input_gradients[input++].matrix();
    if (present_.gate_bias) to.gate_bias = args.input_gradients[input++].matrix();
    if (present_.up_bias) to.up_bias = args.input_gradients[input++].matrix();
    if (present_.down_bias) to.down_bias = args.input_gradients[input++].matrix();
    run_dense_layer_backward(plan(args.saved[0].spec(), args.saved[1].spec(), args.context), of,
                             args.output_gradients[0].matrix(), to, args.kernels(), args.launch);
  }

 private:
  DenseLayerPlan plan(const TensorSpec& x, const TensorSpec& up, const OpContext& context) const {
    const HiddenMemory memory = context.recording ? memory_ : HiddenMemory::recompute;
    return op_detail::plan_dense_layer(x, up, present_.gate, memory, *context.kernels);
  }
  bool in_one_pass(const DenseLayerPlan& plan, const OpContext& context) const {
    return !context.recording && (packed_.defined() || plan.N >= kLeastRowsInOnePass);
  }
  static kernels::ExpertLayerShape shape_of(const DenseLayerPlan& plan) {
    return {plan.N, plan.D, plan.H, 1, plan.gated, plan.x, plan.weights};
  }

  DenseLayerOperands operands(const Tensor& x, const Tensor& up, const Tensor& down) const {
    DenseLayerOperands of;
    of.x = x.matrix();
    of.up = up.matrix();
    of.down = down.matrix();
    of.activation = activation_;
    of.beta = beta_;
    return of;
  }

  void run_in_one_pass(const ForwardArgs& args, const DenseLayerOperands& of,
                       const kernels::Matrix& y) const {
    kernels::ExpertLayerArgs layer;
    if (packed_.defined()) layer.packed = packed_.data();
    layer.x = of.x;
    layer.gate = of.gate;
    layer.up = of.up;
    layer.down = of.down;
    layer.gate_bias = of.gate_bias;
    layer.up_bias = of.up_bias;
    layer.down_bias = of.down_bias;
    layer.y = y;
    layer.activation = activation_;
    layer.beta = beta_;
    args.kernels().expert_layer(args.launch, layer);
  }

  void declare_saved(const DenseLayerPlan& plan, OpSpec& spec) const {
    for (const int input : {0, 1, 2}) spec.saved.push_back(Saved::input(input));
    int next = 3;
    if (present_.gate) spec.saved.push_back(Saved::input(next++));
    if (memory_ == HiddenMemory::store) {
      for (int i = 0; i < (present_.gate ? 2 : 1); ++i) {
        spec.extra.push_back({{plan.N, plan.H}, plan.x});
        spec.saved.push_back(Saved::extra(i));
      }
      return;
    }
    if (present_.gate_bias) spec.saved.push_back(Saved::input(next++));
    if (present_.up_bias) spec.saved.push_back(Saved::input(next++));
  }

  // Gradients of the hidden layer are computed whatever is wanted.
  std::int64_t backward_flops(const DenseLayerPlan& plan, const OpContext& context) const {
    std::int64_t products = 1;
    if (memory_ == HiddenMemory::recompute) products += present_.maps() - 1;
    for (const int weight : {1, 2}) products += context.wants(weight) ? 1 : 0;
    if (present_.gate) products += context.wants(3) ? 1 : 0;
    if (context.wants(0)) products += present_.maps() - 1;
    return 2 * products * plan.N * plan.D * plan.H;
  }

  void check_inputs(std::span<const TensorSpec> inputs, const OpContext& context) const {
    const TensorSpec &x = inputs[0], &up = inputs[1];
    op_detail::require_compute(name(), "x", x, context);
    check(up.shape.rank() == 2 && up.cols() == x.cols() && up.rows() > 0, ErrorKind::shape, name(),
          "x is ", x.shape, ", up is ", up.shape, "; it must be [H, ", x.cols(), "]");
    const std::int64_t D = x.cols(), H = up.rows();
    std::size_t next = 3;
    const auto require = [&](std::size_t input, std::string_view what, const Shape& shape) {
      const TensorSpec& weight = inputs[input];
      check(weight.shape == shape, ErrorKind::shape, name(), what, " is ", weight.shape,
            "; with x ", x.shape, " and up ", up.shape, " it must be ", shape);
      op_detail::require_plain_weight(name(), what, weight, x,
                                      context.wants(static_cast<int>(input)));
    };
    require(1, "up", {H, D});
    require(2, "down", {D, H});
    if (present_.gate) require(next++, "gate", {H, D});
    if (present_.gate_bias) require(next++, "gate_bias", {H});
    if (present_.up_bias) require(next++, "up_bias", {H});
    if (present_.down_bias) require(next++, "down_bias", {D});
    if (!packed_.defined()) return;
    check(!context.recording, ErrorKind::config, name(),
          "takes packed weights without a tape only");
    op_detail::require_packed_layer(name(), packed_.spec(),
                                    {x.rows(), D, H, 1, present_.gate, x.dtype, up.dtype}, context);
  }

  Activation activation_;
  float beta_;
  HiddenMemory memory_;
  OptionalWeights present_;
  Tensor packed_;
};

}  // namespace

Value dense_layer(Executor& ex, Value x, const LayerWeights& weights, Activation activation,
                  float beta, HiddenMemory memory) {
  Values inputs;
  inputs.push_back(std::move(x));
  push_weights(inputs, weights);
  return ex.apply_one(DenseLayerOp(activation, beta, memory, weights), std::move(inputs));
}

}  // namespace ffn::inline v0
