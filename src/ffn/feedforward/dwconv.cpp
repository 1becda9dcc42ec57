// dwconv(act, k=3): a depthwise convolution over the token grid between up and activation.
//   up = x·W_upᵀ + b_up [N, H];  pre = conv_k×k(up) per channel, zero padding;  neuron = act(pre);
//   y = neuron·W_downᵀ + b_down [N, D]
// Class tokens stand outside the grid: they skip the convolution. Parameters 2·D·H + (k² + 1)·H
// (+ H + D), flops per grid token 4·D·H + 2·k²·H, H activations. Default H = 4·D.
// Source: Wang et al., PVT v2 (Mix-FFN), 2022; no class token there.
#include <cmath>

#include "ffn/base/error.h"
#include "ffn/feedforward/dense.h"
#include "ffn/feedforward/registry.h"

namespace ffn::inline v0 {
namespace {

std::int64_t kernel_of(const FeedForwardSpec& spec) {
  const std::int64_t k = integer_option(spec, "k", 3, 1, 31);
  check(k % 2 == 1, ErrorKind::config, "design", "'", to_string(spec), "': k is ", k,
        "; expected an odd number");
  return k;
}

FeedForwardCosts dwconv_costs(const FeedForwardSpec& spec, const FeedForwardSite& site) {
  check_grid(spec, site);
  const std::int64_t D = site.width, H = hidden_of(spec), k = kernel_of(spec);
  FeedForwardCosts costs;
  costs.parameters =
      linear_parameters(site, H, D) + linear_parameters(site, D, H) + (k * k + 1) * H;
  costs.active_parameters = costs.parameters;
  costs.flops_per_token = linear_flops(site, H, D) + linear_flops(site, D, H) + 2 * k * k * H;
  costs.elementwise_per_token = H;
  costs.hidden = H;
  return costs;
}

class DwConv final : public FeedForward {
 public:
  DwConv(const FeedForwardSpec& spec, const FeedForwardSite& site, ParameterSet& parameters)
      : activation_(activation_of(spec)),
        costs_(dwconv_costs(spec, site)),
        grid_(site.grid),
        up_(add_linear(parameters, site, "up", costs_.hidden, site.width)),
        down_(add_linear(parameters, site, "down", site.width, costs_.hidden)) {
    const std::int64_t H = costs_.hidden, k = kernel_of(spec);
    // PVT v2's: normal with variance 2/(k²·channels/groups).
    const Init init{Init::Kind::normal, 0, std::sqrt(2.0 / static_cast<double>(k * k))};
    kernel_ = &parameters.add(site.name("dwconv") + ".weight", {H, k * k}, {.init = init});
    bias_ = &parameters.add(site.name("dwconv") + ".bias", {H}, {.decay = false});
  }

  Value forward(Executor& ex, Value x, std::int64_t) const override {
    Value up = up_.forward(ex, std::move(x));
    Value pre = ex.tap("pre", depthwise_conv(ex, std::move(up), ex.parameter(*kernel_),
                                             ex.parameter(*bias_), grid_));
    Value neuron = ex.tap("neuron", activation(ex, std::move(pre), activation_));
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
  TokenGrid grid_;
  LinearMap up_, down_;
  Parameter* kernel_;
  Parameter* bias_;
};

}  // namespace

DesignEntry dwconv_design() {
  return {.name = "dwconv",
          .summary = "a depthwise convolution over the token grid before the activation",
          .source = "Wang et al. 2022 (PVT v2)",
          .options = {{"k", "side of the kernel, odd; 3"}},
          .takes_rank = true,
          .hidden = [](const FeedForwardSpec& spec,
                       std::int64_t width) { return ratio_hidden(spec, width, 4); },
          .costs = layer_costs<dwconv_costs>,
          .build = make_layer<DwConv>};
}

}  // namespace ffn::inline v0
