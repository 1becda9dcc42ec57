// dwconv(act, k=3, linear=false): a depthwise convolution over the token grid between up and
// activation, PVT v2's Mix-FFN.
//   up = x·W_upᵀ + b_up [N, H];  pre = conv_k×k(up) per channel, zero padding;  neuron = act(pre);
//   y = neuron·W_downᵀ + b_down [N, D];  with linear=true (PVT v2-Li) pre = conv_k×k(max(0, up))
// Class tokens stand outside the grid: they skip the convolution. Parameters 2·D·H + (k² + 1)·H
// (+ H + D), flops per grid token 4·D·H + 2·k²·H, H activations (2·H with linear=true). Default H =
// 4·D.
// Source: Wang et al., PVT v2 (Mix-FFN), 2022; no class token there.
#include "ffn/feedforward/convolutional.h"
#include "ffn/feedforward/registry.h"

namespace ffn::inline v0 {
namespace {

bool is_linear(const FeedForwardSpec& spec) {
  return choice_option(spec, "linear", {"false", "true"}) == "true";
}

FeedForwardCosts dwconv_costs(const FeedForwardSpec& spec, const FeedForwardSite& site) {
  check_grid(spec, site);
  const std::int64_t D = site.width, H = hidden_of(spec), k = kernel_side(spec);
  FeedForwardCosts costs;
  costs.parameters =
      linear_parameters(site, H, D) + linear_parameters(site, D, H) + (k * k + 1) * H;
  costs.active_parameters = costs.parameters;
  costs.flops_per_token = linear_flops(site, H, D) + linear_flops(site, D, H) + 2 * k * k * H;
  costs.elementwise_per_token = (is_linear(spec) ? 2 : 1) * H;
  costs.hidden = H;
  return costs;
}

class DwConv final : public FeedForward {
 public:
  DwConv(const FeedForwardSpec& spec, const FeedForwardSite& site, ParameterSet& parameters)
      : activation_(activation_of(spec)),
        first_(is_linear(spec) ? Activation::relu : Activation::identity),
        costs_(dwconv_costs(spec, site)),
        grid_(site.grid),
        up_(add_linear(parameters, site, "up", costs_.hidden, site.width)),
        down_(add_linear(parameters, site, "down", site.width, costs_.hidden)),
        kernel_(parameters, site, {costs_.hidden, kernel_side(spec)}) {}

  Value forward(Executor& ex, Value x, const TokenRows&) const override {
    Value up = activation(ex, up_.forward(ex, std::move(x)), first_);
    Value pre = ex.tap("pre", kernel_.forward(ex, std::move(up), grid_));
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
  Activation activation_, first_;
  FeedForwardCosts costs_;
  TokenGrid grid_;
  LinearMap up_, down_;
  DepthwiseLayer kernel_;
};

}  // namespace

DesignEntry dwconv_design() {
  return {.name = "dwconv",
          .summary = "a depthwise convolution over the token grid before the activation",
          .source = "Wang et al. 2022 (PVT v2)",
          .options = {{"k", "side of the kernel, odd; 3"},
                      {"linear", "true: a ReLU before the convolution, as in PVT v2-Li; false"}},
          .takes_rank = true,
          .hidden = [](const FeedForwardSpec& spec,
                       std::int64_t width) { return ratio_hidden(spec, width, 4); },
          .costs = layer_costs<dwconv_costs>,
          .build = make_layer<DwConv>};
}

}  // namespace ffn::inline v0
