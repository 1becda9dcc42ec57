// glu(act): the gated feed-forward layer; glu(silu) is SwiGLU, glu(gelu) GEGLU, glu(relu) ReGLU,
// glu(sigmoid) GLU and glu(identity) the bilinear layer.
//   pre = x·W_gateᵀ + b_gate [N, H];  act = act(pre);  neuron = act ⊙ (x·W_upᵀ + b_up);
//   y = neuron·W_downᵀ + b_down [N, D]
// Parameters 3·D·H (+ 2·H + D), flops per token 6·D·H, 2·H elementwise. Default H = 8·D/3 rounded
// to the nearest multiple of 8: the 2/3 rule, which keeps the budget of mlp with H = 4·D. Source:
// Shazeer, GLU variants improve Transformer, 2020; there without biases.
#include "ffn/base/faults.h"
#include "ffn/feedforward/dense.h"
#include "ffn/feedforward/registry.h"
#include "ffn/ops/arithmetic.h"

namespace ffn::inline v0 {
namespace {

FeedForwardCosts glu_costs(const FeedForwardSpec& spec, const FeedForwardSite& site) {
  const std::int64_t D = site.width, H = hidden_of(spec);
  FeedForwardCosts costs;
  costs.parameters = 2 * linear_parameters(site, H, D) + linear_parameters(site, D, H);
  costs.active_parameters = costs.parameters;
  costs.flops_per_token = 6 * D * H;
  costs.elementwise_per_token = 2 * H;
  costs.hidden = H;
  return costs;
}

class Glu final : public FeedForward {
 public:
  Glu(const FeedForwardSpec& spec, const FeedForwardSite& site, ParameterSet& parameters)
      : activation_(activation_of(spec)),
        costs_(glu_costs(spec, site)),
        gate_(add_linear(parameters, site, "gate", costs_.hidden, site.width)),
        up_(add_linear(parameters, site, "up", costs_.hidden, site.width)),
        down_(add_linear(parameters, site, "down", site.width, costs_.hidden)) {}

  Value forward(Executor& ex, Value x, std::int64_t) const override {
    const bool swapped = fault(600);
    Value pre = ex.tap("pre", (swapped ? up_ : gate_).forward(ex, x));
    Value act = ex.tap("act", activation(ex, std::move(pre), activation_));
    Value up = (swapped ? gate_ : up_).forward(ex, std::move(x));
    Value neuron = ex.tap("neuron", multiply(ex, std::move(act), std::move(up)));
    return ex.tap("out", down_.forward(ex, std::move(neuron)));
  }
  FeedForwardCosts costs() const override { return costs_; }
  std::span<const std::string_view> taps() const override {
    static constexpr std::string_view kTaps[] = {"pre", "act", "neuron", "out"};
    return kTaps;
  }

 private:
  Activation activation_;
  FeedForwardCosts costs_;
  LinearLayer gate_, up_, down_;
};

// Without a ratio round(8·D/3 / 8)·8.
std::int64_t two_thirds_rule(const FeedForwardSpec& spec, std::int64_t width) {
  return spec.ratio > 0 ? ratio_hidden(spec, width, 0)
                        : std::max<std::int64_t>(8, (width + 1) / 3 * 8);
}

}  // namespace

DesignEntry glu_design() {
  return {.name = "glu",
          .summary = "gated: act(gate) times up, then down",
          .source = "Shazeer 2020",
          .hidden = two_thirds_rule,
          .costs = layer_costs<glu_costs>,
          .build = make_layer<Glu>};
}

}  // namespace ffn::inline v0
