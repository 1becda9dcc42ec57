#include "ffn/ops/depthwise_conv.h"

#include "ffn/ops/checks.h"

namespace ffn::inline v0 {
namespace {

// Keeps products of two sides and a window within 64 bits.
constexpr std::int64_t kLargestSide = std::int64_t{1} << 20;

// k of a window of k² places; 0 when there is none.
std::int64_t window_side(std::int64_t places) {
  std::int64_t k = 1;
  while (k * k < places) k += 2;
  return k * k == places ? k : 0;
}

// Inputs: x, weight, then bias where present.
class DepthwiseConvOp final : public Op {
 public:
  DepthwiseConvOp(const TokenGrid& grid, bool has_bias, std::int64_t k)
      : grid_(grid), has_bias_(has_bias), k_(k) {}

  std::string_view name() const override { return "depthwise_conv"; }

  OpSpec infer(std::span<const TensorSpec> inputs, const OpContext& context) const override {
    const TensorSpec &x = inputs[0], &weight = inputs[1];
    op_detail::require_compute(name(), "x", x, context);
    check_grid(x);
    check(weight.shape.rank() == 2 && weight.rows() == x.cols() && k_ > 0, ErrorKind::shape, name(),
          "x is ", x.shape, ", weight is ", weight.shape, "; weight must be [", x.cols(),
          ", k·k] with odd k");
    op_detail::require_plain_weight(name(), "weight", weight, x, context.wants(1));
    if (has_bias_) {
      const TensorSpec& bias = inputs[2];
      check(bias.rows() == 1 && bias.cols() == x.cols(), ErrorKind::shape, name(), "bias is ",
            bias.shape, ", x is ", x.shape, "; bias must be [", x.cols(), "]");
      op_detail::require_plain_weight(name(), "bias", bias, x, context.wants(2));
    }
    const std::int64_t B = x.rows() / grid_.rows(), C = x.cols();
    OpSpec spec;
    spec.outputs.push_back({x.shape, x.dtype});
    spec.forward_scratch_bytes = context.kernels->depthwise_conv_forward_workspace(C, k_);
    spec.backward_scratch_bytes = context.kernels->depthwise_conv_backward_workspace(B, C, k_);
    spec.forward_flops = 2 * B * grid_.height * grid_.width * k_ * k_ * C;
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
    args.kernels().depthwise_conv_forward(
        args.launch, {args.inputs[0].matrix(), args.inputs[1].matrix(), bias.matrix(),
                      args.outputs[0].matrix(), grid_, k_});
  }

  void backward(const BackwardArgs& args) const override {
    const GradientTarget &dx = args.input_gradients[0], &dweight = args.input_gradients[1];
    std::size_t next = 0;
    const Tensor x = dweight.wanted() ? args.saved[next++] : Tensor();
    const Tensor weight = dx.wanted() ? args.saved[next++] : Tensor();
    const kernels::GradMatrix dbias =
        has_bias_ ? args.input_gradients[2].matrix() : kernels::GradMatrix();
    args.kernels().depthwise_conv_backward(
        args.launch, {x.matrix(), weight.matrix(), args.output_gradients[0].matrix(), dx.matrix(),
                      dweight.matrix(), dbias, grid_, k_});
  }

 private:
  void check_grid(const TensorSpec& x) const {
    const auto side = [](std::int64_t n) { return n >= 1 && n <= kLargestSide; };
    check(side(grid_.height) && side(grid_.width) && grid_.prefix >= 0 &&
              grid_.prefix <= kLargestSide,
          ErrorKind::config, name(), "a grid of ", grid_.height, " × ", grid_.width, " after ",
          grid_.prefix, " rows for x ", x.shape, "; sides must be 1 to ", kLargestSide,
          ", the prefix 0 or more");
    check(x.rows() % grid_.rows() == 0, ErrorKind::shape, name(), "x is ", x.shape, " with ",
          x.rows(), " rows, a sequence has ", grid_.prefix, " + ", grid_.height, "·", grid_.width,
          " = ", grid_.rows(), "; rows must be a multiple of that");
  }

  TokenGrid grid_;
  bool has_bias_;
  std::int64_t k_;
};

}  // namespace

Value depthwise_conv(Executor& ex, Value x, const Value& weight, const Value& bias,
                     const TokenGrid& grid) {
  const std::int64_t k = window_side(weight.cols());
  Values inputs;
  inputs.push_back(std::move(x));
  inputs.push_back(weight);
  if (bias.defined()) inputs.push_back(bias);
  return ex.apply_one(DepthwiseConvOp(grid, bias.defined(), k), std::move(inputs));
}

}  // namespace ffn::inline v0
