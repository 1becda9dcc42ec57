#include "ffn/ops/routing.h"

#include <limits>

#include "ffn/ops/checks.h"
#include "ffn/ops/indexing.h"
#include "ffn/ops/softmax.h"
#include "ffn/ops/view.h"

namespace ffn::inline v0 {
namespace {

std::int32_t* integers(const Tensor& tensor) { return tensor.data_as<std::int32_t>(); }
const std::int32_t* indices(const Tensor& index) { return index.data_as<const std::int32_t>(); }

void require_matrix(std::string_view op, std::string_view what, const Shape& shape,
                    std::string_view form) {
  check(shape.rank() == 2, ErrorKind::shape, op, what, " is ", shape, "; it must be ", form);
}

// a·b entries, which i32 must count.
void require_countable(std::string_view op, std::string_view what, const Shape& shape,
                       std::int64_t a, std::int64_t b) {
  check(b == 0 || a <= std::numeric_limits<std::int32_t>::max() / b, ErrorKind::shape, op, what,
        " ", shape, ": ", a, " times ", b, " are more than i32 can count");
}

// What statistics are kept in: no bf16, whose counts stop at 256.
void require_statistic(std::string_view op, std::string_view what, const TensorSpec& spec,
                       const OpContext& context) {
  op_detail::require_compute(op, what, spec, context);
  check(spec.dtype == gradient_dtype(spec.dtype), ErrorKind::dtype, op, what, " ", spec.shape,
        " is ", to_string(spec.dtype), "; it must be ", to_string(gradient_dtype(spec.dtype)));
}

// Choices [N, K] that a kernel may index with.
void require_choices(const Executor& ex, std::string_view op, const Tensor& expert,
                     std::int64_t experts) {
  check(experts >= 1, ErrorKind::config, op, experts, " experts; there must be at least 1");
  op_detail::require_index_range(ex, op, "expert", expert, 0, experts);
}

void require_choice_matrix(std::string_view op, const TensorSpec& expert) {
  require_matrix(op, "expert", expert.shape, "[N, K]");
  op_detail::require_index(op, "expert", expert, expert.shape.count(), expert.shape);
}

// No gradient, so nothing to walk back to. Each operation here runs on constants.
class IndexOp : public Op {
 public:
  void backward(const BackwardArgs&) const final { FFN_ASSERT(false); }
};

// Inputs: scores, then the choice where it is given, else bias unless absent. Outputs: expert,
// place.
class ChooseExpertsOp final : public IndexOp {
 public:
  ChooseExpertsOp(const ChooseOptions& options, bool given) : options_(options), given_(given) {}

  std::string_view name() const override { return "choose_experts"; }

  OpSpec infer(std::span<const TensorSpec> inputs, const OpContext& context) const override {
    const TensorSpec& scores = inputs[0];
    op_detail::require_compute(name(), "scores", scores, context);
    require_matrix(name(), "scores", scores.shape, "[N, E]");
    require_options(scores.shape);
    const std::int64_t N = scores.rows();
    require_countable(name(), "scores", scores.shape, N, scores.cols());
    if (given_) {
      require_choice_matrix(name(), inputs[1]);
      check(inputs[1].shape == Shape({N, options_.k}), ErrorKind::shape, name(),
            "the given choice is ", inputs[1].shape, ", scores are ", scores.shape,
            "; it must be [", N, ", ", options_.k, "]");
    } else if (inputs.size() > 1) {
      require_bias(inputs[1], scores);
    }
    OpSpec spec;
    spec.outputs.push_back({{N, options_.k}, DType::i32});
    spec.outputs.push_back({{N, options_.k}, DType::i32});
    return spec;
  }

  void forward(const ForwardArgs& args) const override {
    const bool with_bias = args.inputs.size() > 1 && !given_;
    args.kernels().choose_experts(
        args.launch,
        {args.inputs[0].matrix(), with_bias ? args.inputs[1].matrix() : kernels::ConstMatrix{},
         options_.k, options_.groups, options_.top_groups, options_.group_terms,
         integers(args.outputs[0]), integers(args.outputs[1]),
         given_ ? indices(args.inputs[1]) : nullptr});
  }

 private:
  void require_options(const Shape& scores) const {
    const auto& [k, groups, top_groups, terms] = options_;
    const std::int64_t E = scores.cols();
    check(k >= 1 && k <= E, ErrorKind::config, name(), "top ", k, " of scores ", scores,
          "; there are ", E, " experts");
    check(groups >= 1 && E % groups == 0, ErrorKind::config, name(), groups, " groups of the ", E,
          " experts of scores ", scores, "; they must be equal");
    check(top_groups >= 1 && top_groups <= groups, ErrorKind::config, name(), "the best ",
          top_groups, " of ", groups, " groups of scores ", scores);
    const std::int64_t size = E / groups;
    check(terms >= 1 && terms <= size, ErrorKind::config, name(), "a group's score of ", terms,
          " terms; groups of scores ", scores, " have ", size, " experts");
    check(k <= top_groups * size, ErrorKind::config, name(), "top ", k, " of scores ", scores,
          "; the best ", top_groups, " groups have ", top_groups * size, " experts");
  }

