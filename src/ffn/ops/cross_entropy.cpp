#include "ffn/ops/cross_entropy.h"

#include <limits>

#include "ffn/ops/checks.h"

namespace ffn::inline v0 {
namespace {

// Inputs: logits, targets.
class CrossEntropyOp final : public Op {
 public:
  std::string_view name() const override { return "cross_entropy"; }

  OpSpec infer(std::span<const TensorSpec> inputs, const OpContext& context) const override {
    const TensorSpec &logits = inputs[0], &targets = inputs[1];
    op_detail::require_compute(name(), "logits", logits, context);
    op_detail::require_index(name(), "targets", targets, logits.rows(), logits.shape);
    check(logits.cols() >= 1, ErrorKind::shape, name(), "logits ", logits.shape,
          " have no classes for targets ", targets.shape);
    OpSpec spec;
    spec.outputs.push_back(one_number(logits));
    spec.forward_scratch_bytes = context.kernels->cross_entropy_workspace(logits.rows());
    if (context.wants(0)) {
      spec.extra.push_back(lse_spec(logits));
      spec.extra.push_back(one_number(logits));
      spec.saved.push_back(Saved::input(0));
      spec.saved.push_back(Saved::input(1));
      spec.saved.push_back(Saved::extra(0));
      spec.saved.push_back(Saved::extra(1));
    } else {
      spec.forward_scratch_bytes +=
          charged_bytes(lse_spec(logits).bytes()) + charged_bytes(one_number(logits).bytes());
    }
    return spec;
  }

  void forward(const ForwardArgs& args) const override {
    const Tensor& logits = args.inputs[0];
    op_detail::Workspace workspace(args.launch);
    kernels::Matrix lse, count;
    if (args.extra.empty()) {
      lse = workspace.take(lse_spec(logits.spec()));
      count = workspace.take(one_number(logits.spec()));
    } else {
      lse = args.extra[0].matrix();
      count = args.extra[1].matrix();
    }
    args.kernels().cross_entropy_forward(
        workspace.rest(), {logits.matrix(), args.inputs[1].data_as<const std::int32_t>(),
                           args.outputs[0].matrix(), lse, count});
  }

  void backward(const BackwardArgs& args) const override {
    args.kernels().cross_entropy_backward(
        args.launch, {args.saved[0].matrix(), args.saved[1].data_as<const std::int32_t>(),
                      args.saved[2].matrix(), args.saved[3].matrix(),
                      args.output_gradients[0].matrix(), args.input_gradients[0].matrix()});
  }

 private:
  static TensorSpec one_number(const TensorSpec& logits) {
    return {{1, 1}, gradient_dtype(logits.dtype)};
  }
  static TensorSpec lse_spec(const TensorSpec& logits) {
    return {{logits.rows(), 1}, gradient_dtype(logits.dtype)};
  }
};

}  // namespace

Value cross_entropy(Executor& ex, Value logits, const Tensor& targets) {
  op_detail::require_index_range(ex, "cross_entropy", "targets", targets,
                                 std::numeric_limits<std::int32_t>::min(), logits.cols());
  Values inputs;
  inputs.push_back(std::move(logits));
  inputs.push_back(ex.constant(targets));
  return ex.apply_one(CrossEntropyOp(), std::move(inputs));
}

}  // namespace ffn::inline v0
