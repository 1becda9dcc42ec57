// glu(act): the gated feed-forward layer; glu(silu) is SwiGLU, glu(gelu) GEGLU, glu(relu) ReGLU,
// glu(sigmoid) GLU and glu(identity) the bilinear layer.
//   pre = x·W_gateᵀ + b_gate [N, H];  act = act(pre);  neuron = act ⊙ (x·W_upᵀ + b_up);
//   y = neuron·W_downᵀ + b_down [N, D]
// fused=gate-up keeps gate and up as one matrix "gate_up" [2·H, D], gate's rows first (DINOv2's
// weights_in, Phi-3), fused=up-gate up's first (the GatedMLP of Mamba); one product then makes
// both. Parameters 3·D·H (+ 2·H + D), flops per token 6·D·H, 2·H elementwise. Default H = 8·D/3
// rounded to the nearest multiple of 8: the 2/3 rule, which keeps the budget of mlp with H = 4·D;
// with multiple=M the whole part of 8·D/3 rounded up to a multiple of M, as in LLaMA. bias=true or
// false takes the place of the site's. Source: Shazeer, GLU variants improve Transformer, 2020;
// there without biases.
#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "ffn/base/faults.h"
#include "ffn/feedforward/dense.h"
#include "ffn/feedforward/one_pass.h"
#include "ffn/feedforward/registry.h"
#include "ffn/ops/arithmetic.h"
#include "ffn/ops/view.h"

namespace ffn::inline v0 {
namespace {

enum class Fused { none, gate_up, up_gate };

Fused fused_of(const FeedForwardSpec& spec) {
  const std::string_view text = choice_option(spec, "fused", {"none", "gate-up", "up-gate"});
  return text == "none" ? Fused::none : text == "gate-up" ? Fused::gate_up : Fused::up_gate;
}

FeedForwardCosts glu_costs(const FeedForwardSpec& spec, const FeedForwardSite& where) {
  const FeedForwardSite site = with_own_bias(spec, where);
  const std::int64_t D = site.width, H = hidden_of(spec);
  const std::int64_t maps = fused_of(spec) == Fused::none ? 2 : 1, rows = 2 / maps * H;
  FeedForwardCosts costs;
  costs.parameters = maps * linear_parameters(site, rows, D) + linear_parameters(site, D, H);
  costs.active_parameters = costs.parameters;
  costs.flops_per_token = maps * linear_flops(site, rows, D) + linear_flops(site, D, H);
  costs.elementwise_per_token = 2 * H;
  costs.hidden = H;
  return costs;
}

class Glu final : public FeedForward {
 public:
  Glu(const FeedForwardSpec& spec, const FeedForwardSite& where, ParameterSet& parameters)
      : activation_(activation_of(spec)), fused_(fused_of(spec)), costs_(glu_costs(spec, where)) {
    const FeedForwardSite site = with_own_bias(spec, where);
    const std::int64_t D = site.width, H = costs_.hidden;
    if (fused_ == Fused::none) {
      in_.push_back(add_linear(parameters, site, "gate", H, D));
      in_.push_back(add_linear(parameters, site, "up", H, D));
    } else {
      in_.push_back(add_linear(parameters, site, "gate_up", 2 * H, D));
    }
    down_.emplace(add_linear(parameters, site, "down", D, H));
  }

  Value forward(Executor& ex, Value x, const TokenRows& rows) const override {
    if (fused_ == Fused::none)
      if (auto y = one_pass(ex, x, rows, {&in_[0], in_[1], *down_, activation_}, taps())) return *y;
    auto [gate, up] = branches(ex, std::move(x), rows);
    Value pre = ex.tap("pre", std::move(gate));
    Value act = ex.tap("act", activation(ex, std::move(pre), activation_));
    Value neuron = ex.tap("neuron", multiply(ex, std::move(act), std::move(up)));
    return ex.tap("out", down_->forward(ex, std::move(neuron), rows));
  }
  FeedForwardCosts costs() const override { return costs_; }
  std::span<const std::string_view> taps() const override {
    static constexpr std::string_view kTaps[] = {"pre", "act", "neuron", "out"};
    return kTaps;
  }

 private:
  // Gate and up, each [N, H].
  std::pair<Value, Value> branches(Executor& ex, Value x, const TokenRows& rows) const {
    if (fused_ == Fused::none) {
      const std::size_t gate = fault(600) ? 1 : 0;
      Value first = in_[gate].forward(ex, x, rows);
      return {std::move(first), in_[1 - gate].forward(ex, std::move(x), rows)};
    }
    const std::int64_t halves[] = {costs_.hidden, costs_.hidden};
    Values parts = split_cols(ex, in_[0].forward(ex, std::move(x), rows), halves);
    const std::size_t gate = (fused_ == Fused::up_gate) != fault(602) ? 1 : 0;
    return {std::move(parts[gate]), std::move(parts[1 - gate])};
  }

  Activation activation_;
  Fused fused_;
  FeedForwardCosts costs_;
  std::vector<LinearMap> in_;  // gate and up, or both as one
  std::optional<LinearMap> down_;
};

std::int64_t two_thirds_rule(const FeedForwardSpec& spec, std::int64_t width) {
  if (rounds_up(spec)) return multiple_hidden(spec, width, 8 * width / 3);
  return spec.ratio > 0 ? ratio_hidden(spec, width, 0)
                        : std::max<std::int64_t>(8, (width + 1) / 3 * 8);
}

}  // namespace

DesignEntry glu_design() {
  return {.name = "glu",
          .summary = "gated: act(gate) times up, then down",
          .source = "Shazeer 2020",
          .options = {kBiasOption,
                      kMultipleOption,
                      {"fused", "one matrix of gate and up: gate-up, up-gate or none; none"}},
          .takes_rank = true,
          .takes_experts = true,
          .hidden = two_thirds_rule,
          .costs = layer_costs<glu_costs>,
          .build = make_layer<Glu>};
}

}  // namespace ffn::inline v0
