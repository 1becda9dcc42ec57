#include "ffn/ops/linear.h"

#include "ffn/base/faults.h"
#include "ffn/ops/checks.h"

namespace ffn::inline v0 {
namespace {

using kernels::ProductShape;
using op_detail::gradient_dtype_of;

// Inputs: x, weight, then bias and the packed weight where present.
class LinearOp final : public Op {
 public:
  LinearOp(bool has_bias, bool has_packed) : has_bias_(has_bias), has_packed_(has_packed) {}

  std::string_view name() const override { return "linear"; }

  OpSpec infer(std::span<const TensorSpec> inputs, const OpContext& context) const override {
    const TensorSpec &x = inputs[0], &weight = inputs[1];
    check_inputs(inputs, context);
    const std::int64_t N = x.rows(), D = x.cols(), H = weight.rows();
    const auto workspace = [&](const ProductShape& shape) {
      return context.kernels->product_workspace(shape, context.threads);
    };

    OpSpec spec;
    spec.outputs.push_back({op_detail::with_cols(x.shape, H), x.dtype});
    spec.forward_scratch_bytes =
        in_integers(x, weight, context)
            ? context.kernels->block_product_workspace({N, H, D}, context.threads)
            : workspace({ProductForm::nt, N, H, D, x.dtype, weight.dtype, x.dtype});
    spec.forward_flops = 2 * N * D * H;
    if (context.wants(1)) {
      spec.saved.push_back(Saved::input(0));
      const DType dw = gradient_dtype_of(weight);
      spec.backward_scratch_bytes = workspace({ProductForm::tn, H, D, N, x.dtype, x.dtype, dw});
      spec.backward_flops += spec.forward_flops;
    }
    if (context.wants(0)) {
      spec.saved.push_back(Saved::input(1));
      spec.backward_scratch_bytes =
          std::max(spec.backward_scratch_bytes,
                   workspace({ProductForm::nn, N, D, H, x.dtype, weight.dtype, x.dtype}));
      spec.backward_flops += spec.forward_flops;
    }
    if (has_bias_ && context.wants(2)) {
      spec.backward_scratch_bytes =
          std::max(spec.backward_scratch_bytes, context.kernels->row_sum_workspace(N, H, 1));
    }
    return spec;
  }

  void forward(const ForwardArgs& args) const override {
    const Tensor bias = has_bias_ ? args.inputs[2] : Tensor();
    if (in_integers(args.inputs[0].spec(), args.inputs[1].spec(), args.context)) {
      args.kernels().block_product(args.launch, {args.inputs[0].matrix(), args.inputs[1].matrix(),
                                                 args.outputs[0].matrix(), bias.matrix()});
      return;
    }
    const Tensor packed = has_packed_ ? args.inputs[has_bias_ ? 3 : 2] : Tensor();
    args.kernels().product(args.launch,
                           {ProductForm::nt, args.inputs[0].matrix(), args.inputs[1].matrix(),
                            args.outputs[0].matrix(), bias.matrix(), false, packed.data()});
  }

  void backward(const BackwardArgs& args) const override {
    const kernels::ConstMatrix dy = args.output_gradients[0].matrix();
    const GradientTarget &dx = args.input_gradients[0], &dweight = args.input_gradients[1];
    std::size_t next = 0;
    if (dweight.wanted()) {
      const Tensor& x = args.saved[next++];
      args.kernels().product(args.launch, {ProductForm::tn,
                                           dy,
                                           x.matrix(),
                                           dweight.tensor.matrix(),
                                           {},
                                           dweight.accumulate,
                                           nullptr});
    }
    if (dx.wanted()) {
      const Tensor& weight = args.saved[next++];
      args.kernels().product(
          args.launch,
          {ProductForm::nn, dy, weight.matrix(), dx.tensor.matrix(), {}, dx.accumulate, nullptr});
    }
    if (has_bias_ && args.input_gradients[2].wanted()) {
      const GradientTarget& dbias = args.input_gradients[2];
      const bool accumulate = dbias.accumulate && !fault(400);
      args.kernels().row_sum(args.launch, {dy, dbias.tensor.matrix(), accumulate});
    }
  }

