#include "ffn/feedforward/moe/router.h"

#include <cmath>
#include <utility>

#include "ffn/base/error.h"
#include "ffn/ops/activation.h"
#include "ffn/ops/arithmetic.h"
#include "ffn/ops/indexing.h"
#include "ffn/ops/jitter.h"
#include "ffn/ops/linear.h"
#include "ffn/ops/normalise_rows.h"
#include "ffn/ops/router_losses.h"
#include "ffn/ops/softmax.h"
#include "ffn/ops/view.h"

namespace ffn::inline v0 {
namespace {

// The slots of one expert.
std::int64_t capacity_of(const RouterOptions& options, std::int64_t rows) {
  if (options.capacity == 0) return 0;
  const double share = options.capacity * static_cast<double>(rows * options.top) /
                       static_cast<double>(options.experts);
  return std::max<std::int64_t>(1, static_cast<std::int64_t>(std::ceil(share)));
}

}  // namespace

void Router::check_options(const RouterOptions& o) {
  check(o.top >= 1 && o.top <= o.experts, ErrorKind::config, "design", "top ", o.top, " of ",
        o.experts, " experts; expected 1 to ", o.experts);
  check(o.groups >= 1 && o.experts % o.groups == 0, ErrorKind::config, "design", o.experts,
        " experts cannot be split into ", o.groups, " groups");
  check(o.top_groups >= 1 && o.top_groups <= o.groups, ErrorKind::config, "design", "the best ",
        o.top_groups, " of ", o.groups, " groups; expected 1 to ", o.groups);
  const std::int64_t in_group = o.experts / o.groups;
  check(o.top <= o.top_groups * in_group, ErrorKind::config, "design", "top ", o.top, " of the ",
        o.top_groups * in_group, " experts in the best ", o.top_groups, " groups");
}

Router::Router(const RouterOptions& options, const FeedForwardSite& site, ParameterSet& parameters)
    : options_(options), jitter_stream_(site.seed, site.name("router") + ".jitter") {
  check_options(options);
  const std::string name = site.name("router");
  weight_ = &parameters.add(name + ".weight", {options.experts, site.width},
                            {.full_precision = true, .init = options.init});
  if (options.bias_rate > 0) {
    const std::string bias = name + ".e_score_correction_bias";
    bias_ = &parameters.add_state(bias, options.experts, {0}, {bias});
  }
}

Value Router::logits(Executor& ex, const Value& x) const {
  Value in = cast(ex, x, gradient_dtype(x.dtype()));
  in = jitter(ex, std::move(in), static_cast<float>(options_.jitter), jitter_stream_);
  Value logits = ex.tap("router", linear(ex, std::move(in), ex.parameter(*weight_)));
  if (!ex.training() || options_.z == 0) return logits;
  return z_loss(ex, std::move(logits), static_cast<float>(options_.z)).value;
}

Chosen Router::choose(Executor& ex, const Value& scores) const {
  const ChooseOptions options{options_.top, options_.groups, options_.top_groups,
                              std::min(options_.group_terms, options_.experts / options_.groups)};
  const Tensor bias = bias_ == nullptr ? Tensor() : bias_->tensor;
  const Chosen chosen = choose_experts(ex, scores.tensor, bias, options);
  const Value choice = ex.tap("choice", ex.constant(chosen.expert));
  const bool replaced = choice.tensor.data() != chosen.expert.data();
  return replaced ? given_experts(ex, scores.tensor, choice.tensor) : chosen;
}

Value Router::balanced(Executor& ex, Value scores, const Tensor& expert,
                       std::int64_t sequences) const {
  if (!ex.training() || (options_.balance == 0 && bias_ == nullptr)) return scores;
  const std::int64_t S = options_.balance_sequences ? sequences : 1;
  const Tensor load = expert_load(ex, expert, options_.experts, S, scores.dtype());
  if (bias_ != nullptr) {
    const Tensor moved = move_bias(ex, bias_->tensor, load, static_cast<float>(options_.bias_rate));
    ex.update_state(*bias_, ex.constant(moved));
  }
  if (options_.balance == 0) return scores;
  return balance_loss(ex, std::move(scores), load, options_.top,
                      options_.scores == RouterScores::sigmoid,
                      static_cast<float>(options_.balance))
      .value;
}

Routed Router::forward(Executor& ex, const Value& x, const TokenRows& rows) const {
  const std::int64_t N = x.rows(), K = options_.top;
  Value scores = logits(ex, x);
  scores = options_.scores == RouterScores::softmax ? softmax(ex, std::move(scores))
                                                    : sigmoid(ex, std::move(scores));
  const Chosen chosen = choose(ex, scores);
  scores = balanced(ex, std::move(scores), chosen.expert, rows.sequences);
  Value weights = chosen_scores(ex, std::move(scores), chosen);  // [N, K]
  const auto scaling = static_cast<float>(options_.scaling);
  weights = options_.normalise ? normalise_rows(ex, std::move(weights), scaling)
            : scaling != 1     ? scale(ex, std::move(weights), scaling)
                               : std::move(weights);
  Routed routed;
  routed.slots = sort_slots(ex, chosen.expert, options_.experts, capacity_of(options_, N));
  routed.slots.token = ex.tap("dispatch", ex.constant(routed.slots.token)).tensor;
  routed.weights = gather_rows(ex, reshape(ex, std::move(weights), {N * K, 1}), routed.slots.order);
  return routed;
}

}  // namespace ffn::inline v0
