#include "ffn/ops/tiny_network.h"

#include "ffn/ops/checks.h"

namespace ffn::inline v0 {
namespace {

constexpr std::int64_t kLargestWidth = 1024;
// Keeps the number of weights within 64 bits.
constexpr std::int64_t kLargestEnd = std::int64_t{1} << 20, kMostLayers = 1024;

// Inputs: x, weights.
class TinyNetworkOp final : public Op {
 public:
  explicit TinyNetworkOp(const TinyNetworkShape& shape) : shape_(shape) {}

  std::string_view name() const override { return "tiny_network"; }

  OpSpec infer(std::span<const TensorSpec> inputs, const OpContext& context) const override {
    const TensorSpec &x = inputs[0], &weights = inputs[1];
    op_detail::require_compute(name(), "x", x, context);
    check_inputs(x, weights, context.wants(1));
    const std::int64_t N = x.rows();
    OpSpec spec;
    spec.outputs.push_back({op_detail::with_cols(x.shape, shape_.out), x.dtype});
    spec.saved.push_back(Saved::input(0));
    spec.saved.push_back(Saved::input(1));
    spec.forward_scratch_bytes = context.kernels->tiny_network_forward_workspace(
        shape_, N, x.dtype, weights.dtype, context.threads);
    spec.backward_scratch_bytes = context.kernels->tiny_network_backward_workspace(
        shape_, N, context.wants(1), context.threads);
    const std::int64_t all = shape_.weights(), width = shape_.width;
    spec.forward_flops = 2 * N * all;
    spec.backward_flops = 2 * N * (all - width * shape_.out) + 2 * N * (all - width * shape_.in);
    if (context.wants(0)) spec.backward_flops += 2 * N * width * shape_.in;
    if (context.wants(1)) spec.backward_flops += 2 * N * all;
    return spec;
  }

  void forward(const ForwardArgs& args) const override {
    args.kernels().tiny_network_forward(
        args.launch,
        {args.inputs[0].matrix(), args.inputs[1].matrix(), args.outputs[0].matrix(), shape_});
  }

  void backward(const BackwardArgs& args) const override {
    args.kernels().tiny_network_backward(
        args.launch,
        {args.saved[0].matrix(), args.saved[1].matrix(), args.output_gradients[0].matrix(),
         args.input_gradients[0].matrix(), args.input_gradients[1].matrix(), shape_});
  }

 private:
  void check_inputs(const TensorSpec& x, const TensorSpec& weights, bool wants_weights) const {
    const std::int64_t width = shape_.width;
    check(width >= 16 && width <= kLargestWidth && width % 16 == 0, ErrorKind::config, name(),
          "width is ", width, " for x ", x.shape, "; it must be a multiple of 16, at most ",
          kLargestWidth);
    check(shape_.hidden_layers >= 1 && shape_.hidden_layers <= kMostLayers, ErrorKind::config,
          name(), shape_.hidden_layers, " hidden layers for x ", x.shape, "; there must be 1 to ",
          kMostLayers);
    const auto is_end = [](std::int64_t n) { return n >= 1 && n <= kLargestEnd; };
    check(is_end(shape_.in) && is_end(shape_.out), ErrorKind::config, name(), "in is ", shape_.in,
          ", out is ", shape_.out, " for x ", x.shape, "; both must be 1 to ", kLargestEnd);
    check(x.cols() == shape_.in, ErrorKind::shape, name(), "x is ", x.shape,
          ", the network takes [N, ", shape_.in, "]");
    check(weights.rows() == 1 && weights.cols() == shape_.weights(), ErrorKind::shape, name(),
          "x is ", x.shape, ", weights are ", weights.shape, "; ", shape_.in, " → ",
          shape_.hidden_layers, " × ", width, " → ", shape_.out, " takes [", shape_.weights(), "]");
    const auto is_narrow = [](DType d) { return d == DType::f32 || d == DType::bf16; };
    const bool narrow = is_narrow(weights.dtype);
    const bool fits =
        is_narrow(x.dtype) ? narrow : weights.dtype == x.dtype || (narrow && !wants_weights);
    check(fits, ErrorKind::dtype, name(), "weights ", weights.shape, " are ",
          to_string(weights.dtype), ", which does not go with x ", x.shape, " of ",
          to_string(x.dtype));
  }

  TinyNetworkShape shape_;
};

}  // namespace

Value tiny_network(Executor& ex, Value x, const Value& weights, const TinyNetworkShape& shape) {
  Values inputs;
  inputs.push_back(std::move(x));
  inputs.push_back(weights);
  return ex.apply_one(TinyNetworkOp(shape), std::move(inputs));
}

}  // namespace ffn::inline v0
