#include "ffn/ops/cross_entropy.h"

#include <limits>

#include "ffn/ops/checks.h"

namespace ffn::inline v0 {
namespace {

// Inputs: logits, targets.
class CrossEntropyOp final : public Op {
 public:
  CrossEntropyOp(bool soft, float smoothing) : soft_(soft), smoothing_(smoothing) {}

  std::string_view name() const override { return soft_ ? "soft_cross_entropy" : "cross_entropy"; }

  OpSpec infer(std::span<const TensorSpec> inputs, const OpContext& context) const override {
    const TensorSpec &logits = inputs[0], &targets = inputs[1];
    op_detail::require_compute(name(), "logits", logits, context);
    check_targets(logits, targets);
    check(smoothing_ >= 0 && smoothing_ <= 1, ErrorKind::config, name(), "smoothing of logits ",
          logits.shape, " is ", smoothing_, "; it must be in [0, 1]");
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
    const Tensor &targets = args.inputs[1], &loss = args.outputs[0];
    if (soft_) {
      args.kernels().soft_cross_entropy_forward(
          workspace.rest(),
          {logits.matrix(), targets.matrix(), loss.matrix(), lse, count, smoothing_});
    } else {
      args.kernels().cross_entropy_forward(
          workspace.rest(), {logits.matrix(), targets.data_as<const std::int32_t>(), loss.matrix(),
                             lse, count, smoothing_});
    }
  }

  void backward(const BackwardArgs& args) const override {
    const kernels::ConstMatrix logits = args.saved[0].matrix(), lse = args.saved[2].matrix(),
                               count = args.saved[3].matrix(),
                               dloss = args.output_gradients[0].matrix();
    const kernels::GradMatrix dlogits = args.input_gradients[0].matrix();
    const Tensor& targets = args.saved[1];
    if (soft_) {
      args.kernels().soft_cross_entropy_backward(
          args.launch, {logits, targets.matrix(), lse, count, dloss, dlogits, smoothing_});
    } else {
      args.kernels().cross_entropy_backward(
          args.launch,
          {logits, targets.data_as<const std::int32_t>(), lse, count, dloss, dlogits, smoothing_});
    }
  }

 private:
  void check_targets(const TensorSpec& logits, const TensorSpec& targets) const {
    if (!soft_) {
      return op_detail::require_index(name(), "targets", targets, logits.rows(), logits.shape);
    }
    op_detail::require_same_shape(name(), "logits", logits, "targets", targets);
    check(targets.dtype == DType::f32 || targets.dtype == gradient_dtype(logits.dtype),
          ErrorKind::dtype, name(), "targets ", targets.shape, " are ", to_string(targets.dtype),
          ", for logits ", logits.shape, " of ", to_string(logits.dtype), " they must be ",
          to_string(gradient_dtype(logits.dtype)));
  }
  static TensorSpec one_number(const TensorSpec& logits) {
    return {{1, 1}, gradient_dtype(logits.dtype)};
  }
  static TensorSpec lse_spec(const TensorSpec& logits) {
    return {{logits.rows(), 1}, gradient_dtype(logits.dtype)};
  }

  bool soft_;
  float smoothing_;
};

Value apply_loss(Executor& ex, Value logits, const Tensor& targets, bool soft, float smoothing) {
  Values inputs;
  inputs.push_back(std::move(logits));
  inputs.push_back(ex.constant(targets));
  return ex.apply_one(CrossEntropyOp(soft, smoothing), std::move(inputs));
}

}  // namespace

Value cross_entropy(Executor& ex, Value logits, const Tensor& targets, float smoothing) {
  op_detail::require_index_range(ex, "cross_entropy", "targets", targets,
                                 std::numeric_limits<std::int32_t>::min(), logits.cols());
  return apply_loss(ex, std::move(logits), targets, false, smoothing);
}

Value soft_cross_entropy(Executor& ex, Value logits, const Tensor& targets, float smoothing) {
  return apply_loss(ex, std::move(logits), targets, true, smoothing);
}

}  // namespace ffn::inline v0
