// What designs of one hidden layer share: their arguments and their arithmetic.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string_view>

#include "ffn/feedforward/feed_forward.h"
#include "ffn/feedforward/spec.h"
#include "ffn/layers/linear_layer.h"
#include "ffn/ops/activation.h"

namespace ffn::inline v0 {

// The design's one positional argument. Errors: config naming the nearest activation.
Activation activation_of(const FeedForwardSpec& spec);

// An option that is an integer from `least` to `most`; `otherwise` when absent. Errors: config.
std::int64_t integer_option(const FeedForwardSpec& spec, std::string_view key,
                            std::int64_t otherwise, std::int64_t least, std::int64_t most);

// An option that is one of `choices`, the first of them when absent. Errors: config.
std::string_view choice_option(const FeedForwardSpec& spec, std::string_view key,
                               std::initializer_list<std::string_view> choices);

// Errors: config naming the design when tokens form no grid.
void check_grid(const FeedForwardSpec& spec, const FeedForwardSite& site);

// hidden=, which with_hidden() has written.
std::int64_t hidden_of(const FeedForwardSpec& spec);

// "up", "gate" [H, D] or "down" [D, H] with a bias as the site has it.
LinearLayer add_linear(ParameterSet& parameters, const FeedForwardSite& site, std::string_view part,
                       std::int64_t out, std::int64_t in);

// Parameters of such a map, bias included.
inline std::int64_t linear_parameters(const FeedForwardSite& site, std::int64_t out,
                                      std::int64_t in) {
  return out * in + (site.bias ? out : 0);
}

}  // namespace ffn::inline v0
