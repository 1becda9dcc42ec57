#include "ffn/ops/activation.h"

#include "ffn/ops/checks.h"

namespace ffn::inline v0 {
namespace {

class ActivationOp final : public Op {
 public:
  ActivationOp(Activation kind, float beta) : kind_(kind), beta_(beta) {}

  std::string_view name() const override { return to_string(kind_); }

  OpSpec infer(std::span<const TensorSpec> inputs, const OpContext& context) const override {
    const TensorSpec& x = inputs[0];
    op_detail::require_compute(name(), "x", x, context);
    OpSpec spec;
    spec.outputs.push_back({x.shape, x.dtype});
    // relu(x) > 0 exactly where x > 0, so its output tells the slope as well as its input.
    if (context.wants(0)) {
      spec.saved.push_back(kind_ == Activation::relu ? Saved::output(0) : Saved::input(0));
    }
    spec.may_alias.push_back({0, 0});
    spec.gradient_may_alias.push_back({0, 0});
    return spec;
  }

  void forward(const ForwardArgs& args) const override {
    args.kernels().activation_forward(
        args.launch, {kind_, beta_, args.inputs[0].matrix(), args.outputs[0].matrix()});
  }

  void backward(const BackwardArgs& args) const override {
    args.kernels().activation_backward(
        args.launch, {kind_, beta_, args.saved[0].matrix(), args.output_gradients[0].matrix(),
                      args.input_gradients[0].matrix()});
  }

 private:
  Activation kind_;
  float beta_;
};

}  // namespace

std::string_view to_string(Activation kind) {
  switch (kind) {
    case Activation::relu: return "relu";
    case Activation::gelu: return "gelu";
    case Activation::gelu_tanh: return "gelu_tanh";
    case Activation::quick_gelu: return "quick_gelu";
    case Activation::silu: return "silu";
    case Activation::swish: return "swish";
    case Activation::relu2: return "relu2";
    case Activation::sigmoid: return "sigmoid";
    case Activation::tanh: return "tanh";
    case Activation::hardswish: return "hardswish";
    case Activation::hardsigmoid: return "hardsigmoid";
    case Activation::identity: return "identity";
  }
  return "activation";
}

Value activation(Executor& ex, Value x, Activation kind, float beta) {
  if (kind == Activation::identity) return x;
  Values inputs;
  inputs.push_back(std::move(x));
  return ex.apply_one(ActivationOp(kind, beta), std::move(inputs));
}

Value relu(Executor& ex, Value x) { return activation(ex, std::move(x), Activation::relu); }
Value gelu(Executor& ex, Value x) { return activation(ex, std::move(x), Activation::gelu); }
Value gelu_tanh(Executor& ex, Value x) {
  return activation(ex, std::move(x), Activation::gelu_tanh);
}
Value quick_gelu(Executor& ex, Value x) {
  return activation(ex, std::move(x), Activation::quick_gelu);
}
Value silu(Executor& ex, Value x) { return activation(ex, std::move(x), Activation::silu); }
Value swish(Executor& ex, Value x, float beta) {
  return activation(ex, std::move(x), Activation::swish, beta);
}
Value relu2(Executor& ex, Value x) { return activation(ex, std::move(x), Activation::relu2); }
Value sigmoid(Executor& ex, Value x) { return activation(ex, std::move(x), Activation::sigmoid); }
Value tanh(Executor& ex, Value x) { return activation(ex, std::move(x), Activation::tanh); }
Value hardswish(Executor& ex, Value x) {
  return activation(ex, std::move(x), Activation::hardswish);
}
Value hardsigmoid(Executor& ex, Value x) {
  return activation(ex, std::move(x), Activation::hardsigmoid);
}
Value identity(Executor& ex, Value x) { return activation(ex, std::move(x), Activation::identity); }

}  // namespace ffn::inline v0
