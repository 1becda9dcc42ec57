// What designs of one hidden layer share: their arguments and their arithmetic.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string_view>

#include "ffn/feedforward/registry.h"
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

// A linear map of a design, y = x·Wᵀ + b. At a site of rank R > 0 it is y = (x·Aᵀ)·Bᵀ + b with
// "<name>.a.weight" [R, in] and "<name>.b.weight" [out, R], "<name>.b.bias". Entries of B·A start
// with the standard deviation that the site gives those of W.
class LinearMap {
 public:
  LinearMap(ParameterSet& parameters, const FeedForwardSite& site, std::string_view part,
            std::int64_t out, std::int64_t in);
  Value forward(Executor& ex, Value x) const;

 private:
  LinearLayer first_;
  std::optional<LinearLayer> second_;  // B
};

// "up", "gate" [H, D] or "down" [D, H] with a bias as the site has it. Errors: config when the
// site's rank exceeds a side.
LinearMap add_linear(ParameterSet& parameters, const FeedForwardSite& site, std::string_view part,
                     std::int64_t out, std::int64_t in);

// Parameters of such a map, bias included, and its flops for one token. Errors: config as above.
std::int64_t linear_parameters(const FeedForwardSite& site, std::int64_t out, std::int64_t in);
std::int64_t linear_flops(const FeedForwardSite& site, std::int64_t out, std::int64_t in);

}  // namespace ffn::inline v0
