#include "ffn/ops/causal_conv.h"

#include "ffn/ops/checks.h"

namespace ffn::inline v0 {
namespace {

constexpr std::int64_t kMostTaps = 64;

// Inputs: x, weight, then bias where present.
class CausalConvOp final : public Op {
 public:
  CausalConvOp(std::int64_t sequences, bool has_bias, std::int64_t k)
      : sequences_(sequences), has_bias_(has_bias), k_(k) {}

  std::string_view name() const override { return "causal_conv"; }

  OpSpec infer(std::span<const TensorSpec> inputs, const OpContext& context) const override {
    const TensorSpec &x = inputs[0], &weight = inputs[1];
    op_detail::require_compute(name(), "x", x, context);
    op_detail::rows_per_sequence(name(), x, sequences_);
    check(weight.shape.rank() == 2 && weight.rows() == x.cols(), ErrorKind::shape, name(), "x is ",
          x.shape, ", weight is ", weight.shape, "; weight must be [", x.cols(), ", k]");
    check(k_ >= 1 && k_ <= kMostTaps, ErrorKind::config, name(), "weight ", weight.shape, " has ",
          k_, " taps; there must be 1 to ", kMostTaps);
    op_detail::require_plain_weight(name(), "weight", weight, x, context.wants(1));
    if (has_bias_) {
      const TensorSpec& bias = inputs[2];
      check(bias.rows() == 1 && bias.cols() == x.cols(), ErrorKind::shape, name(), "bias is ",
            bias.shape, ", x is ", x.shape, "; bias must be [", x.cols(), "]");
      op_detail::require_plain_weight(name(), "bias", bias, x, context.wants(2));
    }
    const std::int64_t C = x.cols();
    OpSpec spec;
    spec.outputs.push_back({x.shape, x.dtype});
    spec.forward_scratch_bytes = context.kernels->causal_conv_forward_workspace(C, k_);
    spec.backward_scratch_bytes =
        context.kernels->causal_conv_backward_workspace(sequences_, C, k_);
    spec.forward_flops = 2 * x.rows() * k_ * C;
    if (context.wants(1)) {
      spec.saved.push_back(Saved::input(0));
      spec.backward_flops += spec.forward_flops;
    }
    if (context.wants(0)) {
      spec.saved.push_back(Saved::input(1));
      spec.backward_flops += spec.forward_flops;
    }
    return spec;
  }

  void forward(const ForwardArgs& args) const override {
    const Tensor bias = has_bias_ ? args.inputs[2] : Tensor();
    const Tensor& x = args.inputs[0];
    args.kernels().causal_conv_forward(
        args.launch, {x.matrix(), args.inputs[1].matrix(), bias.matrix(), args.outputs[0].matrix(),
                      tokens(x), k_});
  }

  void backward(const BackwardArgs& args) const override {
    const GradientTarget &dx = args.input_gradients[0], &dweight = args.input_gradients[1];
    std::size_t next = 0;
    const Tensor x = dweight.wanted() ? args.saved[next++] : Tensor();
    const Tensor weight = dx.wanted() ? args.saved[next++] : Tensor();
    const Tensor& dy = args.output_gradients[0];
    const kernels::GradMatrix dbias =
        has_bias_ ? args.input_gradients[2].matrix() : kernels::GradMatrix();
    args.kernels().causal_conv_backward(
        args.launch, {x.matrix(), weight.matrix(), dy.matrix(), dx.matrix(), dweight.matrix(),
                      dbias, tokens(dy), k_});
  }

 private:
  std::int64_t tokens(const Tensor& x) const { return sequences_ > 0 ? x.rows() / sequences_ : 0; }

  std::int64_t sequences_;
  bool has_bias_;
  std::int64_t k_;
};

}  // namespace

Value causal_conv(Executor& ex, Value x, const Value& weight, const Value& bias,
                  std::int64_t sequences) {
  const std::int64_t k = weight.cols();
  Values inputs;
  inputs.push_back(std::move(x));
  inputs.push_back(weight);
  if (bias.defined()) inputs.push_back(bias);
  return ex.apply_one(CausalConvOp(sequences, bias.defined(), k), std::move(inputs));
}

}  // namespace ffn::inline v0
