#include "ffn/ops/jitter.h"

#include "ffn/base/faults.h"
#include "ffn/ops/checks.h"

namespace ffn::inline v0 {
namespace {

class JitterOp final : public Op {
 public:
  JitterOp(float amount, std::uint64_t key, std::uint64_t step)
      : amount_(amount), key_(key), step_(step) {}

  std::string_view name() const override { return "jitter"; }

  OpSpec infer(std::span<const TensorSpec> inputs, const OpContext& context) const override {
    op_detail::require_compute(name(), "x", inputs[0], context);
    OpSpec spec;
    spec.outputs.push_back({inputs[0].shape, inputs[0].dtype});
    spec.may_alias.push_back({0, 0});
    spec.gradient_may_alias.push_back({0, 0});
    return spec;
  }

  void forward(const ForwardArgs& args) const override {
    args.kernels().jitter(args.launch, {args.inputs[0].matrix(), args.outputs[0].matrix(), amount_,
                                        key_, step_, false});
  }

  void backward(const BackwardArgs& args) const override {
    const GradientTarget& dx = args.input_gradients[0];
    args.kernels().jitter(args.launch,
                          {args.output_gradients[0].matrix(), dx.tensor.matrix(), amount_, key_,
                           fault(94) ? step_ + 1 : step_, dx.accumulate});
  }

 private:
  float amount_;
  std::uint64_t key_, step_;
};

}  // namespace

Value jitter(Executor& ex, Value x, float amount, const RandomStream& stream) {
  check(amount >= 0 && amount < 1, ErrorKind::config, "jitter", "the amount for x ", x.shape(),
        " is ", amount, "; it must be in [0, 1)");
  if (!ex.training() || amount == 0) return x;
  Values inputs;
  inputs.push_back(std::move(x));
  return ex.apply_one(JitterOp(amount, stream.key(), ex.step()), std::move(inputs));
}

}  // namespace ffn::inline v0