 private:
  // Gradients are those of the product with x as it is, so what is recorded runs as that.
  bool in_integers(const TensorSpec& x, const TensorSpec& weight, const OpContext& context) const {
    const bool narrow = x.dtype == DType::f32 || x.dtype == DType::bf16;
    const bool recorded = context.recording && !fault(404);
    return is_block(weight.dtype) && narrow && !has_packed_ && !recorded &&
           takes_int8(context.activations, x.rows());
  }
  void check_inputs(std::span<const TensorSpec> inputs, const OpContext& context) const {
    const TensorSpec &x = inputs[0], &weight = inputs[1];
    op_detail::require_compute(name(), "x", x, context);
    check(weight.shape.rank() == 2 && weight.cols() == x.cols(), ErrorKind::shape, name(), "x is ",
          x.shape, ", weight is ", weight.shape, "; for y = x·Wᵀ weight must be [H, ", x.cols(),
          "]");
    op_detail::require_weight(name(), weight, x, context.wants(1));
    const std::int64_t H = weight.rows();
    if (has_bias_) {
      const TensorSpec& bias = inputs[2];
      check(bias.rows() == 1 && bias.cols() == H, ErrorKind::shape, name(), "bias is ", bias.shape,
            ", weight is ", weight.shape, "; bias must be [", H, "]");
      const bool narrow_x = x.dtype == DType::f32 || x.dtype == DType::bf16;
      const bool narrow = bias.dtype == DType::f32 || bias.dtype == DType::bf16;
      check(narrow_x ? narrow : bias.dtype == x.dtype, ErrorKind::dtype, name(), "bias ",
            bias.shape, " is ", to_string(bias.dtype), ", which does not go with x ", x.shape,
            " of ", to_string(x.dtype));
    }
    if (has_packed_) {
      const TensorSpec& packed = inputs[has_bias_ ? 3 : 2];
      const std::int64_t bytes = context.kernels->packed_b_bytes(
          ProductForm::nt, {nullptr, weight.dtype, H, weight.cols(), weight.cols()}, x.dtype);
      check(packed.dtype == DType::u8 && packed.bytes() == bytes, ErrorKind::shape, name(),
            "packed is ", packed.shape, " of ", to_string(packed.dtype),
            ", this device packs weight ", weight.shape, " into ", bytes, " bytes of u8");
    }
  }

  bool has_bias_, has_packed_;
};

// m, n, k of c = a·b in a form.
struct ProductSizes {
  std::int64_t m, n, k, other_k;  // k as a has it, and as b has it
};
ProductSizes product_sizes(ProductForm form, const TensorSpec& a, const TensorSpec& b) {
  switch (form) {
    case ProductForm::nt: return {a.rows(), b.rows(), a.cols(), b.cols()};
    case ProductForm::nn: return {a.rows(), b.cols(), a.cols(), b.rows()};
    case ProductForm::tn: break;
  }
  return {a.cols(), b.cols(), a.rows(), b.rows()};
}

std::string_view to_string(ProductForm form) {
  switch (form) {
    case ProductForm::nt: return "a·bᵀ";
    case ProductForm::nn: return "a·b";
    case ProductForm::tn: break;
  }
  return "aᵀ·b";
}

class MatmulOp final : public Op {
 public:
  explicit MatmulOp(ProductForm form) : form_(form) {}

  std::string_view name() const override { return "matmul"; }

