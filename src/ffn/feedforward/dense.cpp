#include "ffn/feedforward/dense.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <utility>
#include <vector>

#include "ffn/base/check.h"
#include "ffn/base/error.h"
#include "ffn/base/nearest.h"

namespace ffn::inline v0 {
namespace {

constexpr Activation kActivations[] = {
    Activation::relu,      Activation::gelu,        Activation::gelu_tanh, Activation::quick_gelu,
    Activation::silu,      Activation::relu2,       Activation::sigmoid,   Activation::tanh,
    Activation::hardswish, Activation::hardsigmoid, Activation::identity};

}  // namespace

Activation activation_of(const FeedForwardSpec& spec) {
  check(spec.words.size() == 1, ErrorKind::config, "design", "'", to_string(spec), "' has ",
        spec.words.size(), " plain arguments; ", spec.design, " takes one, its activation, as in ",
        spec.design, "(gelu)");
  std::vector<std::string_view> names;
  for (const Activation kind : kActivations) {
    if (to_string(kind) == spec.words[0]) return kind;
    names.push_back(to_string(kind));
  }
  fail(ErrorKind::config, "design", "unknown activation '", spec.words[0], "'",
       did_you_mean(spec.words[0], names));
}

std::int64_t integer_option(const FeedForwardSpec& spec, std::string_view key,
                            std::int64_t otherwise, std::int64_t least, std::int64_t most) {
  const auto found = spec.options.find(std::string(key));
  if (found == spec.options.end()) return otherwise;
  const std::string& text = found->second;
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  check(error == std::errc{} && end == text.data() + text.size() && value >= least && value <= most,
        ErrorKind::config, "design", "'", to_string(spec), "': ", key, " is ", text,
        "; expected an integer from ", least, " to ", most);
  return value;
}

std::string_view choice_option(const FeedForwardSpec& spec, std::string_view key,
                               std::initializer_list<std::string_view> choices) {
  const auto found = spec.options.find(std::string(key));
  if (found == spec.options.end()) return *choices.begin();
  std::string expected;
  for (const std::string_view choice : choices) {
    if (choice == found->second) return choice;
    expected.append(expected.empty() ? "" : " or ").append(choice);
  }
  fail(ErrorKind::config, "design", "'", to_string(spec), "': ", key, " is ", found->second,
       "; expected ", expected);
}

void check_grid(const FeedForwardSpec& spec, const FeedForwardSite& site) {
  check(site.grid.height > 0 && site.grid.width > 0, ErrorKind::config, "design", "'",
        to_string(spec), "' mixes neighbours on a grid of tokens; these tokens have none");
}

std::int64_t hidden_of(const FeedForwardSpec& spec) {
  return integer_option(spec, "hidden", 0, 1, kMaxHidden);
}

FeedForwardSite with_own_bias(const FeedForwardSpec& spec, const FeedForwardSite& site) {
  FeedForwardSite own = site;
  if (spec.options.contains(std::string(kBiasOption.key)))
    own.bias = choice_option(spec, kBiasOption.key, {"true", "false"}) == "true";
  return own;
}

bool rounds_up(const FeedForwardSpec& spec) {
  return spec.options.contains(std::string(kMultipleOption.key));
}

std::int64_t multiple_hidden(const FeedForwardSpec& spec, std::int64_t width,
                             std::int64_t otherwise) {
  const std::int64_t M = integer_option(spec, kMultipleOption.key, 1, 1, kMaxHidden);
  if (spec.ratio > 0) {
    // The cap keeps the conversion defined; with_hidden() refuses what lies beyond kMaxHidden.
    const double exact = std::min(spec.ratio * static_cast<double>(width), 2.0 * kMaxHidden);
    otherwise = static_cast<std::int64_t>(exact);
  }
  return (otherwise + M - 1) / M * M;
}

namespace {

void check_rank(const FeedForwardSite& site, std::int64_t out, std::int64_t in) {
  check(site.rank <= std::min(out, in), ErrorKind::config, "design", "a rank of ", site.rank,
        " saves nothing in a map whose shorter side is ", std::min(out, in));
}

// Of the two factors of a map whose weight would start as `whole`. Entries of B·A are sums of R
// products: for factors drawn as s·z, z of standard deviation c, theirs is √R·(s·c)². It is
// that of the whole, std·c, for s = √(std/(c·√R)).
Init factor_init(const Init& whole, std::int64_t rank) {
  FFN_ASSERT(whole.mean == 0);
  double c = 1;
  switch (whole.kind) {
    case Init::Kind::constant: return whole;
    case Init::Kind::normal: break;
    // √(1 − 2·2·φ(2)/(2·Φ(2) − 1)), φ and Φ the standard normal's density and distribution.
    case Init::Kind::truncated_normal: c = 0.87962566103423978; break;
    case Init::Kind::uniform: c = std::sqrt(1.0 / 3); break;
  }
  Init factor = whole;
  factor.std = std::sqrt(whole.std / (c * std::sqrt(static_cast<double>(rank))));
  return factor;
}

LinearLayer first_factor(ParameterSet& parameters, const FeedForwardSite& site,
                         std::string_view part, std::int64_t out, std::int64_t in) {
  check_rank(site, out, in);
  if (site.rank == 0) return {parameters, site.name(part), {out, in, site.bias}, site.weight_init};
  return {parameters,
          site.name(part) + ".a",
          {site.rank, in, false},
          factor_init(site.weight_init, site.rank)};
}

}  // namespace

LinearMap::LinearMap(ParameterSet& parameters, const FeedForwardSite& site, std::string_view part,
                     std::int64_t out, std::int64_t in)
    : first_(first_factor(parameters, site, part, out, in)) {
  if (site.rank == 0) return;
  second_.emplace(parameters, site.name(part) + ".b", LinearLayer::Sizes{out, site.rank, site.bias},
                  factor_init(site.weight_init, site.rank));
}

Value LinearMap::forward(Executor& ex, Value x) const {
  Value y = first_.forward(ex, std::move(x));
  return second_ ? second_->forward(ex, std::move(y)) : y;
}

LinearMap add_linear(ParameterSet& parameters, const FeedForwardSite& site, std::string_view part,
                     std::int64_t out, std::int64_t in) {
  return {parameters, site, part, out, in};
}

std::int64_t linear_parameters(const FeedForwardSite& site, std::int64_t out, std::int64_t in) {
  check_rank(site, out, in);
  const std::int64_t weights = site.rank > 0 ? site.rank * (out + in) : out * in;
  return weights + (site.bias ? out : 0);
}

std::int64_t linear_flops(const FeedForwardSite& site, std::int64_t out, std::int64_t in) {
  check_rank(site, out, in);
  return 2 * (site.rank > 0 ? site.rank * (out + in) : out * in);
}

}  // namespace ffn::inline v0
