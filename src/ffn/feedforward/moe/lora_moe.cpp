// lora-moe(E, DESIGN, rank=R, alpha=A): the design inside, frozen, with E low-rank experts beside
// each of its linear maps.
//   every map: y = W·v + b + (A/R)·Σ_e g_e·B_e·A_e·v, g = softmax(v·W_gᵀ), v its own input
// W and b never move: start from a trained model. B starts at 0, so that the layer starts as the
// one inside. alpha is 32 and R 4 unless given. balance=β adds β·var(Z)/mean(Z)² to the loss of
// training, Z[s, e] the sum of g_e over sequence s; with delta=δ and types of the sequences
// (TokenRows::types) experts of a sequence's type count (1 + δ) times and the others (1 − δ) times,
// which draws the former to it. Parameters: those inside, frozen, and E·(in + R·(in + out)) for
// each map; flops likewise. Source: Dou et al., LoRAMoE, 2023, also for rank and alpha; without its
// dropout.
#include <string>
#include <utility>
#include <vector>

#include "ffn/base/error.h"
#include "ffn/feedforward/dense.h"
#include "ffn/feedforward/moe/experts.h"

namespace ffn::inline v0 {
namespace {

FeedForwardSite inner_site(const FeedForwardSpec& spec, const FeedForwardSite& site,
                           const DesignRegistry& designs) {
  const FeedForwardSpec& inner = spec.nested.at(0);
  check(designs.takes_experts(inner) &&
            designs.at(inner.design).argument == DesignArgument::activation,
        ErrorKind::config, "design", "'", inner.design, "' cannot have experts beside its maps: ",
        "they stand beside plain linear maps, as mlp and glu have them");
  LoraSite lora;
  lora.experts = experts_of(spec);
  lora.rank = integer_option(spec, "rank", 4, 1, 1 << 16);
  lora.alpha = number_option(spec, "alpha", 32, 1e-6, 1e6);
  lora.balance = static_cast<float>(number_option(spec, "balance", 0, 0, 1e3));
  lora.delta = static_cast<float>(number_option(spec, "delta", 0, 0, 1));
  lora.attached = std::make_shared<std::vector<std::string>>();
  FeedForwardSite made = site;
  made.lora = lora;
  return made;
}

FeedForwardCosts lora_costs(const FeedForwardSpec& spec, const FeedForwardSite& site,
                            const DesignRegistry& designs) {
  const FeedForwardSpec& inner = spec.nested.at(0);
  FeedForwardCosts costs = designs.costs(inner, inner_site(spec, site, designs));
  costs.frozen_parameters = designs.costs(inner, site).parameters;
  return costs;
}

// The layer inside; costs() knows what is frozen.
class LoraExperts final : public FeedForward {
 public:
  LoraExperts(const FeedForwardSpec& spec, const FeedForwardSite& site, ParameterSet& parameters,
              const DesignRegistry& designs)
      : costs_(lora_costs(spec, site, designs)) {
    const FeedForwardSite inner = inner_site(spec, site, designs);
    layer_ = designs.build(spec.nested.at(0), inner, parameters);
    // Every map's router weights, then what the layer shows of itself.
    for (const std::string& part : *inner.lora->attached) tap_names_.push_back(part + ".router");
    for (const std::string_view name : layer_->taps()) tap_names_.emplace_back(name);
    tap_views_.assign(tap_names_.begin(), tap_names_.end());
  }
  Value forward(Executor& ex, Value x, const TokenRows& rows) const override {
    return layer_->forward(ex, std::move(x), rows);
  }
  FeedForwardCosts costs() const override { return costs_; }
  std::span<const std::string_view> taps() const override { return tap_views_; }

 private:
  FeedForwardCosts costs_;
  std::unique_ptr<FeedForward> layer_;
  std::vector<std::string> tap_names_;
  std::vector<std::string_view> tap_views_;
};

}  // namespace

DesignEntry lora_moe_design() {
  return {.name = "lora-moe",
          .summary = "a frozen design with low-rank experts beside each linear map",
          .source = "Dou et al. 2023 (LoRAMoE)",
          .argument = DesignArgument::experts,
          .options = {{"rank", "R, of an expert; 4"},
                      {"alpha", "the experts' sum is multiplied by alpha/R; 32"},
                      {"balance", "factor of the balance of importance; 0"},
                      {"delta", "how far experts of a sequence's type are drawn to it; 0"}},
          .costs = lora_costs,
          .build = make_outer_layer<LoraExperts>};
}

}  // namespace ffn::inline v0
