#include "ffn/ops/softmax.h"

#include "ffn/ops/checks.h"

namespace ffn::inline v0 {
namespace {

class SoftmaxOp final : public Op {
 public:
  explicit SoftmaxOp(const SoftmaxOptions& options) : options_(options) {}

  std::string_view name() const override { return "softmax"; }

  OpSpec infer(std::span<const TensorSpec> inputs, const OpContext& context) const override {
    const TensorSpec& x = inputs[0];
    op_detail::require_compute(name(), "x", x, context);
    if (options_.causal) {
      check(options_.period > 0 && options_.offset >= 0, ErrorKind::config, name(),
            "causal over x ", x.shape, " with period ", options_.period, " and offset ",
            options_.offset, "; the period must be positive, the offset not negative");
      check(x.rows() % options_.period == 0, ErrorKind::config, name(), "x ", x.shape, " has ",
            x.rows(), " rows, no multiple of the period ", options_.period);
    }
    OpSpec spec;
    spec.outputs.push_back({x.shape, x.dtype});
    if (context.wants(0)) spec.saved.push_back(Saved::output(0));
    spec.may_alias.push_back({0, 0});
    spec.gradient_may_alias.push_back({0, 0});
    return spec;
  }

  void forward(const ForwardArgs& args) const override {
    args.kernels().softmax_forward(
        args.launch, {args.inputs[0].matrix(), args.outputs[0].matrix(), options_.scale,
                      options_.causal, options_.offset, options_.period});
  }

  void backward(const BackwardArgs& args) const override {
    args.kernels().softmax_backward(args.launch,
                                    {args.saved[0].matrix(), args.output_gradients[0].matrix(),
                                     args.input_gradients[0].matrix(), options_.scale});
  }

 private:
  SoftmaxOptions options_;
};

}  // namespace

Value softmax(Executor& ex, Value x, const SoftmaxOptions& options) {
  Values inputs;
  inputs.push_back(std::move(x));
  return ex.apply_one(SoftmaxOp(options), std::move(inputs));
}

}  // namespace ffn::inline v0
