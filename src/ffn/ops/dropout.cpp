#include "ffn/ops/dropout.h"

#include "ffn/ops/checks.h"

namespace ffn::inline v0 {
namespace {

class DropoutOp final : public Op {
 public:
  DropoutOp(float p, std::uint64_t key, std::uint64_t step) : p_(p), key_(key), step_(step) {}

  std::string_view name() const override { return "dropout"; }

  OpSpec infer(std::span<const TensorSpec> inputs, const OpContext& context) const override {
    op_detail::require_compute(name(), "x", inputs[0], context);
    OpSpec spec;
    spec.outputs.push_back({inputs[0].shape, inputs[0].dtype});
    return spec;
  }

  void forward(const ForwardArgs& args) const override {
    args.kernels().dropout(
        args.launch, {args.inputs[0].matrix(), args.outputs[0].matrix(), p_, key_, step_, false});
  }

  void backward(const BackwardArgs& args) const override {
    const GradientTarget& dx = args.input_gradients[0];
    args.kernels().dropout(args.launch, {args.output_gradients[0].matrix(), dx.tensor.matrix(), p_,
                                         key_, step_, dx.accumulate});
  }

 private:
  float p_;
  std::uint64_t key_, step_;
};

}  // namespace

Value dropout(Executor& ex, Value x, float p, const RandomStream& stream) {
  check(p >= 0 && p < 1, ErrorKind::config, "dropout", "p is ", p, "; it must be in [0, 1)");
  if (!ex.training() || p == 0) return x;
  Values inputs;
  inputs.push_back(std::move(x));
  return ex.apply_one(DropoutOp(p, stream.key(), ex.step()), std::move(inputs));
}

}  // namespace ffn::inline v0
