// How evenly a router uses its experts: what was counted, and what that says.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace ffn::inline v0 {

// Counted over some tokens at one router.
struct ExpertLoad {
  // [E] slots that each expert was given: choices, served or not; tokens, where experts choose; the
  // sum of the weights, where every expert serves every token.
  std::vector<double> slots;
  double entropy_sum = 0;  // over tokens, of the router's softmax, over log E
  std::int64_t tokens = 0;
  // Slots that were chosen, and those that a full expert did not serve. Where experts choose:
  // tokens, and those that no expert took.
  std::int64_t offered = 0, dropped = 0;

  friend bool operator==(const ExpertLoad&, const ExpertLoad&) = default;
};

struct ExpertHealth {
  double effective_experts = 0;  // exp of the entropy of the load: E when all have the same share
  double largest_share = 0;      // of the load
  // Mean over tokens of the entropy of softmax(logits) over log E (also where the scores are
  // sigmoids): 0 when each token is sure of one expert, 1 when it has no preference.
  double router_entropy = 0;
  double dropped_share = 0;
  std::int64_t dead_experts = 0;  // without a single slot
  std::vector<double> load;  // [E] shares: they sum to 1, or all are 0 when nothing was counted
};

// H = −Σ p·log p of shares or weights, in nats. What is not positive adds nothing.
double entropy_of(std::span<const double> shares);
// Of softmax(logits), or of weights that sum to 1, over log E: in [0, 1]; 0 for a single expert and
// where a value is not finite.
double softmax_entropy(std::span<const float> logits);
double weights_entropy(std::span<const float> weights);

ExpertHealth health_of(const ExpertLoad& load);
// The part of it that follows from the load alone: the rest is 0.
ExpertHealth health_of_shares(std::vector<double> shares);

// Where a router stands: its layer, counted from 0 as in the names of weights, and, when a layer
// has several, the map that its experts stand beside ("up"); else empty.
struct RouterPlace {
  std::int64_t layer = 0;
  std::string part;

  friend bool operator==(const RouterPlace&, const RouterPlace&) = default;
};

struct RouterLoad {
  RouterPlace place;
  std::int64_t top = 1;  // K, experts that a token chooses
  bool warned = false;   // its collapse has been told
  ExpertLoad load;

  friend bool operator==(const RouterLoad&, const RouterLoad&) = default;
};

struct RouterHealth {
  RouterPlace place;
  std::int64_t top = 1;
  ExpertHealth health;
  // Of the first tokens: the expert that each likes best. Empty where they were not kept.
  std::vector<std::int32_t> first_choices;
};

// Of several routers; zeros of none.
struct ExpertSummary {
  double effective_experts = 0, router_entropy = 0, dropped_share = 0;  // means
  double dead_experts = 0;                                              // in all of them
};
ExpertSummary summary_of(std::span<const RouterHealth> routers);

// True when hardly more experts are used than a single token needs: effective_experts ≤ K +
// (E − K)/10. Never where a token chooses all.
bool is_collapsed(const RouterHealth& router);
// "layer 2: its router sends 97 % of the slots to 2 of 8 experts", with as many experts as are in
// effect.
std::string load_text(const RouterHealth& router);

}  // namespace ffn::inline v0
