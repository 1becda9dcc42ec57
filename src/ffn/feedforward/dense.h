// What designs of one hidden layer share: their arguments and their arithmetic.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string_view>

#include "ffn/feedforward/linear_map.h"
#include "ffn/feedforward/registry.h"
#include "ffn/ops/activation.h"

namespace ffn::inline v0 {

// The design's one positional argument. Errors: config naming the nearest activation.
Activation activation_of(const FeedForwardSpec& spec);

// The number of experts, 1 to kMaxExperts, before the design inside. Errors: config.
inline constexpr std::int64_t kMaxExperts = 4096;
std::int64_t experts_of(const FeedForwardSpec& spec);

// An option that is an integer from `least` to `most`; `otherwise` when absent. Errors: config.
std::int64_t integer_option(const FeedForwardSpec& spec, std::string_view key,
                            std::int64_t otherwise, std::int64_t least, std::int64_t most);

// An option that is one of `choices`, the first of them when absent. Errors: config.
std::string_view choice_option(const FeedForwardSpec& spec, std::string_view key,
                               std::initializer_list<std::string_view> choices);

// An option that is a number from `least` to `most`; `otherwise` when absent. Errors: config.
double number_option(const FeedForwardSpec& spec, std::string_view key, double otherwise,
                     double least, double most);

// An option that is true or false; `otherwise` when absent. Errors: config.
bool flag_option(const FeedForwardSpec& spec, std::string_view key, bool otherwise);

// Errors: config naming the design when tokens form no grid.
void check_grid(const FeedForwardSpec& spec, const FeedForwardSite& site);

// hidden=, which with_hidden() has written.
std::int64_t hidden_of(const FeedForwardSpec& spec);

// bias=true or false, in place of the site's.
inline constexpr DesignOption kBiasOption{"bias",
                                          "biases of the linear maps, true or false; the model's"};
// multiple=M: H is rounded up to a multiple of M.
inline constexpr DesignOption kMultipleOption{"multiple", "H is rounded up to a multiple of it",
                                              true};

// The site with the bias that bias= asks for. Errors: config.
FeedForwardSite with_own_bias(const FeedForwardSpec& spec, const FeedForwardSite& site);

// Whether multiple= is given.
bool rounds_up(const FeedForwardSpec& spec);
// H for multiple=M: int(ratio·D), or `otherwise` without a ratio, rounded up to a multiple of M.
// Errors: config.
std::int64_t multiple_hidden(const FeedForwardSpec& spec, std::int64_t width,
                             std::int64_t otherwise);

}  // namespace ffn::inline v0
