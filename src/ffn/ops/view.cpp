#include "ffn/ops/view.h"

#include "ffn/base/faults.h"
#include "ffn/ops/checks.h"

namespace ffn::inline v0 {
namespace {

// A view of a state stays a state; of anything else it is an activation, with a gradient of its
// own.
TensorSpec view_spec(const Shape& shape, const TensorSpec& of) {
  return {shape, of.dtype, of.role == Role::state ? Role::state : Role::activation};
}

class ReshapeOp final : public Op {
 public:
  ReshapeOp(const Shape& shape, std::int64_t ld) : shape_(shape), ld_(ld) {}

  std::string_view name() const override { return "reshape"; }

  OpSpec infer(std::span<const TensorSpec> inputs, const OpContext&) const override {
    const TensorSpec& x = inputs[0];
    check(x.shape.count() == shape_.count(), ErrorKind::shape, name(), "x is ", x.shape, " with ",
          x.shape.count(), " elements, the new shape ", shape_, " has ", shape_.count());
    const bool same_cols = x.cols() == shape_.cols();
    check(same_cols || ld_ == x.cols(), ErrorKind::shape, name(), "x is ", x.shape,
          " with a leading dimension of ", ld_, "; it cannot become ", shape_, " without a copy");
    check(shape_.cols() % block_elements(x.dtype) == 0, ErrorKind::shape, name(), "x ", x.shape,
          " of ", to_string(x.dtype), " cannot become ", shape_, ": it cuts a block");
    OpSpec spec;
    spec.outputs.push_back(view_spec(shape_, x));
    spec.views.push_back({0, 0, 0, same_cols ? ld_ : shape_.cols()});
    spec.gradient_may_alias.push_back({0, 0});
    return spec;
  }

  void forward(const ForwardArgs&) const override {}

  void backward(const BackwardArgs& args) const override {
    const Tensor& dy = args.output_gradients[0];
    GradientTarget dx = args.input_gradients[0];
    if (op_detail::in_place(dx, dy)) return;
    dx.tensor = dx.tensor.reshape(dy.shape());
    op_detail::copy_gradient(args, dy, dx);
  }

 private:
  Shape shape_;
  std::int64_t ld_;
};

class SliceRowsOp final : public Op {
 public:
  SliceRowsOp(std::int64_t begin, std::int64_t count, std::int64_t ld)
      : begin_(begin), count_(count), ld_(ld) {}

  std::string_view name() const override { return "slice_rows"; }

  OpSpec infer(std::span<const TensorSpec> inputs, const OpContext&) const override {
    const TensorSpec& x = inputs[0];
    check(begin_ >= 0 && count_ >= 0 && begin_ <= x.rows() - count_, ErrorKind::shape, name(),
          "rows [", begin_, ", ", begin_, " + ", count_, ") are not in x ", x.shape, " with ",
          x.rows(), " rows");
    OpSpec spec;
    spec.outputs.push_back(view_spec({count_, x.cols()}, x));
    spec.views.push_back({0, 0, dtype_bytes(x.dtype, begin_ * ld_), ld_});
    return spec;
  }

  void forward(const ForwardArgs&) const override {}

  void backward(const BackwardArgs& args) const override {
    const GradientTarget& dx = args.input_gradients[0];
    const std::int64_t end = begin_ + count_;
    op_detail::zero_unless_added(args, dx, dx.tensor.slice_rows(0, begin_));
    op_detail::zero_unless_added(args, dx, dx.tensor.slice_rows(end, dx.tensor.rows() - end));
    op_detail::copy_gradient(args, args.output_gradients[0],
                             {dx.tensor.slice_rows(begin_, count_), dx.accumulate});
  }

 private:
  std::int64_t begin_, count_, ld_;
};

class SliceColsOp final : public Op {
 public:
  SliceColsOp(std::int64_t begin, std::int64_t count, std::int64_t ld)
      : begin_(begin), count_(count), ld_(ld) {}

  std::string_view name() const override { return "slice_cols"; }

  OpSpec infer(std::span<const TensorSpec> inputs, const OpContext&) const override {
    const TensorSpec& x = inputs[0];
    check(begin_ >= 0 && count_ >= 0 && begin_ <= x.cols() - count_, ErrorKind::shape, name(),
          "columns [", begin_, ", ", begin_, " + ", count_, ") are not in x ", x.shape);
    const std::int64_t block = block_elements(x.dtype);
    check(begin_ % block == 0 && count_ % block == 0, ErrorKind::shape, name(), "columns [", begin_,
          ", ", begin_ + count_, ") of x ", x.shape, " cut a block of ", to_string(x.dtype));
    OpSpec spec;
    spec.outputs.push_back(view_spec(op_detail::with_cols(x.shape, count_), x));
    spec.views.push_back({0, 0, dtype_bytes(x.dtype, begin_), ld_});
    return spec;
  }

  void forward(const ForwardArgs&) const override {}

  void backward(const BackwardArgs& args) const override {
    const GradientTarget& dx = args.input_gradients[0];
    const std::int64_t end = begin_ + count_;
    if (!fault(402)) op_detail::zero_unless_added(args, dx, dx.tensor.slice_cols(0, begin_));
    op_detail::zero_unless_added(args, dx, dx.tensor.slice_cols(end, dx.tensor.cols() - end));
    op_detail::copy_gradient(args, args.output_gradients[0],
                             {dx.tensor.slice_cols(begin_, count_), dx.accumulate});
  }

 private:
  std::int64_t begin_, count_, ld_;
};

using Widths = SmallVector<std::int64_t, kMaxOutputs>;

class SplitColsOp final : public Op {
 public:
  SplitColsOp(const Widths& widths, std::int64_t ld) : widths_(widths), ld_(ld) {}

