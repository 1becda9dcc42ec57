#include "ffn/ops/rope.h"

#include <cmath>
#include <numbers>

#include "ffn/base/faults.h"
#include "ffn/ops/checks.h"

namespace ffn::inline v0 {
namespace {

// Angles in double are still good to 2^-12 there.
constexpr std::int64_t kLastPosition = std::int64_t{1} << 40;

class RopeOp final : public Op {
 public:
  RopeOp(std::int64_t sequences, const RopeOptions& options)
      : sequences_(sequences), options_(options) {}

  std::string_view name() const override { return "rope"; }

  OpSpec infer(std::span<const TensorSpec> inputs, const OpContext& context) const override {
    const TensorSpec& x = inputs[0];
    op_detail::require_compute(name(), "x", x, context);
    check_options(x);
    const std::int64_t T = op_detail::rows_per_sequence(name(), x, sequences_);
    OpSpec spec;
    spec.outputs.push_back({x.shape, x.dtype});
    spec.may_alias.push_back({0, 0});
    spec.gradient_may_alias.push_back({0, 0});
    spec.forward_scratch_bytes = context.kernels->rope_workspace(T, rotary_width(x.cols()));
    spec.backward_scratch_bytes = spec.forward_scratch_bytes;
    return spec;
  }

  void forward(const ForwardArgs& args) const override {
    const kernels::GradMatrix y{args.outputs[0].matrix(), false};
    args.kernels().rope(args.launch, turn(args.inputs[0].matrix(), y, false));
  }

  void backward(const BackwardArgs& args) const override {
    args.kernels().rope(args.launch, turn(args.output_gradients[0].matrix(),
                                          args.input_gradients[0].matrix(), true));
  }

 private:
  std::int64_t rotary_width(std::int64_t cols) const {
    return options_.rotary_width > 0 ? options_.rotary_width : cols / options_.heads;
  }

  kernels::RopeArgs turn(const kernels::ConstMatrix& from, const kernels::GradMatrix& to,
                         bool back) const {
    kernels::RopeArgs args;
    args.x = from;
    args.y = to.to;
    args.tokens = sequences_ > 0 ? from.rows / sequences_ : 0;
    args.heads = options_.heads;
    args.rotary_width = rotary_width(from.cols);
    args.first_position = options_.first_position;
    args.theta = options_.theta;
    if (options_.frequencies != nullptr) args.frequencies = options_.frequencies->data();
    args.style = options_.style;
    args.back = back;
    args.accumulate = to.accumulate;
    return args;
  }

  void check_options(const TensorSpec& x) const {
    const std::int64_t heads = options_.heads;
    check(heads >= 1, ErrorKind::config, name(), heads, " heads for x ", x.shape,
          "; there must be one or more");
    check(x.cols() % heads == 0, ErrorKind::shape, name(), "x is ", x.shape, ": its ", x.cols(),
          " columns are not ", heads, " equal heads");
    const std::int64_t W = x.cols() / heads, R = rotary_width(x.cols());
    check(options_.rotary_width >= 0 && R % 2 == 0 && R <= W, ErrorKind::config, name(), "turning ",
          options_.rotary_width == 0 ? R : options_.rotary_width, " columns of heads of ", W,
          " in x ", x.shape, "; expected an even number of them, at most all");
    check(std::isfinite(options_.theta) && options_.theta > 0, ErrorKind::config, name(),
          "theta for x ", x.shape, " is ", options_.theta, "; it must be positive and finite");
    const auto* frequencies = options_.frequencies.get();
    check(frequencies == nullptr || std::ssize(*frequencies) == R / 2, ErrorKind::config, name(),
          frequencies == nullptr ? 0 : frequencies->size(), " frequencies for x ", x.shape,
          "; heads of ", W, " turn ", R / 2, " pairs");
    check(options_.first_position >= 0 && options_.first_position <= kLastPosition,
          ErrorKind::config, name(), "the first position of x ", x.shape, " is ",
          options_.first_position, "; it must be 0 to ", kLastPosition);
  }

  std::int64_t sequences_;
  RopeOptions options_;
};

double scaled(double frequency, const RopeScaling& scaling) {
  const double slower = fault(802) ? frequency * scaling.factor : frequency / scaling.factor;
  if (scaling.kind == RopeScaling::Kind::none) return frequency;
  if (scaling.kind == RopeScaling::Kind::linear) return slower;
  const double turns =
      static_cast<double>(scaling.original_tokens) * frequency / (2 * std::numbers::pi);
  if (turns > scaling.high) return frequency;
  if (turns < scaling.low) return slower;
  const double share = (turns - scaling.low) / (scaling.high - scaling.low);
  return share * frequency + (1 - share) * slower;
}

}  // namespace

std::vector<double> rope_frequencies(double theta, std::int64_t rotary_width,
                                     const RopeScaling& scaling) {
  const auto positive = [](double value) { return std::isfinite(value) && value > 0; };
  check(rotary_width >= 0 && rotary_width % 2 == 0, ErrorKind::config, "rope", "turning ",
        rotary_width, " columns; expected an even number of them");
  check(positive(theta) && positive(scaling.factor), ErrorKind::config, "rope", "theta is ", theta,
        " and the factor ", scaling.factor, "; both must be positive and finite");
  check(scaling.kind != RopeScaling::Kind::llama3 || scaling.high > scaling.low, ErrorKind::config,
        "rope", "the high frequency factor ", scaling.high, " must exceed the low one, ",
        scaling.low);
  std::vector<double> frequencies;
  for (std::int64_t i = 0; i < rotary_width / 2; ++i) {
    const double exponent = -2 * static_cast<double>(i) / static_cast<double>(rotary_width);
    frequencies.push_back(scaled(std::pow(theta, exponent), scaling));
  }
  return frequencies;
}

Value rope(Executor& ex, Value x, std::int64_t sequences, const RopeOptions& options) {
  Values inputs;
  inputs.push_back(std::move(x));
  return ex.apply_one(RopeOp(sequences, options), std::move(inputs));
}

}  // namespace ffn::inline v0
