// daff(act, norm=batch, shortcut=yes, gate=yes): DHVT's dynamic aggregation feed-forward layer. On
// the rows of the grid,
//   h = act(BN(x·W_upᵀ + b_up)) [·, H];  pre = BN(conv_3×3(h) + b);  neuron = act(pre) + h;
//   y = BN(neuron·W_downᵀ + b_down) [·, D]
// and the rows before it: y = x ⊙ (W_2·act(W_1·mean(y of the grid) + b_1) + b_2) with D/4 numbers
// inside, per sequence. norm=none leaves the batch norms out, shortcut=no the h that is added,
// gate=no lets the class tokens pass. Parameters 2·D·H + 10·H (+ H + D) + 4·H + 2·D + 2·D·D/4 + D +
// D/4, flops per grid token 4·D·H + 18·H (and 4·D·D/4 a sequence), elementwise 5·H + D. Default H =
// 4·D.
// Source: Lu et al., Bridging the gap between vision Transformers and CNNs on small datasets, 2022.
#include <algorithm>

#include "ffn/base/faults.h"
#include "ffn/feedforward/convolutional.h"
#include "ffn/feedforward/registry.h"
#include "ffn/ops/arithmetic.h"
#include "ffn/ops/tokens.h"

namespace ffn::inline v0 {
namespace {

constexpr std::int64_t kReduction = 4;

bool is_on(const FeedForwardSpec& spec, std::string_view key) {
  return choice_option(spec, key, {"yes", "no"}) == "yes";
}

ConvolutionalSizes daff_sizes(const FeedForwardSpec& spec, const FeedForwardSite& site) {
  return {.width = site.width,
          .hidden = hidden_of(spec),
          .batch_norm = has_batch_norm(spec),
          .map_bias = site.bias};
}

// None where there are no rows to gate.
std::optional<SequenceGate::Sizes> gate_sizes(const FeedForwardSpec& spec,
                                              const FeedForwardSite& site) {
  if (!is_on(spec, "gate") || site.grid.prefix == 0) return std::nullopt;
  return SequenceGate::Sizes{site.width, std::max<std::int64_t>(1, site.width / kReduction)};
}

FeedForwardCosts daff_costs(const FeedForwardSpec& spec, const FeedForwardSite& site) {
  check_grid(spec, site);
  FeedForwardCosts costs = convolutional_costs(daff_sizes(spec, site));
  if (is_on(spec, "shortcut")) costs.elementwise_per_token += costs.hidden;
  if (const auto gate = gate_sizes(spec, site)) {
    costs.parameters += gate->parameters();
    costs.active_parameters = costs.parameters;
    costs.flops_per_token += gate->flops() / GridRows(site.grid).places();
  }
  return costs;
}

class Daff final : public FeedForward {
 public:
  Daff(const FeedForwardSpec& spec, const FeedForwardSite& site, ParameterSet& parameters)
      : activation_(activation_of(spec)),
        shortcut_(is_on(spec, "shortcut")),
        costs_(daff_costs(spec, site)),
        rows_(site.grid),
        maps_(parameters, site, daff_sizes(spec, site)) {
    if (const auto sizes = gate_sizes(spec, site)) gate_.emplace(parameters, site, *sizes);
  }

  Value forward(Executor& ex, Value x, const TokenRows& rows) const override {
    Value prefix = rows_.prefix_of(ex, x, rows.sequences);
    Value places = rows_.places_of(ex, std::move(x), rows.sequences);
    Value neuron = ex.tap("neuron", hidden(ex, std::move(places)));
    Value y = maps_.down(ex, std::move(neuron));
    if (gate_) {
      Value gate = gate_->forward(ex, y, rows.sequences, activation_, Activation::identity);
      prefix =
          gate_tokens(ex, std::move(prefix), std::move(gate), rows.sequences, 0, rows_.prefix());
    }
    return ex.tap("out", rows_.join(ex, std::move(prefix), std::move(y), rows.sequences));
  }
  FeedForwardCosts costs() const override { return costs_; }
  bool mixes_tokens() const override { return true; }
  std::span<const std::string_view> taps() const override {
    static constexpr std::string_view kTaps[] = {"pre", "neuron", "out"};
    return kTaps;
  }

 private:
  Value hidden(Executor& ex, Value places) const {
    Value before = activation(ex, maps_.up(ex, std::move(places)), activation_);  // [B·h·w, H]
    if (!shortcut_) {
      Value pre = ex.tap("pre", maps_.convolve(ex, std::move(before)));
      return activation(ex, std::move(pre), activation_);
    }
    Value pre = ex.tap("pre", maps_.convolve(ex, before));
    if (fault(641)) before = pre;
    return add(ex, activation(ex, std::move(pre), activation_), std::move(before));
  }

  Activation activation_;
  bool shortcut_;
  FeedForwardCosts costs_;
  GridRows rows_;
  ConvolutionalMaps maps_;
  std::optional<SequenceGate> gate_;
};

}  // namespace

DesignEntry daff_design() {
  return {.name = "daff",
          .summary = "leff with a shortcut around the convolution and gated class tokens",
          .source = "Lu et al. 2022 (DHVT)",
          .options = {{"norm", "batch, or none: no batch norms"},
                      {"shortcut", "yes, or no: nothing around the convolution"},
                      {"gate", "yes, or no: class tokens pass untouched"}},
          .batch_norm = true,
          .hidden = [](const FeedForwardSpec& spec,
                       std::int64_t width) { return ratio_hidden(spec, width, 4); },
          .costs = layer_costs<daff_costs>,
          .build = make_layer<Daff>};
}

}  // namespace ffn::inline v0
