#include "ffn/feedforward/moe/routed_experts.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "ffn/feedforward/dense.h"
#include "ffn/ops/activation.h"
#include "ffn/ops/arithmetic.h"
#include "ffn/ops/indexing.h"

namespace ffn::inline v0 {
namespace {

// The shared experts as one layer: the design inside with so many times its hidden width.
FeedForwardSpec shared_spec(const RoutedOptions& options, const FeedForwardSpec& spec,
                            const FeedForwardSite& site, const DesignRegistry& designs) {
  FeedForwardSpec inner = designs.with_hidden(spec.nested.at(0), site.width);
  std::string& hidden = designs.sized(inner).options.at("hidden");
  const std::int64_t all = options.shared * std::stoll(hidden);
  hidden = std::to_string(options.shared_hidden > 0 ? options.shared_hidden : all);
  return inner;
}

FeedForwardSite shared_site(const FeedForwardSite& site) {
  FeedForwardSite inner = site;
  inner.name = [name = site.name](std::string_view part) {
    return name(std::string("shared.").append(part));
  };
  return inner;
}

}  // namespace

FeedForwardCosts routed_costs(const RoutedOptions& options, const FeedForwardSpec& spec,
                              const FeedForwardSite& site, const DesignRegistry& designs) {
  Router::check_options(options.router);
  const auto& [E, K] = std::pair(options.router.experts, options.router.top);
  const FeedForwardCosts one = Experts::costs_of_one(spec, site, designs);
  FeedForwardCosts shared;
  if (options.shared > 0)
    shared = designs.costs(shared_spec(options, spec, site, designs), shared_site(site));
  const std::int64_t gate = options.shared_gate ? site.width : 0, router = E * site.width;
  // Slots of a token: an upper bound where slots may be empty.
  const double slots =
      static_cast<double>(K) * (options.router.capacity > 0 ? options.router.capacity : 1);
  const auto of_slots = [&](std::int64_t cost) {
    return static_cast<std::int64_t>(std::llround(slots * static_cast<double>(cost)));
  };
  FeedForwardCosts costs;
  costs.parameters = router + gate + E * one.parameters + shared.parameters;
  costs.active_parameters = router + gate + K * one.parameters + shared.parameters;
  costs.flops_per_token =
      2 * (router + gate) + of_slots(one.flops_per_token) + shared.flops_per_token;
  costs.elementwise_per_token =
      E + of_slots(one.elementwise_per_token + site.width) + shared.elementwise_per_token;
  costs.hidden = E * one.hidden + shared.hidden;
  return costs;
}

RoutedExperts::RoutedExperts(const RoutedOptions& options, const FeedForwardSpec& spec,
                             const FeedForwardSite& site, ParameterSet& parameters,
                             const DesignRegistry& designs)
    : costs_(routed_costs(options, spec, site, designs)),
      router_(options.router, site, parameters),
      experts_(spec, site, parameters, designs),
      tap_names_(std::begin(Router::kTaps), std::end(Router::kTaps)) {
  append_taps(tap_names_, "experts", experts_.layer());
  if (options.shared > 0) {
    shared_ =
        designs.build(shared_spec(options, spec, site, designs), shared_site(site), parameters);
    append_taps(tap_names_, "shared", *shared_);
  }
  if (options.shared_gate)
    shared_gate_ =
        std::make_unique<LinearLayer>(parameters, site.name("shared_gate"),
                                      LinearLayer::Sizes{1, site.width, false}, site.weight_init);
  tap_names_.emplace_back("out");
  tap_views_.assign(tap_names_.begin(), tap_names_.end());
}

Value RoutedExperts::shared(Executor& ex, const Value& x, const TokenRows& rows) const {
  const TapScope scope(ex.taps(), "shared");
  Value y = shared_->forward(ex, x, rows);
  if (shared_gate_ == nullptr) return y;
  return scale_rows(ex, std::move(y), sigmoid(ex, shared_gate_->forward(ex, x)));
}

Value RoutedExperts::forward(Executor& ex, Value x, const TokenRows& rows) const {
  const std::int64_t N = x.rows();
  Value beside = shared_ != nullptr ? shared(ex, x, rows) : Value();
  const Routed routed = router_.forward(ex, x, rows);
  Value sorted = dispatch(ex, std::move(x), routed.slots);  // [R, D]
  sorted = experts_.forward(ex, std::move(sorted), routed.slots.offsets);
  Value y = merge(ex, std::move(sorted), routed.weights, routed.slots, N);
  if (beside.defined()) y = add(ex, std::move(y), beside);
  return ex.tap("out", std::move(y));
}

}  // namespace ffn::inline v0
