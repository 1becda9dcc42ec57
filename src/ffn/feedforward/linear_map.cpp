#include "ffn/feedforward/linear_map.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "ffn/base/check.h"
#include "ffn/base/error.h"
#include "ffn/ops/arithmetic.h"
#include "ffn/ops/grouped_linear.h"
#include "ffn/ops/linear.h"

namespace ffn::inline v0 {
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

}  // namespace

LinearMap::Factor LinearMap::add_factor(ParameterSet& parameters, const FeedForwardSite& site,
                                        const FactorShape& shape) {
  const std::int64_t E = site.experts;
  const auto add = [&](const char* kind, const Shape& whole, ParameterOptions options) {
    options.frozen = site.lora.has_value();
    const auto named = [&](std::string name) { return name.append(shape.suffix).append(kind); };
    for (std::int64_t e = 0; e < E; ++e)
      options.block_names.push_back(named(site.expert_name(shape.part, e)));
    return &parameters.add(named(site.name(shape.part)), whole, options);
  };
  Factor factor;
  factor.weight =
      add(".weight", {std::max<std::int64_t>(E, 1) * shape.out, shape.in}, {.init = shape.init});
  if (shape.bias)
    factor.bias = add(".bias", E > 0 ? Shape{E, shape.out} : Shape{shape.out}, {.decay = false});
  return factor;
}

LinearMap::LinearMap(ParameterSet& parameters, const FeedForwardSite& site, std::string_view part,
                     std::int64_t out, std::int64_t in)
    : experts_(site.experts) {
  check_rank(site, out, in);
  const std::int64_t R = site.rank;
  if (R == 0) {
    first_ = add_factor(parameters, site, {part, "", out, in, site.bias, site.weight_init});
  } else {
    const Init init = factor_init(site.weight_init, R);
    first_ = add_factor(parameters, site, {part, ".a", R, in, false, init});
    second_ = add_factor(parameters, site, {part, ".b", out, R, site.bias, init});
  }
  if (site.lora) lora_.emplace(parameters, site, part, out, in);
}

Value LinearMap::apply(Executor& ex, const Factor& factor, Value x, const TokenRows& rows) const {
  const Value bias = factor.bias == nullptr ? Value() : ex.parameter(*factor.bias);
  const Value weight = ex.parameter(*factor.weight);
  if (experts_ == 0) return linear(ex, std::move(x), weight, bias);
  return grouped_linear(ex, std::move(x), weight, rows.expert_offsets, experts_, bias);
}

Value LinearMap::forward(Executor& ex, Value x, const TokenRows& rows) const {
  Value added = lora_ ? lora_->forward(ex, x, rows) : Value();
  Value y = apply(ex, first_, std::move(x), rows);
  if (second_) y = apply(ex, *second_, std::move(y), rows);
  return lora_ ? add(ex, std::move(y), added) : y;
}

LinearMap add_linear(ParameterSet& parameters, const FeedForwardSite& site, std::string_view part,
                     std::int64_t out, std::int64_t in) {
  return {parameters, site, part, out, in};
}

std::int64_t linear_parameters(const FeedForwardSite& site, std::int64_t out, std::int64_t in) {
  check_rank(site, out, in);
  const std::int64_t weights = site.rank > 0 ? site.rank * (out + in) : out * in;
  const std::int64_t lora = site.lora ? LoraMap::parameters(*site.lora, out, in) : 0;
  return weights + (site.bias ? out : 0) + lora;
}

std::int64_t linear_flops(const FeedForwardSite& site, std::int64_t out, std::int64_t in) {
  check_rank(site, out, in);
  const std::int64_t weights = site.rank > 0 ? site.rank * (out + in) : out * in;
  return 2 * (weights + (site.lora ? LoraMap::parameters(*site.lora, out, in) : 0));
}

}  // namespace ffn::inline v0
