// switch(E, DESIGN): every token goes to one of E experts, which has room for a share of them.
//   p = softmax(x·W_rᵀ) [N, E];  e = the largest of p;  y = p_e·expert_e(x), or 0 where e is full
// An expert serves the first ⌈C·N/E⌉ tokens that choose it, capacity=C (1.25); 0 serves all. In
// training balance=α (0.01) adds α·E·Σ_e f_e·P_e to the loss, f_e the part of the tokens that chose
// e and P_e the mean of p_e: α at perfect balance; balance_over=sequence averages it over the
// sequences. jitter=ε multiplies the router's input by
// numbers in [1 − ε, 1 + ε). The router's weight starts normal, cut at two deviations of √(0.1/D).
// Parameters E·(D + expert's), active D·E + one expert's; flops per token, an upper bound where
// slots stay empty, 2·D·E + C times one expert's. Source: Fedus et al., Switch Transformers, 2021,
// which starts all weights with that deviation and drops expert outputs in fine-tuning.
#include <cmath>

#include "ffn/feedforward/dense.h"
#include "ffn/feedforward/moe/routed_experts.h"

namespace ffn::inline v0 {
namespace {

RoutedOptions options_of(const FeedForwardSpec& spec, const FeedForwardSite& site) {
  RoutedOptions options;
  RouterOptions& router = options.router;
  router.experts = experts_of(spec);
  router.normalise = false;
  router.capacity = number_option(spec, "capacity", 1.25, 0, kMaxExperts);
  router.balance = number_option(spec, "balance", 0.01, 0, 1e3);
  router.balance_sequences =
      choice_option(spec, "balance_over", {"batch", "sequence"}) == "sequence";
  router.jitter = number_option(spec, "jitter", 0, 0, 0.99);
  router.init = {Init::Kind::truncated_normal, 0, std::sqrt(0.1 / static_cast<double>(site.width))};
  return options;
}

}  // namespace

DesignEntry switch_design() {
  return {.name = "switch",
          .summary = "each token goes to one of E experts of bounded capacity",
          .source = "Fedus et al. 2021",
          .argument = DesignArgument::experts,
          .options = {{"capacity", "slots of an expert over its share, 0 for all; 1.25"},
                      {"balance", "factor of the load-balance loss; 0.01"},
                      {"balance_over", "batch or sequence; batch"},
                      {"jitter", "noise on the router's input in training; 0"}},
          .costs = routed_layer_costs<options_of>,
          .build = make_routed_layer<options_of>};
}

}  // namespace ffn::inline v0
