// localvit(act, se=R, norm=batch): LocalViT's locality feed-forward layer. On the rows of the grid,
//   h = act(BN(x·W_upᵀ)) [·, H];  pre = BN(conv_3×3(h));  neuron = act(pre) ⊙ gate;
//   y = BN(neuron·W_downᵀ) [·, D]
// gate = h_sigmoid(W_2·max(0, W_1·mean(act(pre)) + b_1) + b_2) per sequence with H/R numbers inside
// where se=R is given, else 1. The rows before the grid get 0: the block adds h itself, so they
// pass. The block has no norm before this layer and no stochastic depth on it. The convolutions
// have no biases before a batch norm; with norm=none the site's, and the depthwise one its own.
// Parameters 2·D·H + 9·H + 4·H + 2·D (+ 2·H·H/R + H + H/R), flops per grid token 4·D·H + 18·H (and
// 4·H·H/R a sequence), elementwise 4·H + D (+ H). Default H = 4·D.
// Source: Li et al., LocalViT, 2021.
#include <algorithm>

#include "ffn/feedforward/convolutional.h"
#include "ffn/feedforward/registry.h"
#include "ffn/ops/tokens.h"

namespace ffn::inline v0 {
namespace {

ConvolutionalSizes localvit_sizes(const FeedForwardSpec& spec, const FeedForwardSite& site) {
  const bool norm = has_batch_norm(spec);
  return {.width = site.width,
          .hidden = hidden_of(spec),
          .batch_norm = norm,
          .map_bias = !norm && site.bias,
          .kernel_bias = !norm};
}

// At least one number inside, where the source would have none.
std::optional<SequenceGate::Sizes> gate_sizes(const FeedForwardSpec& spec) {
  const std::int64_t reduction = integer_option(spec, "se", 0, 1, std::int64_t{1} << 24);
  if (reduction == 0) return std::nullopt;
  const std::int64_t H = hidden_of(spec);
  return SequenceGate::Sizes{H, std::max<std::int64_t>(1, H / reduction)};
}

FeedForwardCosts localvit_costs(const FeedForwardSpec& spec, const FeedForwardSite& site) {
  check_grid(spec, site);
  FeedForwardCosts costs = convolutional_costs(localvit_sizes(spec, site));
  if (const auto gate = gate_sizes(spec)) {
    costs.parameters += gate->parameters();
    costs.active_parameters = costs.parameters;
    costs.flops_per_token += gate->flops() / GridRows(site.grid).places();
    costs.elementwise_per_token += costs.hidden;
  }
  return costs;
}

class LocalVit final : public FeedForward {
 public:
  LocalVit(const FeedForwardSpec& spec, const FeedForwardSite& site, ParameterSet& parameters)
      : activation_(activation_of(spec)),
        costs_(localvit_costs(spec, site)),
        rows_(site.grid),
        maps_(parameters, site, localvit_sizes(spec, site)) {
    if (const auto sizes = gate_sizes(spec)) gate_.emplace(parameters, site, *sizes);
  }

  Value forward(Executor& ex, Value x, const TokenRows& rows) const override {
    Value places = rows_.places_of(ex, std::move(x), rows.sequences);
    Value hidden = activation(ex, maps_.up(ex, std::move(places)), activation_);  // [B·h·w, H]
    Value pre = ex.tap("pre", maps_.convolve(ex, std::move(hidden)));
    Value neuron = activation(ex, std::move(pre), activation_);
    if (gate_) {
      Value gate =
          gate_->forward(ex, neuron, rows.sequences, Activation::relu, Activation::hardsigmoid);
      neuron =
          gate_tokens(ex, std::move(neuron), std::move(gate), rows.sequences, 0, rows_.places());
    }
    neuron = ex.tap("neuron", std::move(neuron));
    return ex.tap("out", rows_.pad(ex, maps_.down(ex, std::move(neuron)), rows.sequences));
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
  std::optional<SequenceGate> gate_;
};

}  // namespace

DesignEntry localvit_design() {
  return {.name = "localvit",
          .summary = "an inverted residual over the grid instead of norm and layer",
          .source = "Li et al. 2021 (LocalViT)",
          .options = {{"se", "squeeze-excitation with hidden/se numbers inside; none"},
                      {"norm", "batch, or none: no batch norms"}},
          .block = {.norm = false, .drop_path = false},
          .batch_norm = true,
          .hidden = [](const FeedForwardSpec& spec,
                       std::int64_t width) { return ratio_hidden(spec, width, 4); },
          .costs = layer_costs<localvit_costs>,
          .build = make_layer<LocalVit>};
}

}  // namespace ffn::inline v0
