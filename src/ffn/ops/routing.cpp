#include "ffn/ops/routing.h"

#include <limits>

#include "ffn/ops/checks.h"

namespace ffn::inline v0 {
namespace {

// Outputs: weights [N, K], expert [N, K], order and token as the rows of one [2, N·K], offsets
// [E+1].
class RouteTopKOp final : public Op {
 public:
  explicit RouteTopKOp(std::int64_t k) : k_(k) {}

  std::string_view name() const override { return "route_top_k"; }

  OpSpec infer(std::span<const TensorSpec> inputs, const OpContext& context) const override {
    const TensorSpec& logits = inputs[0];
    op_detail::require_compute(name(), "logits", logits, context);
    check(logits.shape.rank() == 2, ErrorKind::shape, name(), "logits are ", logits.shape,
          "; they must be [N, E]");
    const std::int64_t N = logits.rows(), E = logits.cols();
    check(k_ >= 1 && k_ <= E, ErrorKind::config, name(), "top ", k_, " of logits ", logits.shape,
          "; there are ", E, " experts");
    check(N <= std::numeric_limits<std::int32_t>::max() / k_, ErrorKind::shape, name(), "logits ",
          logits.shape, " times ", k_, " choices are more than i32 can count");
    OpSpec spec;
    spec.outputs.push_back({{N, k_}, logits.dtype});
    spec.outputs.push_back({{N, k_}, DType::i32});
    spec.outputs.push_back({{2, N * k_}, DType::i32});
    spec.outputs.push_back({{E + 1}, DType::i32});
    if (context.wants(0)) {
      spec.saved.push_back(Saved::output(0));
      spec.saved.push_back(Saved::output(1));
    }
    return spec;
  }

  void forward(const ForwardArgs& args) const override {
    const Tensor& positions = args.outputs[2];
    args.kernels().route_top_k_forward(
        args.launch, {args.inputs[0].matrix(), k_, args.outputs[0].matrix(),
                      args.outputs[1].data_as<std::int32_t>(), positions.data_as<std::int32_t>(),
                      positions.slice_rows(1, 1).data_as<std::int32_t>(),
                      args.outputs[3].data_as<std::int32_t>()});
  }

  void backward(const BackwardArgs& args) const override {
    args.kernels().route_top_k_backward(
        args.launch,
        {args.saved[0].matrix(), args.output_gradients[0].matrix(),
         args.saved[1].data_as<const std::int32_t>(), args.input_gradients[0].matrix()});
  }

 private:
  std::int64_t k_;
};

}  // namespace

Routing route_top_k(Executor& ex, Value logits, std::int64_t k) {
  Values inputs;
  inputs.push_back(std::move(logits));
  Values outputs = ex.apply(RouteTopKOp(k), std::move(inputs));
  const Tensor& positions = outputs[2].tensor;
  const Shape flat{positions.cols()};
  return {std::move(outputs[0]), outputs[1].tensor, positions.slice_rows(0, 1).reshape(flat),
          positions.slice_rows(1, 1).reshape(flat), outputs[3].tensor};
}

}  // namespace ffn::inline v0
