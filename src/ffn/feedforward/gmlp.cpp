// gmlp(act): one gate that mixes the tokens of a sequence, in place of attention or beside it.
//   [u, v] = act(x·W_upᵀ + b_up), halves [N, H/2] each of the hidden width H;
//   mixed[b, t] = Σ_s W_spatial[t, s]·norm(v)[b, s] + b_spatial[t] for each sequence b of T tokens;
//   neuron = u ⊙ mixed [N, H/2];  y = neuron·W_downᵀ + b_down [N, D]
// norm is a layer norm over the H/2 channels. The neurons, columns of down [D, H/2], are H/2: that
// is costs().hidden, while hidden= is H, the d_ffn of the paper, and even. W_spatial [T, T] has as
// many rows as a sequence has tokens: the layer takes sequences of that length only. Refused where
// a token must not see later ones, and where the model does not say T.
// Parameters D·H + D·H/2 + T² + T + H (+ H + D), flops per token 3·D·H + T·H, 2·H elementwise.
// Default H = 6·D. b_spatial starts at 1 and W_spatial at 1e-6·normal, so
// that a layer starts as act(x·W_uᵀ)·W_downᵀ.
// Source: Liu et al., Pay attention to MLPs, 2021, which says "near zero" and no number.
#include "ffn/base/error.h"
#include "ffn/feedforward/dense.h"
#include "ffn/ops/arithmetic.h"
#include "ffn/ops/mix_tokens.h"
#include "ffn/ops/norm.h"
#include "ffn/ops/view.h"

namespace ffn::inline v0 {
namespace {

FeedForwardCosts gmlp_costs(const FeedForwardSpec& spec, const FeedForwardSite& site) {
  check(!site.causal, ErrorKind::config, "design", "'", to_string(spec),
        "' mixes all tokens of a sequence; here a token must not see later ones");
  check(site.tokens > 0, ErrorKind::config, "design", "'", to_string(spec),
        "' has a weight per pair of tokens; the model does not say how many a sequence has");
  const std::int64_t D = site.width, H = hidden_of(spec), T = site.tokens;
  FeedForwardCosts costs;
  costs.parameters =
      linear_parameters(site, H, D) + linear_parameters(site, D, H / 2) + T * T + T + H;
  costs.active_parameters = costs.parameters;
  costs.flops_per_token = linear_flops(site, H, D) + linear_flops(site, D, H / 2) + T * H;
  costs.elementwise_per_token = H + H / 2 + H / 2;  // act, norm, gate
  costs.hidden = H / 2;
  return costs;
}

class GatedTokens final : public FeedForward {
 public:
  GatedTokens(const FeedForwardSpec& spec, const FeedForwardSite& site, ParameterSet& parameters)
      : activation_(activation_of(spec)),
        costs_(gmlp_costs(spec, site)),
        tokens_(site.tokens),
        up_(add_linear(parameters, site, "up", 2 * costs_.hidden, site.width)),
        down_(add_linear(parameters, site, "down", site.width, costs_.hidden)) {
    const auto vector = [&](std::string_view part, std::string_view kind, std::int64_t count,
                            double first, bool full) {
      const Init init{Init::Kind::constant, first, 0};
      return &parameters.add(site.name(part).append(kind), {count},
                             {.decay = false, .full_precision = full, .init = init});
    };
    norm_weight_ = vector("norm", ".weight", costs_.hidden, 1, true);
    norm_bias_ = vector("norm", ".bias", costs_.hidden, 0, true);
    spatial_ = &parameters.add(site.name("spatial") + ".weight", {tokens_, tokens_},
                               {.init = {Init::Kind::normal, 0, 1e-6}});
    spatial_bias_ = vector("spatial", ".bias", tokens_, 1, false);
  }

  Value forward(Executor& ex, Value x, const TokenRows& rows) const override {
    check(x.rows() == rows.sequences * tokens_, ErrorKind::shape, "gmlp", "x is ", x.shape(),
          " with ", rows.sequences, " sequences; this layer mixes sequences of ", tokens_,
          " tokens");
    const std::int64_t halves[] = {costs_.hidden, costs_.hidden};
    Value pre = ex.tap("pre", up_.forward(ex, std::move(x)));
    Value act = ex.tap("act", activation(ex, std::move(pre), activation_));
    Values parts = split_cols(ex, std::move(act), halves);
    Value v =
        layer_norm(ex, std::move(parts[1]), ex.parameter(*norm_weight_), ex.parameter(*norm_bias_));
    Value mixed = ex.tap("mixed", mix_tokens(ex, std::move(v), ex.parameter(*spatial_),
                                             ex.parameter(*spatial_bias_), rows.sequences));
    Value neuron = ex.tap("neuron", multiply(ex, std::move(parts[0]), std::move(mixed)));
    return ex.tap("out", down_.forward(ex, std::move(neuron)));
  }
  FeedForwardCosts costs() const override { return costs_; }
  bool mixes_tokens() const override { return true; }
  std::span<const std::string_view> taps() const override {
    static constexpr std::string_view kTaps[] = {"pre", "act", "mixed", "neuron", "out"};
    return kTaps;
  }

 private:
  Activation activation_;
  FeedForwardCosts costs_;
  std::int64_t tokens_;
  LinearMap up_, down_;
  Parameter* norm_weight_;
  Parameter* norm_bias_;
  Parameter* spatial_;
  Parameter* spatial_bias_;
};

std::int64_t six_times(const FeedForwardSpec& spec, std::int64_t width) {
  return ratio_hidden(spec, width, 6) / 2 * 2;
}

}  // namespace

DesignEntry gmlp_design() {
  return {.name = "gmlp",
          .summary = "half the channels gate the other half, mixed over the tokens",
          .source = "Liu et al. 2021 (gMLP)",
          .hidden_unit = 2,
          .takes_rank = true,
          .hidden = six_times,
          .costs = layer_costs<gmlp_costs>,
          .build = make_layer<GatedTokens>};
}

}  // namespace ffn::inline v0