  OpSpec infer(std::span<const TensorSpec> inputs, const OpContext& context) const override {
    const TensorSpec &a = inputs[0], &b = inputs[1];
    op_detail::require_compute(name(), "a", a, context);
    op_detail::require_same_dtype(name(), "a", a, "b", b);
    const auto [m, n, k, other_k] = product_sizes(form_, a, b);
    check(k == other_k, ErrorKind::shape, name(), "a is ", a.shape, ", b is ", b.shape, "; ",
          to_string(form_), " sums over ", k, " and ", other_k);
    const auto workspace = [&](ProductForm form, std::int64_t rows, std::int64_t cols,
                               std::int64_t sum) {
      return context.kernels->product_workspace({form, rows, cols, sum, a.dtype, a.dtype, a.dtype},
                                                context.threads);
    };

    OpSpec spec;
    spec.outputs.push_back({{m, n}, a.dtype});
    spec.forward_scratch_bytes = workspace(form_, m, n, k);
    spec.forward_flops = 2 * m * n * k;
    if (context.wants(1)) spec.saved.push_back(Saved::input(0));
    if (context.wants(0)) spec.saved.push_back(Saved::input(1));
    spec.backward_flops =
        spec.forward_flops * static_cast<std::int64_t>(context.wants(0) + context.wants(1));
    spec.backward_scratch_bytes = backward_workspace(context, workspace, m, n, k);
    return spec;
  }

  void forward(const ForwardArgs& args) const override {
    args.kernels().product(args.launch, {form_,
                                         args.inputs[0].matrix(),
                                         args.inputs[1].matrix(),
                                         args.outputs[0].matrix(),
                                         {},
                                         false,
                                         nullptr});
  }

  void backward(const BackwardArgs& args) const override {
    const kernels::ConstMatrix dc = args.output_gradients[0].matrix();
    const GradientTarget &da = args.input_gradients[0], &db = args.input_gradients[1];
    std::size_t next = 0;
    const Tensor a = db.wanted() ? args.saved[next++] : Tensor();
    const Tensor b = da.wanted() ? args.saved[next++] : Tensor();
    const auto product = [&](ProductForm form, const kernels::ConstMatrix& left,
                             const kernels::ConstMatrix& right, const GradientTarget& to) {
      args.kernels().product(args.launch,
                             {form, left, right, to.tensor.matrix(), {}, to.accumulate, nullptr});
    };
    if (da.wanted()) {
      if (form_ == ProductForm::nt) product(ProductForm::nn, dc, b.matrix(), da);
      if (form_ == ProductForm::nn) product(ProductForm::nt, dc, b.matrix(), da);
      if (form_ == ProductForm::tn) product(ProductForm::nt, b.matrix(), dc, da);
    }
    if (db.wanted()) {
      if (form_ == ProductForm::nt) product(ProductForm::tn, dc, a.matrix(), db);
      if (form_ == ProductForm::nn) product(ProductForm::tn, a.matrix(), dc, db);
      if (form_ == ProductForm::tn) product(ProductForm::nn, a.matrix(), dc, db);
    }
  }

 private:
  template <class Workspace>
  std::int64_t backward_workspace(const OpContext& context, const Workspace& workspace,
                                  std::int64_t m, std::int64_t n, std::int64_t k) const {
    std::int64_t bytes = 0;
    if (context.wants(0)) {
      bytes = form_ == ProductForm::nt   ? workspace(ProductForm::nn, m, k, n)
              : form_ == ProductForm::nn ? workspace(ProductForm::nt, m, k, n)
                                         : workspace(ProductForm::nt, k, m, n);
    }
    if (context.wants(1)) {
      bytes = std::max(bytes, form_ == ProductForm::nt   ? workspace(ProductForm::tn, n, k, m)
                              : form_ == ProductForm::nn ? workspace(ProductForm::tn, k, n, m)
                                                         : workspace(ProductForm::nn, k, n, m));
    }
    return bytes;
  }

  ProductForm form_;
};

}  // namespace

Value linear(Executor& ex, Value x, const Value& weight, const Value& bias, const Tensor& packed) {
  Values inputs;
  inputs.push_back(std::move(x));
  inputs.push_back(weight);
  if (bias.defined()) inputs.push_back(bias);
  if (packed.defined()) inputs.push_back(ex.constant(packed));
  return ex.apply_one(LinearOp(bias.defined(), packed.defined()), std::move(inputs));
}

Value matmul(Executor& ex, Value a, Value b, ProductForm form) {
  Values inputs;
  inputs.push_back(std::move(a));
  inputs.push_back(std::move(b));
  return ex.apply_one(MatmulOp(form), std::move(inputs));
}

}  // namespace ffn::inline v0
