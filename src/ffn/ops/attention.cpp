#include "ffn/ops/attention.h"

#include <cmath>

#include "ffn/ops/checks.h"

namespace ffn::inline v0 {
namespace {

// Inputs: q, k, v, and offsets when ragged.
class AttentionOp final : public Op {
 public:
  // sequences < 0: ragged.
  AttentionOp(const AttentionOptions& options, std::int64_t sequences)
      : options_(options), sequences_(sequences) {
    if (options_.kv_heads == 0) options_.kv_heads = options_.heads;
  }

  std::string_view name() const override { return "attention"; }

  OpSpec infer(std::span<const TensorSpec> inputs, const OpContext& context) const override {
    check_options();
    check_inputs(inputs, context);
    const TensorSpec& q = inputs[0];
    kernels::AttentionShape shape = kernel_shape(inputs);
    shape.lse = context.wants_gradient != 0;
    OpSpec spec;
    spec.outputs.push_back({q.shape, q.dtype});
    spec.may_alias.push_back({0, 0});
    spec.forward_scratch_bytes = context.kernels->attention_workspace(shape, context.threads);
    spec.forward_flops = 4 * q.rows() * options_.heads * shape.keys * shape.width;
    if (context.wants_gradient == 0) return spec;
    spec.extra.push_back({{q.rows(), options_.heads}, gradient_dtype(q.dtype)});
    spec.saved.push_back(Saved::input(0));
    spec.saved.push_back(Saved::input(1));
    spec.saved.push_back(Saved::extra(0));
    if (ragged()) spec.saved.push_back(Saved::input(3));
    if (context.wants(0) || context.wants(1)) spec.saved.push_back(Saved::input(2));
    spec.gradient_may_alias.push_back({0, 0});
    spec.backward_scratch_bytes =
        context.kernels->attention_backward_workspace(shape, context.threads);
    spec.backward_flops = spec.forward_flops / 2 * 5;
    return spec;
  }

  void forward(const ForwardArgs& args) const override {
    const Tensor &q = args.inputs[0], &k = args.inputs[1];
    kernels::AttentionForwardArgs call;
    call.q = q.matrix();
    call.k = k.matrix();
    call.v = args.inputs[2].matrix();
    call.y = args.outputs[0].matrix();
    if (!args.extra.empty()) call.lse = args.extra[0].matrix();
    if (ragged()) {
      call.offsets = args.inputs[3].data_as<const std::int32_t>();
      call.sequences = args.inputs[3].shape().count() - 1;
    } else {
      call.sequences = sequences_;
    }
    call.rule = rule(q, k);
    args.kernels().attention_forward(args.launch, call);
  }

  void backward(const BackwardArgs& args) const override {
    const Tensor &q = args.saved[0], &k = args.saved[1];
    kernels::AttentionBackwardArgs call;
    call.q = q.matrix();
    call.k = k.matrix();
    call.lse = args.saved[2].matrix();
    std::size_t next = 3;
    if (ragged()) {
      const Tensor& offsets = args.saved[next++];
      call.offsets = offsets.data_as<const std::int32_t>();
      call.sequences = offsets.shape().count() - 1;
    } else {
      call.sequences = sequences_;
    }
    if (next < args.saved.size()) call.v = args.saved[next].matrix();
    call.dy = args.output_gradients[0].matrix();
    call.dq = args.input_gradients[0].matrix();
    call.dk = args.input_gradients[1].matrix();
    call.dv = args.input_gradients[2].matrix();
    call.rule = rule(q, k);
    args.kernels().attention_backward(args.launch, call);
  }

 private:
  bool ragged() const { return sequences_ < 0; }

  void check_options() const {
    const AttentionOptions& o = options_;
    check(o.heads >= 1, ErrorKind::config, name(), o.heads, " heads; there must be at least 1");
    check(o.kv_heads >= 1 && o.heads % o.kv_heads == 0, ErrorKind::config, name(), o.heads,
          " heads over ", o.kv_heads, " key heads; the key heads must divide the heads");
    check(std::isfinite(o.scale) && std::isfinite(o.logit_cap) && o.logit_cap >= 0,
          ErrorKind::config, name(), "scale ", o.scale, " and logit_cap ", o.logit_cap,
          "; both must be finite, the cap not negative");
    check(o.window >= 0, ErrorKind::config, name(), "window ", o.window,
          "; it must be 0 (none) or positive");
    check(ragged() || sequences_ >= 1, ErrorKind::config, name(), sequences_,
          " sequences; there must be at least 1");
  }

