// square-gate(act): a gate that needs no third matrix, the square of what it lets through.
//   pre = x·W_upᵀ + b [N, H];  neuron = act(pre) ⊙ pre;  y = neuron·W_downᵀ + b [N, D]
// A design of a program's own, in one file: what CONTRIBUTING.md says a design needs, and nothing
// more. It would stand in src/ffn/feedforward/ just as it stands here.
#include "ffn/feedforward/dense.h"
#include "ffn/feedforward/registry.h"
#include "ffn/ops/arithmetic.h"

namespace ffn::inline v0 {
namespace {

FeedForwardCosts square_gate_costs(const FeedForwardSpec& spec, const FeedForwardSite& site) {
  const std::int64_t D = site.width, H = hidden_of(spec);
  FeedForwardCosts costs;
  costs.parameters = linear_parameters(site, H, D) + linear_parameters(site, D, H);
  costs.active_parameters = costs.parameters;
  costs.flops_per_token = 4 * D * H;
  costs.elementwise_per_token = 2 * H;
  costs.hidden = H;
  return costs;
}

class SquareGate final : public FeedForward {
 public:
  SquareGate(const FeedForwardSpec& spec, const FeedForwardSite& site, ParameterSet& parameters)
      : activation_(activation_of(spec)),
        costs_(square_gate_costs(spec, site)),
        up_(add_linear(parameters, site, "up", costs_.hidden, site.width)),
        down_(add_linear(parameters, site, "down", site.width, costs_.hidden)) {}

  Value forward(Executor& ex, Value x, const TokenRows&) const override {
    const Value pre = ex.tap("pre", up_.forward(ex, std::move(x)));
    Value neuron = ex.tap("neuron", multiply(ex, activation(ex, pre, activation_), pre));
    return ex.tap("out", down_.forward(ex, std::move(neuron)));
  }
  FeedForwardCosts costs() const override { return costs_; }
  std::span<const std::string_view> taps() const override {
    static constexpr std::string_view kTaps[] = {"pre", "neuron", "out"};
    return kTaps;
  }

 private:
  Activation activation_;
  FeedForwardCosts costs_;
  LinearMap up_, down_;
};

}  // namespace

DesignEntry square_gate_design() {
  return {.name = "square-gate",
          .summary = "act(up) times up, then down",
          .source = "an example",
          .hidden = [](const FeedForwardSpec& spec,
                       std::int64_t width) { return ratio_hidden(spec, width, 4); },
          .costs = layer_costs<square_gate_costs>,
          .build = make_layer<SquareGate>};
}

}  // namespace ffn::inline v0
