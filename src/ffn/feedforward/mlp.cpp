// mlp(act): the plain feed-forward layer.
//   pre = x·W_upᵀ + b_up [N, H];  neuron = act(pre);  y = neuron·W_downᵀ + b_down [N, D]
// Parameters 2·D·H (+ H + D), flops per token 4·D·H, H activations. Default H = 4·D; multiple=M
// rounds it up. bias=true or false takes the place of the site's.
// Source: Vaswani et al., Attention is all you need, 2017.
#include "ffn/feedforward/dense.h"
#include "ffn/feedforward/one_pass.h"
#include "ffn/feedforward/registry.h"

namespace ffn::inline v0 {
namespace {

FeedForwardCosts mlp_costs(const FeedForwardSpec& spec, const FeedForwardSite& where) {
  const FeedForwardSite site = with_own_bias(spec, where);
  const std::int64_t D = site.width, H = hidden_of(spec);
  FeedForwardCosts costs;
  costs.parameters = linear_parameters(site, H, D) + linear_parameters(site, D, H);
  costs.active_parameters = costs.parameters;
  costs.flops_per_token = linear_flops(site, H, D) + linear_flops(site, D, H);
  costs.elementwise_per_token = H;
  costs.hidden = H;
  return costs;
}

class Mlp final : public FeedForward {
 public:
  Mlp(const FeedForwardSpec& spec, const FeedForwardSite& site, ParameterSet& parameters)
      : activation_(activation_of(spec)),
        costs_(mlp_costs(spec, site)),
        up_(add_linear(parameters, with_own_bias(spec, site), "up", costs_.hidden, site.width)),
        down_(
            add_linear(parameters, with_own_bias(spec, site), "down", site.width, costs_.hidden)) {}

  Value forward(Executor& ex, Value x, const TokenRows& rows) const override {
    if (auto y = one_pass(ex, x, rows, {nullptr, up_, down_, activation_}, taps())) return *y;
    Value pre = ex.tap("pre", up_.forward(ex, std::move(x), rows));
    Value neuron = ex.tap("neuron", activation(ex, std::move(pre), activation_));
    return ex.tap("out", down_.forward(ex, std::move(neuron), rows));
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

std::int64_t four_times(const FeedForwardSpec& spec, std::int64_t width) {
  return rounds_up(spec) ? multiple_hidden(spec, width, 4 * width) : ratio_hidden(spec, width, 4);
}

}  // namespace

DesignEntry mlp_design() {
  return {.name = "mlp",
          .summary = "linear, activation, linear",
          .source = "Vaswani et al. 2017",
          .options = {kBiasOption, kMultipleOption},
          .takes_rank = true,
          .takes_experts = true,
          .hidden = four_times,
          .costs = layer_costs<mlp_costs>,
          .build = make_layer<Mlp>};
}

}  // namespace ffn::inline v0
