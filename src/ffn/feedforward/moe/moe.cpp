// moe(E, DESIGN, top=K): every token goes to K of E experts, each a layer of the design inside.
//   p = softmax(x·W_rᵀ) [N, E];  y = Σ over the K experts of largest p of w_k·expert_k(x)
// weights=chosen (the default): w = p over the chosen ones' sum, which is the softmax of the chosen
// logits (Mixtral); weights=all: w = p itself (OLMoE, Qwen2-MoE). Without capacity= no slot is
// dropped; with capacity=C an expert has ⌈C·N·K/E⌉ slots, served in the order of tokens, and
// dropped ones add nothing. In training balance=α (0.01) adds α·E·Σ_e f_e·P_e to the loss, f_e the
// part of the N tokens that chose e and P_e the mean of p_e, which is K·α at perfect balance:
// Mixtral's scale, here of every layer by itself; balance_over=sequence averages it over the
// sequences. z=β adds β·mean(lse(logits)²), jitter=ε multiplies the router's input by numbers in [1
// − ε, 1 + ε). Parameters E·(D + expert's), active D·E + K experts', flops per token 2·D·E + K
// experts'. Memory: K·N rows of the design inside, [N, E] in f32. Source: Shazeer et al. 2017;
// Jiang et al. 2024 (Mixtral); Muennighoff et al. 2024 (OLMoE); Zoph et al. 2022 (ST-MoE), z-loss.
#include "ffn/feedforward/dense.h"
#include "ffn/feedforward/moe/routed_experts.h"

namespace ffn::inline v0 {
namespace {

RoutedOptions options_of(const FeedForwardSpec& spec, const FeedForwardSite& site) {
  RoutedOptions options;
  RouterOptions& router = options.router;
  router.experts = experts_of(spec);
  router.top =
      integer_option(spec, "top", std::min<std::int64_t>(2, router.experts), 1, kMaxExperts);
  router.normalise = choice_option(spec, "weights", {"chosen", "all"}) == "chosen";
  router.capacity = number_option(spec, "capacity", 0, 0.01, kMaxExperts);
  // balance_loss() has f relative to K choices a token; here f is of tokens.
  router.balance = number_option(spec, "balance", 0.01, 0, 1e3) * static_cast<double>(router.top);
  router.balance_sequences =
      choice_option(spec, "balance_over", {"batch", "sequence"}) == "sequence";
  router.z = number_option(spec, "z", 0, 0, 1e3);
  router.jitter = number_option(spec, "jitter", 0, 0, 0.99);
  router.init = site.weight_init;
  return options;
}

}  // namespace

DesignEntry moe_design() {
  return {.name = "moe",
          .summary = "each token goes to the K best of E experts",
          .source = "Shazeer et al. 2017, Mixtral",
          .argument = DesignArgument::experts,
          .options = {{"top", "K, experts for a token; 2"},
                      {"weights", "chosen: the chosen scores sum to 1; all: as they are; chosen"},
                      {"capacity", "slots of an expert over its share; none: no slot is dropped"},
                      {"balance", "factor of the load-balance loss; 0.01"},
                      {"balance_over", "batch or sequence; batch"},
                      {"z", "factor of the router's z-loss; 0"},
                      {"jitter", "noise on the router's input in training; 0"}},
          .costs = routed_layer_costs<options_of>,
          .build = make_routed_layer<options_of>};
}

}  // namespace ffn::inline v0
