#include "ffn/feedforward/match.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "ffn/base/error.h"
#include "ffn/base/faults.h"

namespace ffn::inline v0 {
namespace {

constexpr std::int64_t kMaxMatched = std::int64_t{1}
                                     << 23;  // the largest hidden width is twice that

double cost(const FeedForwardSpec& spec, Budget budget, const FeedForwardSite& site,
            const DesignRegistry& designs) {
  const FeedForwardCosts costs = designs.costs(spec, site);
  if (fault(601)) budget = Budget::parameters;
  switch (budget) {
    case Budget::parameters: return static_cast<double>(costs.parameters);
    case Budget::active_parameters: return static_cast<double>(costs.active_parameters);
    case Budget::flops: return static_cast<double>(costs.flops_per_token);
    case Budget::bytes: return static_cast<double>(costs.bytes_at_one_token(DType::f32));
  }
  return 0;
}

// Where a cost that grows with the hidden width is `wanted`, linear between whole widths and below
// 1: most costs are linear in it, one with a product of two hidden widths is not.
template <class CostOf>
double crossing(const CostOf& cost_of, double wanted) {
  std::int64_t below = 1, above = 2;
  while (cost_of(above) < wanted && above < kMaxMatched) {
    below = above;
    above *= 2;
  }
  while (above - below > 1) {
    const std::int64_t middle = below + (above - below) / 2;
    (cost_of(middle) < wanted ? below : above) = middle;
  }
  const double least = cost_of(below);
  return static_cast<double>(below) + (wanted - least) / (cost_of(above) - least);
}

}  // namespace

Budget parse_budget(std::string_view text) {
  constexpr std::pair<std::string_view, Budget> kBudgets[] = {{"params", Budget::parameters},
                                                              {"active", Budget::active_parameters},
                                                              {"flops", Budget::flops},
                                                              {"bytes", Budget::bytes}};
  for (const auto& [name, budget] : kBudgets)
    if (name == text) return budget;
  fail(ErrorKind::config, "match", "'", text, "' is no budget; expected params, active, flops or ",
       "bytes");
}

MatchResult match_hidden(const FeedForwardSpec& spec, const FeedForwardSpec& target, Budget budget,
                         const FeedForwardSite& site, const DesignRegistry& designs) {
  FeedForwardSpec with = spec;
  FeedForwardSpec& part = designs.sized(with);
  const auto sets_hidden = [&](const DesignOption& option) {
    return option.sizes_hidden && part.options.contains(std::string(option.key));
  };
  check(part.ratio == 0 && !part.options.contains("hidden") &&
            std::ranges::none_of(designs.at(part.design).options, sets_hidden),
        ErrorKind::config, "match", "'", to_string(spec),
        "' sets its hidden width, which matching would choose; leave one out");
  const auto with_width = [&](std::int64_t hidden) {
    part.options["hidden"] = std::to_string(hidden);
    return with;
  };
  const double wanted = cost(target, budget, site, designs);
  const std::int64_t least = designs.at(part.design).hidden_unit;
  // A width that every design takes: a site or option that it does not is named here.
  cost(with_width(least << 16), budget, site, designs);
  // Widths that a design refuses as too narrow, as lowrank does below its rank, cost nothing.
  const auto cost_of = [&](std::int64_t units) {
    try {
      return cost(with_width(units * least), budget, site, designs);
    } catch (const Error&) {
      return 0.0;
    }
  };
  const double one = cost_of(1);
  const double exact = crossing(cost_of, wanted) * static_cast<double>(least);
  check(exact >= 0.5 * static_cast<double>(least), ErrorKind::config, "match", "'",
        to_string(target), "' costs ", wanted, ", less than a single neuron of '", to_string(spec),
        "' (", one, ")");
  const double narrowest = std::max(1.0, std::floor(exact / static_cast<double>(least)));
  check(cost_of(static_cast<std::int64_t>(narrowest)) > 0, ErrorKind::config, "match", "'",
        to_string(target), "' costs ", wanted, ", less than the narrowest '", to_string(spec),
        "' that there is");
  const auto unit = static_cast<double>(exact >= 64 ? std::lcm(std::int64_t{8}, least) : least);
  const auto hidden = static_cast<std::int64_t>(std::max(1.0, std::round(exact / unit)) * unit);
  MatchResult result{with_width(hidden), 0};
  result.ratio = cost(result.spec, budget, site, designs) / wanted;
  return result;
}

}  // namespace ffn::inline v0