  void check_inputs(std::span<const TensorSpec> inputs, const OpContext& context) const {
    const TensorSpec &q = inputs[0], &k = inputs[1], &v = inputs[2];
    op_detail::require_compute(name(), "q", q, context);
    op_detail::require_same_dtype(name(), "q", q, "k", k);
    op_detail::require_same_dtype(name(), "q", q, "v", v);
    check(k.rows() == v.rows() && k.cols() == v.cols(), ErrorKind::shape, name(), "k is ", k.shape,
          ", v is ", v.shape, "; they must be equal");
    check(q.cols() >= options_.heads && q.cols() % options_.heads == 0, ErrorKind::shape, name(),
          "q is ", q.shape, ", whose columns are no multiple of ", options_.heads, " heads");
    const std::int64_t width = q.cols() / options_.heads;
    check(k.cols() == options_.kv_heads * width, ErrorKind::shape, name(), "q is ", q.shape,
          " with ", options_.heads, " heads of ", width, ", k is ", k.shape, "; ",
          options_.kv_heads, " key heads need ", options_.kv_heads * width, " columns");
    if (ragged()) {
      check(q.rows() == k.rows(), ErrorKind::shape, name(), "q is ", q.shape, ", k is ", k.shape,
            "; ragged sequences need as many rows of both");
      const TensorSpec& offsets = inputs[3];
      op_detail::require_index(name(), "offsets", offsets,
                               std::max<std::int64_t>(offsets.shape.count(), 1), q.shape);
      return;
    }
    check(q.rows() % sequences_ == 0 && k.rows() % sequences_ == 0, ErrorKind::shape, name(),
          "q is ", q.shape, ", k is ", k.shape, "; the rows must be multiples of ", sequences_,
          " sequences");
  }

  kernels::AttentionShape kernel_shape(std::span<const TensorSpec> inputs) const {
    const TensorSpec &q = inputs[0], &k = inputs[1];
    const std::int64_t width = q.cols() / options_.heads;
    if (ragged()) {
      const std::int64_t sequences = inputs[3].shape.count() - 1;
      return {sequences, q.rows(), k.rows(), options_.heads, options_.kv_heads, width};
    }
    return {sequences_,     q.rows() / sequences_, k.rows() / sequences_,
            options_.heads, options_.kv_heads,     width};
  }

  kernels::AttentionRule rule(const Tensor& q, const Tensor& k) const {
    const auto width = static_cast<double>(q.cols() / options_.heads);
    const float scale =
        options_.scale == 0 ? static_cast<float>(1 / std::sqrt(width)) : options_.scale;
    // A window longer than all rows hides nothing; cut, positions cannot overflow.
    const std::int64_t window = std::min(options_.window, q.rows() + k.rows() + 1);
    return {options_.heads, options_.kv_heads, scale, options_.causal, window, options_.logit_cap};
  }

  AttentionOptions options_;
  std::int64_t sequences_;
};

constexpr std::int64_t kRagged = -1;

// Ascending from 0 to `rows`.
void check_offsets(const Executor& ex, const Tensor& offsets, std::int64_t rows) {
  op_detail::require_index_range(ex, "attention", "offsets", offsets, 0, rows + 1);
  if (offsets.dtype() != DType::i32 || offsets.shape().count() == 0) return;  // infer() says so
  const std::int32_t* data = op_detail::host_indices(ex, offsets);
  if (data == nullptr) return;
  const std::int64_t last = offsets.shape().count() - 1;
  check(data[0] == 0 && data[last] == rows, ErrorKind::shape, "attention", "offsets ",
        offsets.shape(), " run from ", data[0], " to ", data[last], ", they must run from 0 to ",
        rows, " rows");
  for (std::int64_t s = 0; s < last; ++s) {
    check(data[s] <= data[s + 1], ErrorKind::shape, "attention", "offsets ", offsets.shape(),
          " fall from ", data[s], " to ", data[s + 1], " at sequence ", s);
  }
}

}  // namespace

Value attention(Executor& ex, Value q, Value k, Value v, std::int64_t sequences,
                const AttentionOptions& options) {
  Values inputs;
  inputs.push_back(std::move(q));
  inputs.push_back(std::move(k));
  inputs.push_back(std::move(v));
  return ex.apply_one(AttentionOp(options, std::max<std::int64_t>(sequences, 0)),
                      std::move(inputs));
}

Value attention(Executor& ex, Value q, Value k, Value v, const Tensor& offsets,
                const AttentionOptions& options) {
  check_offsets(ex, offsets, q.rows());
  Values inputs;
  inputs.push_back(std::move(q));
  inputs.push_back(std::move(k));
  inputs.push_back(std::move(v));
  inputs.push_back(ex.constant(offsets));
  return ex.apply_one(AttentionOp(options, kRagged), std::move(inputs));
}

}  // namespace ffn::inline v0
