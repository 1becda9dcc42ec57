#include "ffn/ops/indexing.h"

#include "ffn/ops/checks.h"
#include "ffn/ops/view.h"

namespace ffn::inline v0 {
namespace {

// The axes of `index` with D behind them.
Shape with_last_axis(const Shape& index, std::int64_t D) {
  switch (index.rank()) {
    case 0:
    case 1: return {index.count(), D};
    case 2: return {index[0], index[1], D};
    default: return {index[0], index[1], index[2], D};
  }
}

const std::int32_t* indices(const Tensor& index) { return index.data_as<const std::int32_t>(); }

// Inputs: x, index.
class GatherRowsOp final : public Op {
 public:
  std::string_view name() const override { return "gather_rows"; }

  OpSpec infer(std::span<const TensorSpec> inputs, const OpContext& context) const override {
    const TensorSpec &x = inputs[0], &index = inputs[1];
    op_detail::require_compute(name(), "x", x, context);
    op_detail::require_index(name(), "index", index, index.shape.count(), x.shape);
    check(x.shape.rank() == 2 && index.shape.rank() <= 3, ErrorKind::shape, name(), "x is ",
          x.shape, ", index is ", index.shape,
          "; x must have 2 axes and index at most 3, so that the result has at most 4");
    OpSpec spec;
    spec.outputs.push_back({with_last_axis(index.shape, x.cols()), x.dtype});
    if (context.wants(0)) {
      spec.saved.push_back(Saved::input(1));
      spec.backward_scratch_bytes = context.kernels->scatter_add_rows_workspace(
          x.rows(), x.cols(), op_detail::gradient_dtype_of(x));
    }
    return spec;
  }

  void forward(const ForwardArgs& args) const override {
    args.kernels().gather_rows(args.launch, {args.inputs[0].matrix(), indices(args.inputs[1]),
                                             args.outputs[0].matrix(), false});
  }

  void backward(const BackwardArgs& args) const override {
    const GradientTarget& dx = args.input_gradients[0];
    args.kernels().scatter_add_rows(
        args.launch, {args.output_gradients[0].matrix(), indices(args.saved[0]), dx.tensor.matrix(),
                      dx.accumulate});
  }
};

// Inputs: x, index.
class ScatterAddRowsOp final : public Op {
 public:
  explicit ScatterAddRowsOp(std::int64_t rows) : rows_(rows) {}

  std::string_view name() const override { return "scatter_add_rows"; }

  OpSpec infer(std::span<const TensorSpec> inputs, const OpContext& context) const override {
    const TensorSpec &x = inputs[0], &index = inputs[1];
    op_detail::require_compute(name(), "x", x, context);
    op_detail::require_index(name(), "index", index, x.rows(), x.shape);
    check(rows_ >= 0, ErrorKind::shape, name(), "x ", x.shape, " into ", rows_, " rows");
    OpSpec spec;
    spec.outputs.push_back({{rows_, x.cols()}, x.dtype});
    spec.forward_scratch_bytes =
        context.kernels->scatter_add_rows_workspace(rows_, x.cols(), x.dtype);
    if (context.wants(0)) spec.saved.push_back(Saved::input(1));
    return spec;
  }

  void forward(const ForwardArgs& args) const override {
    args.kernels().scatter_add_rows(args.launch, {args.inputs[0].matrix(), indices(args.inputs[1]),
                                                  args.outputs[0].matrix(), false});
  }

  void backward(const BackwardArgs& args) const override {
    const GradientTarget& dx = args.input_gradients[0];
    args.kernels().gather_rows(
        args.launch, {args.output_gradients[0].matrix(), indices(args.saved[0]), dx.tensor.matrix(),
                      dx.accumulate});
  }

 private:
  std::int64_t rows_;
};

// Inputs: x, w [rows, 1].
class ScaleRowsOp final : public Op {
 public:
  std::string_view name() const override { return "scale_rows"; }

  OpSpec infer(std::span<const TensorSpec> inputs, const OpContext& context) const override {
    const TensorSpec &x = inputs[0], &w = inputs[1];
    op_detail::require_compute(name(), "x", x, context);
    check(w.rows() == x.rows() && w.cols() == 1, ErrorKind::shape, name(), "x is ", x.shape,
          ", w is ", w.shape, "; w must have one entry for each of ", x.rows(), " rows");
    check(w.dtype == x.dtype || w.dtype == gradient_dtype(x.dtype), ErrorKind::dtype, name(), "w ",
          w.shape, " is ", to_string(w.dtype), ", for x ", x.shape, " of ", to_string(x.dtype),
          " it must be that or ", to_string(gradient_dtype(x.dtype)));
    OpSpec spec;
    spec.outputs.push_back({x.shape, x.dtype});
    if (context.wants(1)) spec.saved.push_back(Saved::input(0));
    if (context.wants(0)) spec.saved.push_back(Saved::input(1));
    spec.may_alias.push_back({0, 0});
    return spec;
  }

  void forward(const ForwardArgs& args) const override {
    args.kernels().scale_rows_forward(
        args.launch, {args.inputs[0].matrix(), args.inputs[1].matrix(), args.outputs[0].matrix()});
  }

  void backward(const BackwardArgs& args) const override {
    const GradientTarget &dx = args.input_gradients[0], &dw = args.input_gradients[1];
    const Tensor& dy = args.output_gradients[0];
    std::size_t next = 0;
    // An operand that was not saved is not needed either, but has a shape: part of dy stands for
    // it.
    const Tensor x = dw.wanted() ? args.saved[next++] : dy;
    const Tensor w = dx.wanted() ? args.saved[next++] : dy.slice_cols(0, 1);
    args.kernels().scale_rows_backward(
        args.launch, {x.matrix(), w.matrix(), dy.matrix(), dx.matrix(), dw.matrix()});
  }
};

}  // namespace

Value gather_rows(Executor& ex, Value x, const Tensor& index) {
  op_detail::require_index_range(ex, "gather_rows", "index", index, -1, x.rows());
  Values inputs;
  inputs.push_back(std::move(x));
  inputs.push_back(ex.constant(index));
  return ex.apply_one(GatherRowsOp(), std::move(inputs));
}

Value scatter_add_rows(Executor& ex, Value x, const Tensor& index, std::int64_t rows) {
  op_detail::require_index_range(ex, "scatter_add_rows", "index", index, -1, rows);
  Values inputs;
  inputs.push_back(std::move(x));
  inputs.push_back(ex.constant(index));
  return ex.apply_one(ScatterAddRowsOp(rows), std::move(inputs));
}

Value scale_rows(Executor& ex, Value x, const Value& w) {
  const std::int64_t rows = x.rows();
  const bool flat = w.rows() == 1 && w.cols() == rows && rows != 1;
  Values inputs;
  inputs.push_back(std::move(x));
  inputs.push_back(flat ? reshape(ex, w, {rows, 1}) : w);
  return ex.apply_one(ScaleRowsOp(), std::move(inputs));
}

}  // namespace ffn::inline v0
