// What switch, moe and deepseek-moe have in common: a router in front of experts, and shared
// experts beside them.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "ffn/feedforward/moe/experts.h"
#include "ffn/feedforward/moe/router.h"
#include "ffn/layers/linear_layer.h"

namespace ffn::inline v0 {

struct RoutedOptions {
  RouterOptions router;
  std::int64_t shared = 0;  // experts that every token meets, as one layer of so many times H
  std::int64_t shared_hidden = 0;  // > 0: the hidden width of that layer
  bool shared_gate = false;        // their sum times σ(x·W_gᵀ), "shared_gate.weight" [1, D]
};

// y = Σ_k w_k·expert_k(x) + shared(x). Errors: config.
FeedForwardCosts routed_costs(const RoutedOptions& options, const FeedForwardSpec& spec,
                              const FeedForwardSite& site, const DesignRegistry& designs);

class RoutedExperts final : public FeedForward {
 public:
  RoutedExperts(const RoutedOptions& options, const FeedForwardSpec& spec,
                const FeedForwardSite& site, ParameterSet& parameters,
                const DesignRegistry& designs);

  Value forward(Executor& ex, Value x, const TokenRows& rows) const override;
  FeedForwardCosts costs() const override { return costs_; }
  // Slots that run out go to the tokens that come first.
  bool mixes_tokens() const override { return router_.options().capacity > 0; }
  std::span<const std::string_view> taps() const override { return tap_views_; }

 private:
  Value shared(Executor& ex, const Value& x, const TokenRows& rows) const;

  FeedForwardCosts costs_;
  Router router_;
  Experts experts_;
  std::unique_ptr<FeedForward> shared_;       // null: none
  std::unique_ptr<LinearLayer> shared_gate_;  // null: none
  std::vector<std::string> tap_names_;
  std::vector<std::string_view> tap_views_;
};

// DesignEntry::costs and ::build of a design that is RoutedExperts with options read from its text.
using ReadRoutedOptions = RoutedOptions (*)(const FeedForwardSpec&, const FeedForwardSite&);
template <ReadRoutedOptions options_of>
FeedForwardCosts routed_layer_costs(const FeedForwardSpec& spec, const FeedForwardSite& site,
                                    const DesignRegistry& designs) {
  return routed_costs(options_of(spec, site), spec, site, designs);
}
template <ReadRoutedOptions options_of>
std::unique_ptr<FeedForward> make_routed_layer(const FeedForwardSpec& spec,
                                               const FeedForwardSite& site,
                                               ParameterSet& parameters,
                                               const DesignRegistry& designs) {
  return std::make_unique<RoutedExperts>(options_of(spec, site), spec, site, parameters, designs);
}

}  // namespace ffn::inline v0