  void require_bias(const TensorSpec& bias, const TensorSpec& scores) const {
    check(bias.rows() == 1 && bias.cols() == scores.cols(), ErrorKind::shape, name(), "bias is ",
          bias.shape, ", scores are ", scores.shape, "; it must be [1, ", scores.cols(), "]");
    check(bias.dtype == gradient_dtype(scores.dtype), ErrorKind::dtype, name(), "bias ", bias.shape,
          " is ", to_string(bias.dtype), ", for scores ", scores.shape, " of ",
          to_string(scores.dtype), " it must be ", to_string(gradient_dtype(scores.dtype)));
  }

  ChooseOptions options_;
  bool given_;
};

// Input: expert [N, K]. Outputs: order, token, offsets.
class SortSlotsOp final : public IndexOp {
 public:
  SortSlotsOp(std::int64_t experts, std::int64_t capacity)
      : experts_(experts), capacity_(capacity) {}

  std::string_view name() const override { return "sort_slots"; }

  OpSpec infer(std::span<const TensorSpec> inputs, const OpContext&) const override {
    const TensorSpec& expert = inputs[0];
    require_choice_matrix(name(), expert);
    check(capacity_ >= 0, ErrorKind::config, name(), "a capacity of ", capacity_,
          "; it must not be negative, 0 drops nothing");
    require_countable(name(), "expert", expert.shape, expert.rows(), expert.cols());
    require_countable(name(), "expert", expert.shape, experts_, capacity_);
    const std::int64_t R = capacity_ > 0 ? experts_ * capacity_ : expert.shape.count();
    OpSpec spec;
    spec.outputs.push_back({{R}, DType::i32});
    spec.outputs.push_back({{R}, DType::i32});
    spec.outputs.push_back({{experts_ + 1}, DType::i32});
    return spec;
  }

  void forward(const ForwardArgs& args) const override {
    const Tensor& expert = args.inputs[0];
    args.kernels().sort_slots(args.launch, {indices(expert), expert.rows(), expert.cols(), experts_,
                                            capacity_, integers(args.outputs[0]),
                                            integers(args.outputs[1]), integers(args.outputs[2])});
  }

 private:
  std::int64_t experts_, capacity_;
};

// Input: scores. Outputs: place, token, offsets.
class ChooseTokensOp final : public IndexOp {
 public:
  ChooseTokensOp(std::int64_t sequences, std::int64_t capacity)
      : sequences_(sequences), capacity_(capacity) {}

  std::string_view name() const override { return "choose_tokens"; }

  OpSpec infer(std::span<const TensorSpec> inputs, const OpContext& context) const override {
    const TensorSpec& scores = inputs[0];
    op_detail::require_compute(name(), "scores", scores, context);
    require_matrix(name(), "scores", scores.shape, "[N, E]");
    const std::int64_t E = scores.cols();
    const std::int64_t T = op_detail::rows_per_sequence(name(), scores, sequences_);
    check(capacity_ >= (T > 0 ? 1 : 0) && capacity_ <= T, ErrorKind::config, name(),
          "a capacity of ", capacity_, " for scores ", scores.shape, "; a sequence has ", T,
          " rows");
    require_countable(name(), "scores", scores.shape, scores.rows(), E);
    OpSpec spec;
    const std::int64_t R = E * sequences_ * capacity_;  // ≤ N·E
    spec.outputs.push_back({{R}, DType::i32});
    spec.outputs.push_back({{R}, DType::i32});
    spec.outputs.push_back({{E + 1}, DType::i32});
    return spec;
  }

  void forward(const ForwardArgs& args) const override {
    args.kernels().choose_tokens(
        args.launch, {args.inputs[0].matrix(), sequences_, capacity_, integers(args.outputs[1]),
                      integers(args.outputs[0]), integers(args.outputs[2])});
  }

 private:
  std::int64_t sequences_, capacity_;
};

// Input: expert [N, K]. Output: load [S, E].
class ExpertLoadOp final : public IndexOp {
 public:
  ExpertLoadOp(std::int64_t experts, std::int64_t sequences, DType dtype)
      : experts_(experts), sequences_(sequences), dtype_(dtype) {}

  std::string_view name() const override { return "expert_load"; }

  OpSpec infer(std::span<const TensorSpec> inputs, const OpContext& context) const override {
    const TensorSpec& expert = inputs[0];
    require_choice_matrix(name(), expert);
    op_detail::rows_per_sequence(name(), expert, sequences_);
    OpSpec spec;
    spec.outputs.push_back({{sequences_, experts_}, dtype_});
    require_statistic(name(), "load", spec.outputs[0], context);
    return spec;
  }

