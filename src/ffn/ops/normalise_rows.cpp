#include "ffn/ops/normalise_rows.h"

#include "ffn/ops/checks.h"

namespace ffn::inline v0 {
namespace {

class NormaliseRowsOp final : public Op {
 public:
  NormaliseRowsOp(float scale, float eps) : scale_(scale), eps_(eps) {}

  std::string_view name() const override { return "normalise_rows"; }

  OpSpec infer(std::span<const TensorSpec> inputs, const OpContext& context) const override {
    const TensorSpec& x = inputs[0];
    op_detail::require_compute(name(), "x", x, context);
    check(eps_ >= 0, ErrorKind::config, name(), "eps for x ", x.shape, " is ", eps_,
          "; it must be at least 0");
    OpSpec spec;
    spec.outputs.push_back({x.shape, x.dtype});
    if (context.wants(0)) {
      spec.saved.push_back(Saved::input(0));
      spec.saved.push_back(Saved::output(0));
    }
    spec.gradient_may_alias.push_back({0, 0});
    return spec;
  }

  void forward(const ForwardArgs& args) const override {
    args.kernels().normalise_rows_forward(
        args.launch, {args.inputs[0].matrix(), scale_, eps_, args.outputs[0].matrix()});
  }

  void backward(const BackwardArgs& args) const override {
    const Tensor &x = args.saved[0], &y = args.saved[1];
    args.kernels().normalise_rows_backward(
        args.launch, {x.matrix(), y.matrix(), args.output_gradients[0].matrix(), scale_, eps_,
                      args.input_gradients[0].matrix()});
  }

 private:
  float scale_, eps_;
};

}  // namespace

Value normalise_rows(Executor& ex, Value x, float scale, float eps) {
  Values inputs;
  inputs.push_back(std::move(x));
  return ex.apply_one(NormaliseRowsOp(scale, eps), std::move(inputs));
}

}  // namespace ffn::inline v0
