// expert-choice(E, DESIGN, capacity=C): experts choose their tokens.
//   s = softmax(x·W_rᵀ) over the experts [N, E]
//   every expert takes the round(C·T/E) tokens (1 to T) of largest s in its column from each
//   sequence of T tokens;  y_t = Σ over the experts that took t of s[t, e]·expert_e(x_t)
// A perfect balance without a loss; a token may have all experts or none. Which tokens an expert
// takes depends on later ones too: refused where a token must not see these. The choice is per
// sequence, so that it does not depend on the batch. The source chooses over the tokens of a batch.
// Parameters E·(D + expert's), active D·E + C experts' in the mean, flops per token likewise.
// Source: Zhou et al., Mixture-of-experts with expert choice routing, 2022.
#include <algorithm>
#include <cmath>
#include <utility>

#include "ffn/base/error.h"
#include "ffn/feedforward/dense.h"
#include "ffn/feedforward/moe/experts.h"
#include "ffn/ops/arithmetic.h"
#include "ffn/ops/indexing.h"
#include "ffn/ops/linear.h"
#include "ffn/ops/softmax.h"
#include "ffn/ops/view.h"

namespace ffn::inline v0 {
namespace {

double capacity_of(const FeedForwardSpec& spec) {
  return number_option(spec, "capacity", 2, 0.01, kMaxExperts);
}

// Tokens that an expert takes from a sequence of T.
std::int64_t tokens_of(const FeedForwardSpec& spec, std::int64_t T) {
  const double share =
      capacity_of(spec) * static_cast<double>(T) / static_cast<double>(experts_of(spec));
  const double most = static_cast<double>(std::max<std::int64_t>(1, T));
  return static_cast<std::int64_t>(std::clamp(std::round(share), 1.0, most));
}

FeedForwardCosts expert_choice_costs(const FeedForwardSpec& spec, const FeedForwardSite& site,
                                     const DesignRegistry& designs) {
  check(!site.causal, ErrorKind::config, "design", "'", to_string(spec),
        "' lets an expert choose among all tokens of a sequence; here a token must not see later ",
        "ones");
  const std::int64_t E = experts_of(spec), router = E * site.width;
  const FeedForwardCosts one = Experts::costs_of_one(spec, site, designs);
  // Over the tokens of a sequence, rounded up; without their number as if it were large.
  const auto in_the_mean = [&](std::int64_t cost) {
    const std::int64_t T = site.tokens > 0 ? site.tokens : std::int64_t{1} << 20;
    return (E * tokens_of(spec, T) * cost + T - 1) / T;
  };
  FeedForwardCosts costs;
  costs.parameters = router + E * one.parameters;
  costs.active_parameters = router + in_the_mean(one.parameters);
  costs.flops_per_token = 2 * router + in_the_mean(one.flops_per_token);
  costs.elementwise_per_token = E + in_the_mean(one.elementwise_per_token + site.width);
  costs.hidden = E * one.hidden;
  return costs;
}

class ExpertChoice final : public FeedForward {
 public:
  ExpertChoice(const FeedForwardSpec& spec, const FeedForwardSite& site, ParameterSet& parameters,
               const DesignRegistry& designs)
      : spec_(spec),
        costs_(expert_choice_costs(spec, site, designs)),
        router_(&parameters.add(site.name("router") + ".weight", {experts_of(spec), site.width},
                                {.full_precision = true, .init = site.weight_init})),
        experts_(spec, site, parameters, designs),
        tap_names_{"router", "dispatch"} {
    append_taps(tap_names_, "experts", experts_.layer());
    tap_names_.emplace_back("out");
    tap_views_.assign(tap_names_.begin(), tap_names_.end());
  }

  Value forward(Executor& ex, Value x, const TokenRows& rows) const override {
    const std::int64_t N = x.rows(), E = router_->shape.rows();
    const std::int64_t T = N / std::max<std::int64_t>(1, rows.sequences);
    Value logits = linear(ex, cast(ex, x, gradient_dtype(x.dtype())), ex.parameter(*router_));
    Value scores = softmax(ex, ex.tap("router", std::move(logits)));  // [N, E]
    Slots slots = choose_tokens(ex, scores.tensor, rows.sequences, tokens_of(spec_, T));
    slots.token = ex.tap("dispatch", ex.constant(slots.token)).tensor;
    const Value weights =
        gather_rows(ex, reshape(ex, std::move(scores), {N * E, 1}), slots.order);  // [R, 1]
    Value sorted = dispatch(ex, std::move(x), slots);                              // [R, D]
    sorted = experts_.forward(ex, std::move(sorted), slots.offsets);
    return ex.tap("out", merge(ex, std::move(sorted), weights, slots, N));
  }
  FeedForwardCosts costs() const override { return costs_; }
  bool mixes_tokens() const override { return true; }
  std::span<const std::string_view> taps() const override { return tap_views_; }

 private:
  FeedForwardSpec spec_;
  FeedForwardCosts costs_;
  Parameter* router_;
  Experts experts_;
  std::vector<std::string> tap_names_;
  std::vector<std::string_view> tap_views_;
};

}  // namespace

DesignEntry expert_choice_design() {
  return {.name = "expert-choice",
          .summary = "each expert chooses its tokens",
          .source = "Zhou et al. 2022",
          .argument = DesignArgument::experts,
          .options = {{"capacity", "experts for a token in the mean; 2"}},
          .costs = expert_choice_costs,
          .build = make_outer_layer<ExpertChoice>};
}

}  // namespace ffn::inline v0
