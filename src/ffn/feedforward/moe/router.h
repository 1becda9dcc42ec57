// Which experts a token goes to, with what weight, and what keeps the choice balanced.
#pragma once

#include <cstdint>
#include <optional>

#include "ffn/base/philox.h"
#include "ffn/feedforward/feed_forward.h"
#include "ffn/ops/routing.h"

namespace ffn::inline v0 {

enum class RouterScores { softmax, sigmoid };

struct RouterOptions {
  std::int64_t experts = 1, top = 1;  // E, K
  RouterScores scores = RouterScores::softmax;
  bool normalise = true;  // the chosen scores are divided by their sum
  double scaling = 1;     // of the weights
  std::int64_t groups = 1, top_groups = 1, group_terms = 1;  // of ChooseOptions
  double capacity = 0;             // an expert has ⌈capacity·N·K/E⌉ slots; 0: all slots are served
  double balance = 0;              // coefficient of balance_loss()
  bool balance_sequences = false;  // over each sequence, not the batch
  double z = 0;                    // coefficient of z_loss()
  double jitter = 0;               // of the router's input
  double bias_rate = 0;            // > 0: a bias of the choice moves by so much a step
  Init init = {};                  // of the weight
};

struct Routed {
  Slots slots;
  Value weights;  // [R, 1], of the rows as `slots` lists them; 0 where a position is empty
};

// logits = x·Wᵀ, s = softmax or sigmoid of them [N, E], experts = the top K of s + bias,
// w = s of these (over their sum) times scaling. Always in f32, also where x is bf16; weight
// "router.weight" [E, D], no bias in the map.
// In training: z_loss() on the logits, balance_loss() on s, jitter() on x; the bias is the state
// "router.e_score_correction_bias" [E], starts at 0, and move_bias() moves it when the step ends.
// Taps: "router" the logits [N, E], "choice" i32 [N, K], "dispatch" i32 [R], the row at every
// position, −1 where there is none. Memory: some [N, E] in f32, and the lists. Flops per token
// 2·D·E.
class Router {
 public:
  // Errors: config when K is not in [1, E] or groups do not fit.
  Router(const RouterOptions& options, const FeedForwardSite& site, ParameterSet& parameters);
  Routed forward(Executor& ex, const Value& x, const TokenRows& rows) const;

  const RouterOptions& options() const { return options_; }
  static void check_options(const RouterOptions& options);
  static constexpr std::string_view kTaps[] = {"router", "choice", "dispatch"};

 private:
  Value logits(Executor& ex, const Value& x) const;
  Chosen choose(Executor& ex, const Value& scores) const;
  Value balanced(Executor& ex, Value scores, const Tensor& expert, std::int64_t sequences) const;

  RouterOptions options_;
  Parameter* weight_;
  State* bias_ = nullptr;  // null: none
  RandomStream jitter_stream_;
};

}  // namespace ffn::inline v0
