// tiny(act, layers=2): a small network of equal hidden layers, computed as one operation.
//   h_1 = act(x·W_inᵀ) [N, H];  h_{l+1} = act(h_l·W_lᵀ);  y = h_L·W_outᵀ [N, D]
// One buffer of weights, no biases; H is 16, 32, 64 or 128. Parameters 2·D·H + (L − 1)·H², flops
// per token twice that, L·H activations. Default H = 64. At inference nothing of size [N, H] is
// stored; training keeps x and computes the hidden values again. Source: Müller et al., Real-time
// neural radiance caching for path tracing, 2021 (tiny-cuda-nn), which pads D to multiples of 16 in
// the buffer and computes in f16; here nothing is padded.
#include <cmath>

#include "ffn/base/error.h"
#include "ffn/feedforward/dense.h"
#include "ffn/feedforward/registry.h"
#include "ffn/ops/linear.h"
#include "ffn/ops/tiny_network.h"
#include "ffn/ops/view.h"

namespace ffn::inline v0 {
namespace {

TinyNetworkShape shape_of(const FeedForwardSpec& spec, const FeedForwardSite& site) {
  TinyNetworkShape shape;
  shape.in = shape.out = site.width;
  shape.width = hidden_of(spec);
  shape.hidden_layers = integer_option(spec, "layers", 2, 1, 16);
  shape.activation = activation_of(spec);
  const std::int64_t H = shape.width;
  check(H == 16 || H == 32 || H == 64 || H == 128, ErrorKind::config, "design", "'",
        to_string(spec), "': hidden is ", H, "; expected 16, 32, 64 or 128");
  return shape;
}

FeedForwardCosts tiny_costs(const FeedForwardSpec& spec, const FeedForwardSite& site) {
  const TinyNetworkShape shape = shape_of(spec, site);
  FeedForwardCosts costs;
  costs.parameters = costs.active_parameters = shape.weights();
  costs.flops_per_token = 2 * shape.weights();
  costs.elementwise_per_token = shape.hidden_layers * shape.width;
  costs.hidden = shape.width;
  return costs;
}

// Xavier's uniform of each matrix, as in the source.
ParameterOptions first_values(const TinyNetworkShape& shape) {
  ParameterOptions options;
  for (std::int64_t l = 0; l <= shape.hidden_layers; ++l) {
    const double fans = static_cast<double>(shape.in_of(l) + shape.out_of(l));
    options.parts.push_back(
        {shape.in_of(l) * shape.out_of(l), {Init::Kind::uniform, 0, std::sqrt(6 / fans)}});
  }
  return options;
}

class Tiny final : public FeedForward {
 public:
  Tiny(const FeedForwardSpec& spec, const FeedForwardSite& site, ParameterSet& parameters)
      : shape_(shape_of(spec, site)),
        costs_(tiny_costs(spec, site)),
        weights_(&parameters.add(site.name("network") + ".weight", {1, shape_.weights()},
                                 first_values(shape_))) {}

  Value forward(Executor& ex, Value x, const TokenRows&) const override {
    const Value weights = ex.parameter(*weights_);
    // What lies between the layers exists in the composition only.
    Value y = ex.tapped("pre") || ex.tapped("neuron")
                  ? composition(ex, std::move(x), weights)
                  : tiny_network(ex, std::move(x), weights, shape_);
    return ex.tap("out", std::move(y));
  }
  FeedForwardCosts costs() const override { return costs_; }
  std::span<const std::string_view> taps() const override {
    static constexpr std::string_view kTaps[] = {"pre", "neuron", "out"};
    return kTaps;
  }

 private:
  Value matrix(Executor& ex, const Value& weights, std::int64_t l) const {
    const std::int64_t out = shape_.out_of(l), in = shape_.in_of(l);
    // As rows of one element a part of the buffer has no gaps.
    const Value rows = reshape(ex, weights, {shape_.weights(), 1});
    return reshape(ex, slice_rows(ex, rows, shape_.offset(l), out * in), {out, in});
  }
  // Ordinary layers; the taps are the last hidden layer's.
  Value composition(Executor& ex, Value x, const Value& weights) const {
    for (std::int64_t l = 0; l < shape_.hidden_layers; ++l) {
      const bool last = l + 1 == shape_.hidden_layers;
      x = linear(ex, std::move(x), matrix(ex, weights, l));
      if (last) x = ex.tap("pre", std::move(x));
      x = activation(ex, std::move(x), shape_.activation);
      if (last) x = ex.tap("neuron", std::move(x));
    }
    return linear(ex, std::move(x), matrix(ex, weights, shape_.hidden_layers));
  }

  TinyNetworkShape shape_;
  FeedForwardCosts costs_;
  Parameter* weights_;
};

}  // namespace

DesignEntry tiny_design() {
  return {.name = "tiny",
          .summary = "a small network of several layers in one fused operation, without biases",
          .source = "Müller et al. 2021 (tiny-cuda-nn)",
          .options = {{"layers", "hidden layers; 2"}},
          .hidden =
              [](const FeedForwardSpec& spec, std::int64_t width) {
                return spec.ratio > 0 ? ratio_hidden(spec, width, 0) : std::int64_t{64};
              },
          .costs = layer_costs<tiny_costs>,
          .build = make_layer<Tiny>};
}

}  // namespace ffn::inline v0
