#include "ffn/train/expert_health.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>

#include "ffn/base/faults.h"

namespace ffn::inline v0 {
namespace {

constexpr double kCollapse = 0.1;  // of the experts beyond K

// An entropy of E outcomes over the largest one that they can have.
double over_log(double entropy, std::size_t E) {
  return E > 1 && std::isfinite(entropy) ? entropy / std::log(static_cast<double>(E)) : 0;
}

// Experts in effect, as a whole number that a token can choose.
std::size_t experts_in_effect(const RouterHealth& router) {
  const auto effective = static_cast<std::int64_t>(std::lround(router.health.effective_experts));
  const auto experts = static_cast<std::int64_t>(router.health.load.size());
  return static_cast<std::size_t>(std::clamp(effective, std::min(router.top, experts), experts));
}

// "97 % of the slots"; rounded down, so that only all of them are called so.
std::string share_text(double share, const char* of) {
  const auto percent = static_cast<int>(std::floor(100 * share + 1e-9));
  return percent >= 100 ? std::string("all ") + of
                        : std::to_string(percent) + " % of the " + std::string(of);
}

}  // namespace

double entropy_of(std::span<const double> shares) {
  double sum = 0;
  for (const double share : shares)
    if (share > 0) sum -= share * std::log(share);
  return sum;
}

// log Z − Σ e^(l − m)·(l − m)/Z with m the largest logit: one exponential each.
double softmax_entropy(std::span<const float> logits) {
  if (logits.empty()) return 0;
  const float largest = *std::ranges::max_element(logits);
  double sum = 0, weighted = 0;
  for (const float logit : logits) {
    const float below = logit - largest;
    const auto exponential = static_cast<double>(std::exp(below));
    sum += exponential;
    weighted += exponential * static_cast<double>(below);
  }
  return over_log(std::log(sum) - weighted / sum, logits.size());
}

double weights_entropy(std::span<const float> weights) {
  double entropy = 0;
  for (const float weight : weights) {
    if (!std::isfinite(weight)) return 0;
    if (weight > 0) entropy -= static_cast<double>(weight * std::log(weight));
  }
  return over_log(entropy, weights.size());
}

ExpertHealth health_of_shares(std::vector<double> shares) {
  ExpertHealth health;
  const double sum = std::accumulate(shares.begin(), shares.end(), 0.0);
  if (sum > 0) {
    for (double& share : shares) share /= sum;
    const double entropy = entropy_of(shares);
    health.effective_experts = fault(616) ? std::exp2(entropy) : std::exp(entropy);
    health.largest_share = std::ranges::max(shares);
  }
  health.dead_experts = std::ranges::count(shares, 0.0);
  health.load = std::move(shares);
  return health;
}

ExpertHealth health_of(const ExpertLoad& load) {
  ExpertHealth health = health_of_shares(load.slots);
  const auto part = [](double sum, std::int64_t of) {
    return of > 0 ? sum / static_cast<double>(of) : 0;
  };
  health.router_entropy = part(load.entropy_sum, load.tokens);
  health.dropped_share = part(static_cast<double>(load.dropped), load.offered);
  return health;
}

ExpertSummary summary_of(std::span<const RouterHealth> routers) {
  ExpertSummary summary;
  for (const RouterHealth& router : routers) {
    summary.effective_experts += router.health.effective_experts;
    summary.router_entropy += router.health.router_entropy;
    summary.dropped_share += router.health.dropped_share;
    summary.dead_experts += static_cast<double>(router.health.dead_experts);
  }
  const double count = static_cast<double>(std::max<std::size_t>(1, routers.size()));
  summary.effective_experts /= count;
  summary.router_entropy /= count;
  summary.dropped_share /= count;
  return summary;
}

bool is_collapsed(const RouterHealth& router) {
  const auto experts = static_cast<double>(router.health.load.size());
  const auto top = static_cast<double>(router.top);
  return experts > top && router.health.effective_experts <= top + kCollapse * (experts - top);
}

std::string load_text(const RouterHealth& router) {
  std::vector<double> load = router.health.load;
  std::ranges::sort(load, std::greater<>());
  const std::size_t used = experts_in_effect(router);
  const double share =
      std::accumulate(load.begin(), load.begin() + static_cast<std::ptrdiff_t>(used), 0.0);
  const bool beside_a_map = !router.place.part.empty();
  std::string text = "layer " + std::to_string(router.place.layer);
  if (beside_a_map) text += ", " + router.place.part;
  text += beside_a_map ? ": its router gives " + share_text(share, "weight")
                       : ": its router sends " + share_text(share, "slots");
  return text + " to " + std::to_string(used) + " of " + std::to_string(load.size()) + " experts";
}

}  // namespace ffn::inline v0
