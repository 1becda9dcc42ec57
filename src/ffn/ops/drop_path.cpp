#include "ffn/ops/drop_path.h"

#include "ffn/ops/checks.h"

namespace ffn::inline v0 {
namespace {

class DropPathOp final : public Op {
 public:
  DropPathOp(float p, std::uint64_t key, std::uint64_t step, std::int64_t sequences)
      : p_(p), key_(key), step_(step), sequences_(sequences) {}

  std::string_view name() const override { return "drop_path"; }

  OpSpec infer(std::span<const TensorSpec> inputs, const OpContext& context) const override {
    const TensorSpec& x = inputs[0];
    op_detail::require_compute(name(), "x", x, context);
    op_detail::rows_per_sequence(name(), x, sequences_);
    OpSpec spec;
    spec.outputs.push_back({x.shape, x.dtype});
    spec.may_alias.push_back({0, 0});
    spec.gradient_may_alias.push_back({0, 0});
    return spec;
  }

  void forward(const ForwardArgs& args) const override {
    run(args.kernels(), args.launch, args.inputs[0], args.outputs[0], false);
  }

  void backward(const BackwardArgs& args) const override {
    const GradientTarget& dx = args.input_gradients[0];
    run(args.kernels(), args.launch, args.output_gradients[0], dx.tensor, dx.accumulate);
  }

 private:
  void run(const kernels::KernelTable& kernels, const kernels::LaunchContext& launch,
           const Tensor& from, const Tensor& to, bool accumulate) const {
    if (from.rows() == 0) return;
    const std::int64_t rows = from.rows() / sequences_;
    kernels.dropout(launch, {from.matrix(), to.matrix(), p_, key_, step_, accumulate, rows});
  }

  float p_;
  std::uint64_t key_, step_;
  std::int64_t sequences_;
};

}  // namespace

Value drop_path(Executor& ex, Value x, float p, const RandomStream& stream,
                std::int64_t sequences) {
  check(p >= 0 && p < 1, ErrorKind::config, "drop_path", "p for x ", x.shape(), " is ", p,
        "; it must be in [0, 1)");
  if (!ex.training() || p == 0) return x;
  Values inputs;
  inputs.push_back(std::move(x));
  return ex.apply_one(DropPathOp(p, stream.key(), ex.step(), sequences), std::move(inputs));
}

}  // namespace ffn::inline v0
