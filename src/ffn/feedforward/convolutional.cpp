#include "ffn/feedforward/convolutional.h"

#include <cmath>
#include <utility>

#include "ffn/base/error.h"
#include "ffn/ops/tokens.h"

namespace ffn::inline v0 {
namespace {

FeedForwardSite with_bias(FeedForwardSite site, bool bias) {
  site.bias = bias;
  return site;
}

std::optional<BatchNormLayer> norm_of(ParameterSet& parameters, const FeedForwardSite& site,
                                      std::string_view map, const ConvolutionalSizes& sizes,
                                      std::int64_t channels) {
  if (!sizes.batch_norm) return std::nullopt;
  return BatchNormLayer(parameters, site.name(map) + "_norm", channels);
}

}  // namespace

std::int64_t kernel_side(const FeedForwardSpec& spec) {
  const std::int64_t k = integer_option(spec, "k", 3, 1, 31);
  check(k % 2 == 1, ErrorKind::config, "design", "'", to_string(spec), "': k is ", k,
        "; expected an odd number");
  return k;
}

bool has_batch_norm(const FeedForwardSpec& spec) {
  return choice_option(spec, "norm", {"batch", "none"}) == "batch";
}

DepthwiseLayer::DepthwiseLayer(ParameterSet& parameters, const FeedForwardSite& site,
                               const Sizes& sizes) {
  const std::int64_t places = sizes.side * sizes.side;
  // PVT v2's: normal with variance 2/(k²·channels/groups).
  const Init init{Init::Kind::normal, 0, std::sqrt(2.0 / static_cast<double>(places))};
  const std::string name = site.name("dwconv");
  weight_ = &parameters.add(name + ".weight", {sizes.channels, places}, {.init = init});
  bias_ =
      sizes.bias ? &parameters.add(name + ".bias", {sizes.channels}, {.decay = false}) : nullptr;
}

Value DepthwiseLayer::forward(Executor& ex, Value x, const TokenGrid& grid) const {
  const Value bias = bias_ == nullptr ? Value() : ex.parameter(*bias_);
  return depthwise_conv(ex, std::move(x), ex.parameter(*weight_), bias, grid);
}

FeedForwardCosts convolutional_costs(const ConvolutionalSizes& sizes) {
  const std::int64_t D = sizes.width, H = sizes.hidden, places = sizes.side * sizes.side;
  FeedForwardCosts costs;
  costs.parameters = 2 * D * H + places * H;
  if (sizes.map_bias) costs.parameters += H + D;
  if (sizes.kernel_bias) costs.parameters += H;
  if (sizes.batch_norm) costs.parameters += 4 * H + 2 * D;
  costs.active_parameters = costs.parameters;
  costs.flops_per_token = 4 * D * H + 2 * places * H;
  costs.elementwise_per_token = 2 * H + (sizes.batch_norm ? 2 * H + D : 0);
  costs.hidden = H;
  return costs;
}

ConvolutionalMaps::ConvolutionalMaps(ParameterSet& parameters, const FeedForwardSite& site,
                                     const ConvolutionalSizes& sizes)
    : grid_{site.grid.height, site.grid.width, 0},
      up_(add_linear(parameters, with_bias(site, sizes.map_bias), "up", sizes.hidden, sizes.width)),
      down_(add_linear(parameters, with_bias(site, sizes.map_bias), "down", sizes.width,
                       sizes.hidden)),
      kernel_(parameters, site, {sizes.hidden, sizes.side, sizes.kernel_bias}),
      up_norm_(norm_of(parameters, site, "up", sizes, sizes.hidden)),
      kernel_norm_(norm_of(parameters, site, "dwconv", sizes, sizes.hidden)),
      down_norm_(norm_of(parameters, site, "down", sizes, sizes.width)) {}

Value ConvolutionalMaps::normed(Executor& ex, const std::optional<BatchNormLayer>& norm, Value x) {
  return norm ? norm->forward(ex, std::move(x)) : x;
}

Value ConvolutionalMaps::up(Executor& ex, Value x) const {
  return normed(ex, up_norm_, up_.forward(ex, std::move(x)));
}

Value ConvolutionalMaps::convolve(Executor& ex, Value x) const {
  return normed(ex, kernel_norm_, kernel_.forward(ex, std::move(x), grid_));
}

Value ConvolutionalMaps::down(Executor& ex, Value x) const {
  return normed(ex, down_norm_, down_.forward(ex, std::move(x)));
}

Value GridRows::places_of(Executor& ex, Value x, std::int64_t sequences) const {
  return take_tokens(ex, std::move(x), sequences, grid_.prefix, places());
}

Value GridRows::prefix_of(Executor& ex, Value x, std::int64_t sequences) const {
  if (grid_.prefix == 0) return {};
  return take_tokens(ex, std::move(x), sequences, 0, grid_.prefix);
}

Value GridRows::join(Executor& ex, Value prefix, Value places, std::int64_t sequences) const {
  if (grid_.prefix == 0) return places;
  return join_tokens(ex, std::move(prefix), std::move(places), sequences);
}

Value GridRows::pad(Executor& ex, Value places, std::int64_t sequences) const {
  return pad_tokens(ex, std::move(places), sequences, grid_.prefix, 0);
}

SequenceGate::SequenceGate(ParameterSet& parameters, const FeedForwardSite& site,
                           const Sizes& sizes)
    : squeeze_(
          add_linear(parameters, with_bias(site, true), "squeeze", sizes.reduced, sizes.channels)),
      excite_(
          add_linear(parameters, with_bias(site, true), "excite", sizes.channels, sizes.reduced)) {}

Value SequenceGate::forward(Executor& ex, Value x, std::int64_t sequences, Activation inner,
                            Activation outer) const {
  const std::int64_t places = sequences > 0 ? x.rows() / sequences : 1;
  Value mean = mean_tokens(ex, std::move(x), sequences, 0, places);  // [B, C]
  Value reduced = activation(ex, squeeze_.forward(ex, std::move(mean)), inner);
  return activation(ex, excite_.forward(ex, std::move(reduced)), outer);
}

}  // namespace ffn::inline v0