  void forward(const ForwardArgs& args) const override {
    const Tensor& expert = args.inputs[0];
    args.kernels().expert_load(
        args.launch, {indices(expert), expert.rows(), expert.cols(), args.outputs[0].matrix()});
  }

 private:
  std::int64_t experts_, sequences_;
  DType dtype_;
};

// Inputs: bias [1, E], load [S, E]. Output: the moved bias.
class MoveBiasOp final : public IndexOp {
 public:
  explicit MoveBiasOp(float rate) : rate_(rate) {}

  std::string_view name() const override { return "move_bias"; }

  OpSpec infer(std::span<const TensorSpec> inputs, const OpContext& context) const override {
    const TensorSpec &bias = inputs[0], &load = inputs[1];
    require_statistic(name(), "bias", bias, context);
    op_detail::require_same_dtype(name(), "bias", bias, "load", load);
    check(bias.rows() == 1 && bias.cols() == load.cols(), ErrorKind::shape, name(), "bias is ",
          bias.shape, ", load is ", load.shape, "; it must be [1, ", load.cols(), "]");
    check(rate_ >= 0, ErrorKind::config, name(), "a rate of ", rate_, "; it must not be negative");
    OpSpec spec;
    spec.outputs.push_back({{1, bias.cols()}, bias.dtype});
    return spec;
  }

  void forward(const ForwardArgs& args) const override {
    args.kernels().move_bias(args.launch, {args.inputs[0].matrix(), args.inputs[1].matrix(),
                                           args.outputs[0].matrix(), rate_});
  }

 private:
  float rate_;
};

template <class... T>
Values constants(const Executor& ex, const T&... tensors) {
  Values inputs;
  (inputs.push_back(ex.constant(tensors)), ...);
  return inputs;
}

Slots slots_of(const Values& outputs) {
  return {outputs[0].tensor, outputs[1].tensor, outputs[2].tensor};
}

}  // namespace

Chosen choose_experts(Executor& ex, const Tensor& scores, const Tensor& bias,
                      const ChooseOptions& options) {
  Values inputs = constants(ex, scores);
  if (bias.defined()) inputs.push_back(ex.constant(bias));
  const Values outputs = ex.apply(ChooseExpertsOp(options, false), std::move(inputs));
  return {outputs[0].tensor, outputs[1].tensor};
}

Chosen given_experts(Executor& ex, const Tensor& scores, const Tensor& expert) {
  require_choices(ex, "choose_experts", expert, scores.shape().cols());
  Values inputs = constants(ex, scores);
  inputs.push_back(ex.constant(expert));
  const ChooseOptions options{.k = expert.shape().cols()};
  const Values outputs = ex.apply(ChooseExpertsOp(options, true), std::move(inputs));
  return {outputs[0].tensor, outputs[1].tensor};
}

Tensor equal_offsets(Executor& ex, std::int64_t experts, std::int64_t rows) {
  const Tensor nobody = ex.allocate({{0, 1}, DType::i32});
  return sort_slots(ex, nobody, experts, rows).offsets;
}

Value chosen_scores(Executor& ex, Value scores, const Chosen& chosen) {
  const Shape column{scores.shape().count(), 1}, choices = chosen.place.shape();
  check(choices.rows() == scores.rows(), ErrorKind::shape, "chosen_scores", "choices are ", choices,
        ", scores are ", scores.shape(), "; they must have equal rows");
  const Tensor places = chosen.place.reshape({choices.count()});
  return reshape(ex, gather_rows(ex, reshape(ex, std::move(scores), column), places), choices);
}

Slots sort_slots(Executor& ex, const Tensor& expert, std::int64_t experts, std::int64_t capacity) {
  require_choices(ex, "sort_slots", expert, experts);
  return slots_of(ex.apply(SortSlotsOp(experts, capacity), constants(ex, expert)));
}

Slots choose_tokens(Executor& ex, const Tensor& scores, std::int64_t sequences,
                    std::int64_t capacity) {
  return slots_of(ex.apply(ChooseTokensOp(sequences, capacity), constants(ex, scores)));
}

Tensor expert_load(Executor& ex, const Tensor& expert, std::int64_t experts, std::int64_t sequences,
                   DType dtype) {
  require_choices(ex, "expert_load", expert, experts);
  return ex.apply_one(ExpertLoadOp(experts, sequences, dtype), constants(ex, expert)).tensor;
}

Tensor move_bias(Executor& ex, const Tensor& bias, const Tensor& load, float rate) {
  return ex.apply_one(MoveBiasOp(rate), constants(ex, bias, load)).tensor;
}

Routing route_top_k(Executor& ex, Value logits, std::int64_t k) {
  const Chosen chosen = choose_experts(ex, logits.tensor, {}, {.k = k});
  Slots slots = sort_slots(ex, chosen.expert, logits.cols());
  Value weights = softmax(ex, chosen_scores(ex, std::move(logits), chosen));
  return {std::move(weights), chosen.expert, std::move(slots.order), std::move(slots.token),
          std::move(slots.offsets)};
}

}  // namespace ffn::inline v0
