// causal-dwconv(act, k=3): a depthwise convolution over each sequence that looks back only, between
// up and activation.
//   up = x·W_upᵀ + b_up [N, H];  pre[t] = b + Σ_{j<k} w[j] ⊙ up[t − (k − 1) + j], zeros before the
//   first token of a sequence;  neuron = act(pre);  y = neuron·W_downᵀ + b_down [N, D]
// Every row takes part, class tokens too where there are some. Parameters 2·D·H + (k + 1)·H (+ H +
// D), flops per token 4·D·H + 2·k·H, H activations. Default H = 4·D.
// Source: Mix-FFN (Wang et al., PVT v2, 2022) with the convolution of Mamba (Gu & Dao, 2023), which
// stands before a recurrence there.
#include <cmath>

#include "ffn/feedforward/dense.h"
#include "ffn/feedforward/registry.h"
#include "ffn/ops/causal_conv.h"

namespace ffn::inline v0 {
namespace {

std::int64_t taps_of(const FeedForwardSpec& spec) { return integer_option(spec, "k", 3, 1, 64); }

FeedForwardCosts causal_dwconv_costs(const FeedForwardSpec& spec, const FeedForwardSite& site) {
  const std::int64_t D = site.width, H = hidden_of(spec), k = taps_of(spec);
  FeedForwardCosts costs;
  costs.parameters = linear_parameters(site, H, D) + linear_parameters(site, D, H) + (k + 1) * H;
  costs.active_parameters = costs.parameters;
  costs.flops_per_token = linear_flops(site, H, D) + linear_flops(site, D, H) + 2 * k * H;
  costs.elementwise_per_token = H;
  costs.hidden = H;
  return costs;
}

class CausalDwConv final : public FeedForward {
 public:
  CausalDwConv(const FeedForwardSpec& spec, const FeedForwardSite& site, ParameterSet& parameters)
      : activation_(activation_of(spec)),
        costs_(causal_dwconv_costs(spec, site)),
        up_(add_linear(parameters, site, "up", costs_.hidden, site.width)),
        down_(add_linear(parameters, site, "down", site.width, costs_.hidden)) {
    const std::int64_t H = costs_.hidden, k = taps_of(spec);
    // As dwconv's: normal with variance 2/k for k taps.
    const Init init{Init::Kind::normal, 0, std::sqrt(2.0 / static_cast<double>(k))};
    const std::string name = site.name("dwconv");
    kernel_ = &parameters.add(name + ".weight", {H, k}, {.init = init});
    bias_ = &parameters.add(name + ".bias", {H}, {.decay = false});
  }

  Value forward(Executor& ex, Value x, const TokenRows& rows) const override {
    Value up = up_.forward(ex, std::move(x));
    Value pre = ex.tap("pre", causal_conv(ex, std::move(up), ex.parameter(*kernel_),
                                          ex.parameter(*bias_), rows.sequences));
    Value neuron = ex.tap("neuron", activation(ex, std::move(pre), activation_));
    return ex.tap("out", down_.forward(ex, std::move(neuron)));
  }
  FeedForwardCosts costs() const override { return costs_; }
  bool mixes_tokens() const override { return true; }
  std::span<const std::string_view> taps() const override {
    static constexpr std::string_view kTaps[] = {"pre", "neuron", "out"};
    return kTaps;
  }

 private:
  Activation activation_;
  FeedForwardCosts costs_;
  LinearMap up_, down_;
  Parameter* kernel_;
  Parameter* bias_;
};

}  // namespace

DesignEntry causal_dwconv_design() {
  return {.name = "causal-dwconv",
          .summary = "a depthwise convolution over earlier tokens before the activation",
          .source = "Wang et al. 2022 (PVT v2), Gu & Dao 2023 (Mamba)",
          .options = {{"k", "tokens that it sees, its own included; 3"}},
          .takes_rank = true,
          .hidden = [](const FeedForwardSpec& spec,
                       std::int64_t width) { return ratio_hidden(spec, width, 4); },
          .costs = layer_costs<causal_dwconv_costs>,
          .build = make_layer<CausalDwConv>};
}

}  // namespace ffn::inline v0
