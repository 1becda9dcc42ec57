#include "ffn/ops/arithmetic.h"

#include "ffn/base/faults.h"
#include "ffn/ops/checks.h"

namespace ffn::inline v0 {
namespace {

class MultiplyOp final : public Op {
 public:
  std::string_view name() const override { return "multiply"; }

  OpSpec infer(std::span<const TensorSpec> inputs, const OpContext& context) const override {
    const TensorSpec &a = inputs[0], &b = inputs[1];
    op_detail::require_compute(name(), "a", a, context);
    op_detail::require_same_shape(name(), "a", a, "b", b);
    op_detail::require_same_dtype(name(), "a", a, "b", b);
    OpSpec spec;
    spec.outputs.push_back({a.shape, a.dtype});
    if (context.wants(1)) spec.saved.push_back(Saved::input(0));
    if (context.wants(0)) spec.saved.push_back(Saved::input(1));
    spec.may_alias.push_back({0, 0});
    spec.may_alias.push_back({0, 1});
    // The kernel reads dy before it writes da; alone, db takes the place of da.
    spec.gradient_may_alias.push_back(context.wants(0) ? Alias{0, 0} : Alias{1, 0});
    return spec;
  }

  void forward(const ForwardArgs& args) const override {
    args.kernels().multiply_forward(
        args.launch, {args.inputs[0].matrix(), args.inputs[1].matrix(), args.outputs[0].matrix()});
  }

  void backward(const BackwardArgs& args) const override {
    const GradientTarget &da = args.input_gradients[0], &db = args.input_gradients[1];
    const kernels::ConstMatrix dy = args.output_gradients[0].matrix();
    // An operand that was not saved is not read either, but has a shape: dy stands for it.
    if (da.wanted() && db.wanted()) {
      args.kernels().multiply_backward(args.launch, {args.saved[0].matrix(), args.saved[1].matrix(),
                                                     dy, da.matrix(), db.matrix()});
    } else {
      const GradientTarget& only = da.wanted() ? da : db;
      args.kernels().multiply_backward(args.launch,
                                       {dy, args.saved[0].matrix(), dy, only.matrix(), {}});
    }
  }
};

class AddOp final : public Op {
 public:
  std::string_view name() const override { return "add"; }

  OpSpec infer(std::span<const TensorSpec> inputs, const OpContext& context) const override {
    const TensorSpec &a = inputs[0], &b = inputs[1];
    op_detail::require_compute(name(), "a", a, context);
    const bool repeats = b.rows() == 0 ? a.rows() == 0 : a.rows() % b.rows() == 0;
    check(a.cols() == b.cols() && repeats, ErrorKind::shape, name(), "a is ", a.shape, ", b is ",
          b.shape, "; b must have a's columns and rows that a's are a multiple of");
    op_detail::require_same_dtype(name(), "a", a, "b", b);
    OpSpec spec;
    spec.outputs.push_back({a.shape, a.dtype});
    spec.may_alias.push_back({0, 0});
    spec.gradient_may_alias.push_back({0, 0});
    if (a.rows() != b.rows()) {
      if (context.wants(1)) {
        spec.backward_scratch_bytes =
            context.kernels->row_sum_workspace(a.rows(), a.cols(), b.rows());
      }
    } else if (!context.wants(0)) {
      spec.gradient_may_alias.push_back({1, 0});
    }
    return spec;
  }

  void forward(const ForwardArgs& args) const override {
    args.kernels().add_forward(
        args.launch, {args.inputs[0].matrix(), args.inputs[1].matrix(), args.outputs[0].matrix()});
  }

  void backward(const BackwardArgs& args) const override {
    const Tensor& dy = args.output_gradients[0];
    const GradientTarget &da = args.input_gradients[0], &db = args.input_gradients[1];
    if (da.wanted() && !op_detail::in_place(da, dy)) op_detail::copy_gradient(args, dy, da);
    if (!db.wanted() || op_detail::in_place(db, dy)) return;
    if (db.tensor.rows() == dy.rows()) {
      op_detail::copy_gradient(args, dy, db);
    } else if (fault(401)) {
      op_detail::copy_gradient(args, dy.slice_rows(0, db.tensor.rows()), db);
    } else {
      args.kernels().row_sum(args.launch, {dy.matrix(), db.tensor.matrix(), db.accumulate});
    }
  }
};

class ScaleOp final : public Op {
 public:
  explicit ScaleOp(float alpha) : alpha_(alpha) {}

  std::string_view name() const override { return "scale"; }

  OpSpec infer(std::span<const TensorSpec> inputs, const OpContext& context) const override {
    op_detail::require_compute(name(), "x", inputs[0], context);
    OpSpec spec;
    spec.outputs.push_back({inputs[0].shape, inputs[0].dtype});
    spec.may_alias.push_back({0, 0});
    spec.gradient_may_alias.push_back({0, 0});
    return spec;
  }

  void forward(const ForwardArgs& args) const override {
    args.kernels().copy(args.launch,
                        {args.inputs[0].matrix(), args.outputs[0].matrix(), alpha_, false});
  }

  void backward(const BackwardArgs& args) const override {
    op_detail::copy_gradient(args, args.output_gradients[0], args.input_gradients[0], alpha_);
  }

 private:
  float alpha_;
};

class CastOp final : public Op {
 public:
  explicit CastOp(DType dtype) : dtype_(dtype) {}

  std::string_view name() const override { return "cast"; }

  OpSpec infer(std::span<const TensorSpec> inputs, const OpContext& context) const override {
    const TensorSpec& x = inputs[0];
    check(is_float(x.dtype) && is_float(dtype_), ErrorKind::dtype, name(), "x ", x.shape, " is ",
          to_string(x.dtype), ", asked for ", to_string(dtype_), "; both must be float types");
    const bool storage = x.dtype == DType::f16 || dtype_ == DType::f16;
    if (x.dtype != DType::f16) op_detail::require_compute(name(), "x", x, context);
    if (dtype_ != DType::f16) op_detail::require_compute(name(), "y", {x.shape, dtype_}, context);
    check(!(storage && context.wants(0)), ErrorKind::config, name(), "x ", x.shape, " from ",
          to_string(x.dtype), " to ", to_string(dtype_), ": f16 is storage without gradients");
    OpSpec spec;
    spec.outputs.push_back({x.shape, dtype_});
    return spec;
  }

  void forward(const ForwardArgs& args) const override {
    args.kernels().copy(args.launch, {args.inputs[0].matrix(), args.outputs[0].matrix(), 1, false});
  }

  void backward(const BackwardArgs& args) const override {
    op_detail::copy_gradient(args, args.output_gradients[0], args.input_gradients[0]);
  }

 private:
  DType dtype_;
};

}  // namespace

Value multiply(Executor& ex, Value a, Value b) {
  Values inputs;
  inputs.push_back(std::move(a));
  inputs.push_back(std::move(b));
  return ex.apply_one(MultiplyOp(), std::move(inputs));
}

Value add(Executor& ex, Value a, Value b) {
  Values inputs;
  inputs.push_back(std::move(a));
  inputs.push_back(std::move(b));
  return ex.apply_one(AddOp(), std::move(inputs));
}

Value scale(Executor& ex, Value x, float alpha) {
  Values inputs;
  inputs.push_back(std::move(x));
  return ex.apply_one(ScaleOp(alpha), std::move(inputs));
}

Value cast(Executor& ex, Value x, DType dtype) {
  if (x.dtype() == dtype) return x;
  Values inputs;
  inputs.push_back(std::move(x));
  return ex.apply_one(CastOp(dtype), std::move(inputs));
}

}  // namespace ffn::inline v0
