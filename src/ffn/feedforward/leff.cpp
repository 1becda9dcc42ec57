// leff(act, k=3, norm=batch): CeiT's locally-enhanced feed-forward layer. On the rows of the grid,
//   h = act(BN(x·W_upᵀ + b_up)) [·, H];  pre = BN(conv_k×k(h) + b);  neuron = act(pre);
//   y = BN(neuron·W_downᵀ + b_down) [·, D]
// and the rows before it pass untouched: y = x. No class token enters the statistics. norm=none
// leaves the three batch norms out. Parameters 2·D·H + (k² + 1)·H (+ H + D) + 4·H + 2·D, flops per
// grid token 4·D·H + 2·k²·H, elementwise 4·H + D. Default H = 4·D.
// Source: Yuan et al., Incorporating convolution designs into visual Transformers, 2021.
#include "ffn/base/faults.h"
#include "ffn/feedforward/convolutional.h"
#include "ffn/feedforward/registry.h"

namespace ffn::inline v0 {
namespace {

ConvolutionalSizes leff_sizes(const FeedForwardSpec& spec, const FeedForwardSite& site) {
  return {.width = site.width,
          .hidden = hidden_of(spec),
          .side = kernel_side(spec),
          .batch_norm = has_batch_norm(spec),
          .map_bias = site.bias};
}

FeedForwardCosts leff_costs(const FeedForwardSpec& spec, const FeedForwardSite& site) {
  check_grid(spec, site);
  return convolutional_costs(leff_sizes(spec, site));
}

class Leff final : public FeedForward {
 public:
  Leff(const FeedForwardSpec& spec, const FeedForwardSite& site, ParameterSet& parameters)
      : activation_(activation_of(spec)),
        costs_(leff_costs(spec, site)),
        rows_(site.grid),
        maps_(parameters, site, leff_sizes(spec, site)) {}

  Value forward(Executor& ex, Value x, const TokenRows& rows) const override {
    Value prefix = rows_.prefix_of(ex, x, rows.sequences);
    Value up = fault(640) ? rows_.places_of(ex, maps_.up(ex, std::move(x)), rows.sequences)
                          : maps_.up(ex, rows_.places_of(ex, std::move(x), rows.sequences));
    Value hidden = activation(ex, std::move(up), activation_);  // [B·h·w, H]
    Value pre = ex.tap("pre", maps_.convolve(ex, std::move(hidden)));
    Value neuron = ex.tap("neuron", activation(ex, std::move(pre), activation_));
    Value y = maps_.down(ex, std::move(neuron));
    return ex.tap("out", rows_.join(ex, std::move(prefix), std::move(y), rows.sequences));
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
  GridRows rows_;
  ConvolutionalMaps maps_;
};

}  // namespace

DesignEntry leff_design() {
  return {
      .name = "leff",
      .summary = "three convolutions with batch norms over the grid; class tokens pass",
      .source = "Yuan et al. 2021 (CeiT)",
      .options = {{"k", "side of the kernel, odd; 3"}, {"norm", "batch, or none: no batch norms"}},
      .batch_norm = true,
      .hidden = [](const FeedForwardSpec& spec,
                   std::int64_t width) { return ratio_hidden(spec, width, 4); },
      .costs = layer_costs<leff_costs>,
      .build = make_layer<Leff>};
}

}  // namespace ffn::inline v0
