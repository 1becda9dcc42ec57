#include "ffn/ops/rearrange.h"

#include "ffn/base/faults.h"
#include "ffn/ops/checks.h"

namespace ffn::inline v0 {
namespace {

class RepeatRowsOp final : public Op {
 public:
  explicit RepeatRowsOp(std::int64_t times) : times_(times) {}

  std::string_view name() const override { return "repeat_rows"; }

  OpSpec infer(std::span<const TensorSpec> inputs, const OpContext& context) const override {
    const TensorSpec& x = inputs[0];
    op_detail::require_compute(name(), "x", x, context);
    check(times_ >= 1, ErrorKind::config, name(), "x ", x.shape, " ", times_,
          " times; it must be at least once");
    OpSpec spec;
    spec.outputs.push_back({{times_ * x.rows(), x.cols()}, x.dtype});
    if (context.wants(0)) {
      spec.backward_scratch_bytes =
          context.kernels->row_sum_workspace(times_ * x.rows(), x.cols(), x.rows());
    }
    return spec;
  }

  void forward(const ForwardArgs& args) const override {
    const Tensor &x = args.inputs[0], &y = args.outputs[0];
    for (std::int64_t i = 0; i < times_; ++i) {
      const Tensor repeat = y.slice_rows(i * x.rows(), x.rows());
      args.kernels().copy(args.launch, {x.matrix(), repeat.matrix(), 1, false});
    }
  }

  void backward(const BackwardArgs& args) const override {
    const GradientTarget& dx = args.input_gradients[0];
    args.kernels().row_sum(args.launch,
                           {args.output_gradients[0].matrix(), dx.tensor.matrix(), dx.accumulate});
  }

 private:
  std::int64_t times_;
};

// Blocks (o, i) of `from` at o·inner + i go to i·outer + o of `to`. For every o one copy moves the
// blocks of all i: they are rows of a block's length. Where rows are apart in memory it moves one
// row of each block.
void swap_blocks_into(const kernels::KernelTable& kernels, const kernels::LaunchContext& launch,
                      const Tensor& from, const Tensor& to, std::int64_t outer, std::int64_t inner,
                      bool accumulate) {
  std::int64_t rows = from.rows() / (outer * inner), cols = from.cols();
  std::int64_t from_ld = from.ld(), to_ld = to.ld();
  if (rows == 0 || cols == 0) return;
  if (from.contiguous() && to.contiguous()) {
    cols *= rows;
    rows = 1;
    from_ld = to_ld = cols;
  }
  for (std::int64_t o = 0; o < outer; ++o) {
    for (std::int64_t row = 0; row < rows; ++row) {
      const std::int64_t begin = (o * inner * rows + row) * from_ld;
      const std::int64_t end = (o * rows + row) * to_ld;
      const kernels::ConstMatrix x{from.data() + dtype_bytes(from.dtype(), begin), from.dtype(),
                                   inner, cols, rows * from_ld};
      const kernels::Matrix y{to.data() + dtype_bytes(to.dtype(), end), to.dtype(), inner, cols,
                              outer * rows * to_ld};
      kernels.copy(launch, {x, y, 1, accumulate});
    }
  }
}

class SwapBlocksOp final : public Op {
 public:
  SwapBlocksOp(std::int64_t outer, std::int64_t inner) : outer_(outer), inner_(inner) {}

  std::string_view name() const override { return "swap_blocks"; }

  OpSpec infer(std::span<const TensorSpec> inputs, const OpContext& context) const override {
    const TensorSpec& x = inputs[0];
    op_detail::require_compute(name(), "x", x, context);
    check(outer_ >= 1 && inner_ >= 1, ErrorKind::config, name(), "x ", x.shape, " as ", outer_,
          " times ", inner_, " blocks; both must be at least 1");
    check(x.rows() % outer_ == 0 && x.rows() / outer_ % inner_ == 0, ErrorKind::shape, name(),
          "x is ", x.shape, " with ", x.rows(), " rows, which are not ", outer_, " times ", inner_,
          " equal blocks");
    OpSpec spec;
    spec.outputs.push_back({{x.rows(), x.cols()}, x.dtype});
    return spec;
  }

  void forward(const ForwardArgs& args) const override {
    swap_blocks_into(args.kernels(), args.launch, args.inputs[0], args.outputs[0], outer_, inner_,
                     false);
  }

  void backward(const BackwardArgs& args) const override {
    const GradientTarget& dx = args.input_gradients[0];
    const bool wrong = fault(93);
    swap_blocks_into(args.kernels(), args.launch, args.output_gradients[0], dx.tensor,
                     wrong ? outer_ : inner_, wrong ? inner_ : outer_, dx.accumulate);
  }

 private:
  std::int64_t outer_, inner_;
};

}  // namespace

Value repeat_rows(Executor& ex, Value x, std::int64_t times) {
  Values inputs;
  inputs.push_back(std::move(x));
  return ex.apply_one(RepeatRowsOp(times), std::move(inputs));
}

Value swap_blocks(Executor& ex, Value x, std::int64_t outer, std::int64_t inner) {
  Values inputs;
  inputs.push_back(std::move(x));
  return ex.apply_one(SwapBlocksOp(outer, inner), std::move(inputs));
}

}  // namespace ffn::inline v0
