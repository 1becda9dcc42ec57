// The experts of one design over its runs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "ffn/compare/comparison_result.h"
#include "ffn/train/expert_agreement.h"

namespace ffn::inline v0 {

struct DesignExperts {
  std::int64_t experts = 0;   // E, of one router
  ExpertSummary health;       // means over the runs; dead experts in all layers of a run
  std::size_t agreeing = 0;   // pairs of runs and routers that `agreement` is the mean of
  ExpertAgreement agreement;  // of the first choices on the same tokens; none when agreeing is 0
};

// None when no run has routers to see.
std::optional<DesignExperts> design_experts(const DesignResult& design);
bool has_experts(const ComparisonResult& result);  // any design

// How a router shares its load, busiest expert first, means over the runs: experts of two seeds
// have no order in common.
struct RouterShares {
  RouterPlace place;
  double effective_experts = 0;
  std::vector<double> shares;
};
std::vector<RouterShares> router_shares(const DesignResult& design);

}  // namespace ffn::inline v0
