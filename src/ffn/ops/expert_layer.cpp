#include "ffn/ops/expert_layer.h"

#include <utility>

#include "ffn/ops/checks.h"

namespace ffn::inline v0 {
namespace {

using kernels::ConstMatrix;

// Inputs: x, offsets, up, down, then those of gate, gate_bias, up_bias, down_bias that there are.
class ExpertLayerOp final : public Op {
 public:
  ExpertLayerOp(std::int64_t experts, Activation activation, float beta,
                const LayerWeights& weights)
      : experts_(experts),
        activation_(activation),
        beta_(beta),
        present_(weights),
        packed_(weights.packed) {}

  std::string_view name() const override { return "expert_layer"; }

  OpSpec infer(std::span<const TensorSpec> inputs, const OpContext& context) const override {
    check(!context.recording, ErrorKind::config, name(),
          "has no backward; under a tape its composition is to be used");
    const TensorSpec &x = inputs[0], &up = inputs[2];
    op_detail::require_compute(name(), "x", x, context);
    check(experts_ >= 1 && up.shape.rank() == 2 && up.rows() % experts_ == 0 && up.rows() > 0,
          ErrorKind::shape, name(), "up is ", up.shape, "; it must be [", experts_, "·H, ",
          x.cols(), "]");
    const std::int64_t E = experts_, D = x.cols(), H = up.rows() / E;
    op_detail::require_index(name(), "offsets", inputs[1], E + 1, up.shape);
    require(inputs[2], "up", {E * H, D}, x);
    require(inputs[3], "down", {E * D, H}, x);
    std::size_t next = 4;
    if (present_.gate) require(inputs[next++], "gate", {E * H, D}, x);
    if (present_.gate_bias) require(inputs[next++], "gate_bias", {E, H}, x);
    if (present_.up_bias) require(inputs[next++], "up_bias", {E, H}, x);
    if (present_.down_bias) require(inputs[next++], "down_bias", {E, D}, x);
    const kernels::ExpertLayerShape shape{x.rows(), D, H, E, present_.gate, x.dtype, up.dtype};
    if (packed_.defined()) op_detail::require_packed_layer(name(), packed_.spec(), shape, context);
    OpSpec spec;
    spec.outputs.push_back({x.shape, x.dtype});
    spec.forward_scratch_bytes = context.kernels->expert_layer_workspace(shape, context.threads);
    spec.forward_flops = 2 * present_.maps() * x.rows() * D * H;
    return spec;
  }

  void forward(const ForwardArgs& args) const override {
    std::size_t next = 4;
    const auto take = [&](bool present) {
      return present ? ConstMatrix(args.inputs[next++].matrix()) : ConstMatrix{};
    };
    kernels::ExpertLayerArgs layer;
    layer.x = args.inputs[0].matrix();
    layer.offsets = args.inputs[1].data_as<const std::int32_t>();
    layer.up = args.inputs[2].matrix();
    layer.down = args.inputs[3].matrix();
    layer.gate = take(present_.gate);
    layer.gate_bias = take(present_.gate_bias);
    layer.up_bias = take(present_.up_bias);
    layer.down_bias = take(present_.down_bias);
    if (packed_.defined()) layer.packed = packed_.data();
    layer.y = args.outputs[0].matrix();
    layer.experts = experts_;
    layer.activation = activation_;
    layer.beta = beta_;
    args.kernels().expert_layer(args.launch, layer);
  }

  void backward(const BackwardArgs&) const override {}  // infer() refuses to record

 private:
  void require(const TensorSpec& weight, std::string_view what, const Shape& shape,
               const TensorSpec& x) const {
    check(weight.shape == shape, ErrorKind::shape, name(), what, " is ", weight.shape, "; with x ",
          x.shape, " it must be ", shape);
    op_detail::require_plain_weight(name(), what, weight, x, false);
  }

  std::int64_t experts_;
  Activation activation_;
  float beta_;
  OptionalWeights present_;
  Tensor packed_;
};

}  // namespace

Value expert_layer(Executor& ex, Value x, const LayerWeights& weights, const Tensor& offsets,
                   std::int64_t experts, Activation activation, float beta) {
  Values inputs;
  inputs.push_back(std::move(x));
  inputs.push_back(ex.constant(offsets));
  push_weights(inputs, weights);
  return ex.apply_one(ExpertLayerOp(experts, activation, beta, weights), std::move(inputs));
}

}  // namespace ffn::inline v0
