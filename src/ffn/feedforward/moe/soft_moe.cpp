// soft-moe(E, DESIGN, slots=P): experts see mixtures of tokens, so that nothing is chosen or
// dropped.
//   logits = n(x)·(scale·n(Φ))ᵀ per sequence [T, E·P], n(v) = v/√(Σv² + 1e-6)
//   D = softmax over the tokens, C = softmax over the slots;  slot inputs Dᵀ·x [E·P, D], x itself;
//   slot s goes through expert ⌊s/P⌋;  y = C·(their outputs)
// Both mixtures are an attention with one head (queries Φ over the tokens, then tokens over the
// slots), so nothing of size [T, E·P] is stored. Every token depends on all of its sequence:
// refused where it must not see later ones. Slots as many as tokens make the flops of one dense
// layer. "slots.weight" Φ [E·P, D], normal of variance 1/D cut at two deviations; "slots.scale"
// [1], 1. Parameters E·P·D + 1 + E experts'; a token meets all of them; flops per token 8·D·E·P +
// E·P/T experts'. Source: Puigcerver et al., From sparse to soft mixtures of experts, 2023; the
// 1e-6 under the root as in its code, the paper adds it to the norm.
#include <cmath>
#include <utility>

#include "ffn/base/error.h"
#include "ffn/feedforward/dense.h"
#include "ffn/feedforward/moe/experts.h"
#include "ffn/ops/arithmetic.h"
#include "ffn/ops/attention.h"
#include "ffn/ops/norm.h"
#include "ffn/ops/rearrange.h"
#include "ffn/ops/view.h"

namespace ffn::inline v0 {
namespace {

std::int64_t slots_of(const FeedForwardSpec& spec) {
  return integer_option(spec, "slots", 1, 1, kMaxExperts);
}

FeedForwardCosts soft_moe_costs(const FeedForwardSpec& spec, const FeedForwardSite& site,
                                const DesignRegistry& designs) {
  check(!site.causal, ErrorKind::config, "design", "'", to_string(spec),
        "' mixes all tokens of a sequence; here a token must not see later ones");
  check(site.tokens > 0, ErrorKind::config, "design", "'", to_string(spec),
        "' has slots per sequence; the model does not say how many tokens a sequence has");
  const std::int64_t E = experts_of(spec), S = E * slots_of(spec), D = site.width;
  const FeedForwardCosts one = Experts::costs_of_one(spec, site, designs);
  const auto per_token = [&](std::int64_t cost) {
    return (S * cost + site.tokens - 1) / site.tokens;
  };
  FeedForwardCosts costs;
  costs.parameters = S * D + 1 + E * one.parameters;
  costs.active_parameters = costs.parameters;
  costs.flops_per_token = 8 * S * D + per_token(one.flops_per_token);
  costs.elementwise_per_token = 2 * S + D + per_token(one.elementwise_per_token);
  costs.hidden = E * one.hidden;
  return costs;
}

// n(v)·√D, with a weight on top where there is one.
Value normed(Executor& ex, Value x, const Value& weight) {
  const float eps = 1e-6f / static_cast<float>(x.cols());
  return rms_norm(ex, std::move(x), weight, eps);
}

class SoftExperts final : public FeedForward {
 public:
  SoftExperts(const FeedForwardSpec& spec, const FeedForwardSite& site, ParameterSet& parameters,
              const DesignRegistry& designs)
      : experts_count_(experts_of(spec)),
        slots_(experts_count_ * slots_of(spec)),
        costs_(soft_moe_costs(spec, site, designs)),
        experts_(spec, site, parameters, designs) {
    const double deviation = 1 / std::sqrt(static_cast<double>(site.width));
    phi_ = &parameters.add(site.name("slots") + ".weight", {slots_, site.width},
                           {.init = {Init::Kind::truncated_normal, 0, deviation}});
    scale_ = &parameters.add(
        site.name("slots") + ".scale", {1},
        {.decay = false, .full_precision = true, .init = {Init::Kind::constant, 1, 0}});
    tap_names_ = {"slots"};
    append_taps(tap_names_, "experts", experts_.layer());
    tap_names_.emplace_back("out");
    tap_views_.assign(tap_names_.begin(), tap_names_.end());
  }

  Value forward(Executor& ex, Value x, const TokenRows& rows) const override {
    const std::int64_t B = rows.sequences, E = experts_count_, D = x.cols();
    const Value queries = scaled_slots(ex);  // [S, D]
    const Value tokens = normed(ex, x, {});  // [N, D]
    const AttentionOptions options{.scale = 1 / static_cast<float>(D)};
    Value slots = attention(ex, repeat_rows(ex, queries, B), tokens, std::move(x), B, options);
    slots = ex.tap("slots", std::move(slots));  // [B·S, D], by sequence
    slots = swap_blocks(ex, std::move(slots), B, E);
    slots = experts_.forward(ex, std::move(slots), equal_offsets(ex, E, B * slots_ / E));
    slots = swap_blocks(ex, std::move(slots), E, B);
    return ex.tap("out",
                  attention(ex, tokens, repeat_rows(ex, queries, B), std::move(slots), B, options));
  }
  FeedForwardCosts costs() const override { return costs_; }
  bool mixes_tokens() const override { return true; }
  std::span<const std::string_view> taps() const override { return tap_views_; }

 private:
  // scale·n(Φ)·√D.
  Value scaled_slots(Executor& ex) const {
    const Value phi = ex.parameter(*phi_);
    const std::int64_t D = phi.cols();
    const Value scale = reshape(ex, ex.parameter(*scale_), {1, 1});
    return normed(ex, phi, reshape(ex, repeat_rows(ex, scale, D), {D}));
  }

  std::int64_t experts_count_, slots_;
  FeedForwardCosts costs_;
  Experts experts_;
  Parameter *phi_, *scale_;
  std::vector<std::string> tap_names_;
  std::vector<std::string_view> tap_views_;
};

}  // namespace

DesignEntry soft_moe_design() {
  return {.name = "soft-moe",
          .summary = "experts see weighted means of all tokens",
          .source = "Puigcerver et al. 2023",
          .argument = DesignArgument::experts,
          .options = {{"slots", "P, slots of an expert per sequence; 1"}},
          .costs = soft_moe_costs,
          .build = make_outer_layer<SoftExperts>};
}

}  // namespace ffn::inline v0
