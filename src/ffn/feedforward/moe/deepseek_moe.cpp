// deepseek-moe(E, DESIGN, top=K, shared=S): many narrow experts, and some that every token meets.
//   s = softmax(x·W_rᵀ), or sigmoid with scores=sigmoid [N, E]
//   y = shared(x) + Σ over the K experts of largest s + b of w_k·expert_k(x)
// w = s of the chosen ones; normalise=true divides by their sum; scaling=F multiplies. The shared
// experts are one layer of S·H hidden units, or shared_hidden; shared_gate=true multiplies it by
// σ(x·W_gᵀ) (Qwen2-MoE). groups=G, top_groups=g: experts of the best g of G equal groups alone may
// be chosen; a group's score is its largest s + b (V2), with sigmoid the sum of its two largest
// (V3), and other groups count as −∞ (transformers has 0, which differs where s + b is negative).
// In training balance=α (0.001) adds α·Σ_e f_e·P_e to the loss, f_e = E/(K·T)·choices of e and P_e
// the mean of s_e (sigmoid: of s_e over the row's sum), per sequence of T tokens and averaged over
// these, or over the batch with balance_over=batch: α at perfect balance. bias_rate=γ: b, a state
// that starts at 0, moves by γ·sign(mean load − load) when a step ends; without it b is 0.
// Parameters E·(D + expert's) + shared's, active D·E + K experts' + shared's, flops likewise. No
// slot is dropped. Source: Dai et al. 2024 (DeepSeekMoE); DeepSeek-V2, -V3 2024; Wang et al. 2024
// (bias instead of a loss); Yang et al. 2024 (Qwen2). Loss over devices is not here.
#include <cmath>

#include "ffn/base/error.h"
#include "ffn/feedforward/dense.h"
#include "ffn/feedforward/moe/routed_experts.h"

namespace ffn::inline v0 {
namespace {

RoutedOptions options_of(const FeedForwardSpec& spec, const FeedForwardSite& site) {
  RoutedOptions options;
  options.shared = integer_option(spec, "shared", 1, 0, kMaxExperts);
  options.shared_gate = flag_option(spec, "shared_gate", false);
  options.shared_hidden = integer_option(spec, "shared_hidden", 0, 1, kMaxHidden);
  check(!options.shared_gate || options.shared > 0, ErrorKind::config, "design", "'",
        to_string(spec), "': shared_gate=true without shared experts");
  check(options.shared_hidden == 0 || options.shared > 0, ErrorKind::config, "design", "'",
        to_string(spec), "': shared_hidden= without shared experts");
  RouterOptions& router = options.router;
  router.experts = experts_of(spec);
  router.top =
      integer_option(spec, "top", std::min<std::int64_t>(6, router.experts), 1, kMaxExperts);
  const bool sigmoid = choice_option(spec, "scores", {"softmax", "sigmoid"}) == "sigmoid";
  router.scores = sigmoid ? RouterScores::sigmoid : RouterScores::softmax;
  router.normalise = flag_option(spec, "normalise", false);
  router.scaling = number_option(spec, "scaling", 1, 1e-6, 1e6);
  router.groups = integer_option(spec, "groups", 1, 1, kMaxExperts);
  router.top_groups = integer_option(spec, "top_groups", router.groups, 1, kMaxExperts);
  router.group_terms = sigmoid ? 2 : 1;
  router.balance = number_option(spec, "balance", 0.001, 0, 1e3);
  router.balance_sequences =
      choice_option(spec, "balance_over", {"sequence", "batch"}) == "sequence";
  router.bias_rate = number_option(spec, "bias_rate", 0, 0, 1);
  // Kaiming's uniform with a = √5.
  router.init = {Init::Kind::uniform, 0, 1 / std::sqrt(static_cast<double>(site.width))};
  return options;
}

}  // namespace

DesignEntry deepseek_moe_design() {
  return {.name = "deepseek-moe",
          .summary = "the K best of many narrow experts, and shared ones for every token",
          .source = "Dai et al. 2024, DeepSeek-V2 and -V3, Qwen2-MoE",
          .argument = DesignArgument::experts,
          .options = {{"top", "K, experts for a token; 6"},
                      {"shared", "S, experts that every token meets; 1"},
                      {"shared_gate", "true: a gate of one number on the shared experts; false"},
                      {"shared_hidden", "hidden width of all shared experts together; S times H"},
                      {"scores", "softmax or sigmoid; softmax"},
                      {"normalise", "true: the chosen scores are divided by their sum; false"},
                      {"scaling", "factor of the weights; 1"},
                      {"groups", "equal groups of experts; 1"},
                      {"top_groups", "groups that are looked into; all"},
                      {"balance", "factor of the load-balance loss; 0.001"},
                      {"balance_over", "sequence or batch; sequence"},
                      {"bias_rate", "step of the bias that balances the choice; 0: no bias"}},
          .costs = routed_layer_costs<options_of>,
          .build = make_routed_layer<options_of>};
}

}  // namespace ffn::inline v0