  std::string_view name() const override { return "split_cols"; }

  OpSpec infer(std::span<const TensorSpec> inputs, const OpContext&) const override {
    const TensorSpec& x = inputs[0];
    OpSpec spec;
    std::int64_t begin = 0;
    for (const std::int64_t width : widths_) {
      check(width >= 0 && begin <= x.cols() - width, ErrorKind::shape, name(), "columns [", begin,
            ", ", begin, " + ", width, ") are not in x ", x.shape);
      check(width % block_elements(x.dtype) == 0, ErrorKind::shape, name(), "a part of ", width,
            " columns of x ", x.shape, " cuts a block of ", to_string(x.dtype));
      const auto output = static_cast<std::uint8_t>(spec.outputs.size());
      spec.outputs.push_back(view_spec(op_detail::with_cols(x.shape, width), x));
      spec.views.push_back({output, 0, dtype_bytes(x.dtype, begin), ld_});
      begin += width;
    }
    check(begin == x.cols(), ErrorKind::shape, name(), "the parts have ", begin, " columns, x is ",
          x.shape);
    return spec;
  }

  void forward(const ForwardArgs&) const override {}

  void backward(const BackwardArgs& args) const override {
    const GradientTarget& dx = args.input_gradients[0];
    std::int64_t begin = 0;
    for (std::size_t i = 0; i < widths_.size(); ++i) {
      const Tensor part = dx.tensor.slice_cols(begin, widths_[i]);
      const Tensor& dy = args.output_gradients[i];
      if (dy.defined()) {
        op_detail::copy_gradient(args, dy, {part, dx.accumulate});
      } else {
        op_detail::zero_unless_added(args, dx, part);
      }
      begin += widths_[i];
    }
  }

 private:
  Widths widths_;
  std::int64_t ld_;
};

class ConcatColsOp final : public Op {
 public:
  std::string_view name() const override { return "concat_cols"; }

  OpSpec infer(std::span<const TensorSpec> inputs, const OpContext& context) const override {
    const TensorSpec& first = inputs[0];
    op_detail::require_compute(name(), "the first part", first, context);
    std::int64_t cols = 0;
    for (const TensorSpec& part : inputs) {
      check(part.rows() == first.rows(), ErrorKind::shape, name(), "a part is ", part.shape,
            ", the first is ", first.shape, "; rows must be equal");
      op_detail::require_same_dtype(name(), "a part", part, "the first", first);
      cols += part.cols();
    }
    OpSpec spec;
    spec.outputs.push_back({op_detail::with_cols(first.shape, cols), first.dtype});
    return spec;
  }

  void forward(const ForwardArgs& args) const override {
    std::int64_t begin = 0;
    for (const Tensor& part : args.inputs) {
      const Tensor to = args.outputs[0].slice_cols(begin, part.cols());
      args.kernels().copy(args.launch, {part.matrix(), to.matrix(), 1, false});
      begin += part.cols();
    }
  }

  void backward(const BackwardArgs& args) const override {
    std::int64_t begin = 0;
    for (std::size_t i = 0; i < args.input_gradients.size(); ++i) {
      const GradientTarget& target = args.input_gradients[i];
      const std::int64_t width = widths_[i];
      if (target.wanted()) {
        op_detail::copy_gradient(args, args.output_gradients[0].slice_cols(begin, width), target);
      }
      begin += width;
    }
  }

  explicit ConcatColsOp(std::span<const Value> parts) {
    for (const Value& part : parts) widths_.push_back(part.cols());
  }

 private:
  SmallVector<std::int64_t, kMaxInputs> widths_;
};

Values one_input(Value x) {
  Values inputs;
  inputs.push_back(std::move(x));
  return inputs;
}

}  // namespace

Value reshape(Executor& ex, Value x, const Shape& shape) {
  if (x.shape() == shape) return x;
  const std::int64_t ld = x.tensor.ld();
  return ex.apply_one(ReshapeOp(shape, ld), one_input(std::move(x)));
}

Value slice_rows(Executor& ex, Value x, std::int64_t begin, std::int64_t count) {
  const std::int64_t ld = x.tensor.ld();
  return ex.apply_one(SliceRowsOp(begin, count, ld), one_input(std::move(x)));
}

Value slice_cols(Executor& ex, Value x, std::int64_t begin, std::int64_t count) {
  const std::int64_t ld = x.tensor.ld();
  return ex.apply_one(SliceColsOp(begin, count, ld), one_input(std::move(x)));
}

Values split_cols(Executor& ex, Value x, std::span<const std::int64_t> widths) {
  check(widths.size() >= 2 && widths.size() <= kMaxOutputs, ErrorKind::config, "split_cols", "x ",
        x.shape(), " into ", widths.size(), " parts; there must be 2 to ", kMaxOutputs);
  Widths kept;
  for (const std::int64_t width : widths) kept.push_back(width);
  const std::int64_t ld = x.tensor.ld();
  return ex.apply(SplitColsOp(kept, ld), one_input(std::move(x)));
}

Value concat_cols(Executor& ex, std::span<const Value> parts) {
  check(parts.size() >= 2 && parts.size() <= kMaxInputs, ErrorKind::config, "concat_cols",
        parts.size(), " parts; there must be 2 to ", kMaxInputs);
  Values inputs;
  for (const Value& part : parts) inputs.push_back(part);
  return ex.apply_one(ConcatColsOp(parts), std::move(inputs));
}

}  // namespace ffn::inline v0
