#include "ffn/compare/design_experts.h"

#include <algorithm>
#include <functional>

#include "ffn/base/faults.h"

namespace ffn::inline v0 {
namespace {

// Runs of one design have the same routers in the same order.
bool same_places(const RunResult& a, const RunResult& b) {
  return std::ranges::equal(a.experts, b.experts, {}, &RouterHealth::place, &RouterHealth::place);
}

void add_agreement(const RunResult& a, const RunResult& b, DesignExperts& experts) {
  if (!same_places(a, b)) return;
  for (std::size_t i = 0; i < a.experts.size(); ++i) {
    const std::vector<std::int32_t>& first = a.experts[i].first_choices;
    const std::vector<std::int32_t>& second = b.experts[i].first_choices;
    if (first.empty() || first.size() != second.size()) continue;
    const ExpertAgreement one = expert_agreement(first, second);
    experts.agreement.agreement += one.agreement;
    experts.agreement.by_chance += one.by_chance;
    ++experts.agreeing;
  }
}

}  // namespace

std::optional<DesignExperts> design_experts(const DesignResult& design) {
  DesignExperts experts;
  double runs = 0;
  for (std::size_t i = 0; i < design.runs.size(); ++i) {
    const RunResult& run = design.runs[i];
    if (run.experts.empty()) continue;
    experts.experts = static_cast<std::int64_t>(run.experts[0].health.load.size());
    const ExpertSummary one = summary_of(run.experts);
    experts.health.effective_experts += one.effective_experts;
    experts.health.router_entropy += one.router_entropy;
    experts.health.dropped_share += one.dropped_share;
    experts.health.dead_experts += one.dead_experts;
    ++runs;
    for (std::size_t other = 0; other < i; ++other) add_agreement(run, design.runs[other], experts);
  }
  if (runs == 0) return std::nullopt;
  for (double* sum : {&experts.health.effective_experts, &experts.health.router_entropy,
                      &experts.health.dropped_share, &experts.health.dead_experts})
    *sum /= runs;
  if (experts.agreeing > 0) {
    experts.agreement.agreement /= static_cast<double>(experts.agreeing);
    experts.agreement.by_chance /= static_cast<double>(experts.agreeing);
  }
  return experts;
}

bool has_experts(const ComparisonResult& result) {
  return std::ranges::any_of(result.designs, [](const DesignResult& design) {
    return std::ranges::any_of(design.runs,
                               [](const RunResult& run) { return !run.experts.empty(); });
  });
}

std::vector<RouterShares> router_shares(const DesignResult& design) {
  std::vector<RouterShares> all;
  double runs = 0;
  for (const RunResult& run : design.runs) {
    if (run.experts.empty() || (runs > 0 && run.experts.size() != all.size())) continue;
    all.resize(run.experts.size());
    ++runs;
    for (std::size_t i = 0; i < all.size(); ++i) {
      std::vector<double> shares = run.experts[i].health.load;
      if (!fault(705)) std::ranges::sort(shares, std::greater<>());
      all[i].place = run.experts[i].place;
      all[i].effective_experts += run.experts[i].health.effective_experts;
      all[i].shares.resize(shares.size());
      for (std::size_t e = 0; e < shares.size(); ++e) all[i].shares[e] += shares[e];
    }
  }
  for (RouterShares& router : all) {
    router.effective_experts /= runs;
    for (double& share : router.shares) share /= runs;
  }
  return all;
}

}  // namespace ffn::inline v0
