// Experts for a made-up comparison.
#pragma once

#include <cmath>
#include <cstdint>
#include <vector>

#include "compare/made_up_comparison.h"
#include "ffn/compare/comparison_result.h"

namespace ffn {

// Two layers of `experts` whose shares fall by `ratio` from one to the next, in an order of each
// seed's own; choices that follow the token in all seeds but for every `noisy`th one.
inline std::vector<RouterHealth> made_up_routers(std::uint64_t seed, std::size_t experts,
                                                 double ratio, std::size_t noisy = 4) {
  std::vector<RouterHealth> routers;
  for (std::int64_t layer = 0; layer < 2; ++layer) {
    std::vector<double> load(experts);
    for (std::size_t e = 0; e < experts; ++e)
      load[(e + seed) % experts] = std::pow(ratio, static_cast<double>(e));
    RouterHealth router{{layer, ""}, 2, health_of_shares(load), {}};
    router.health.router_entropy = 0.5;
    router.health.dropped_share = layer == 0 ? 0.125 : 0;
    for (std::size_t token = 0; token < 256; ++token) {
      const std::size_t own = token % noisy == 0 ? token / noisy * seed : token;
      router.first_choices.push_back(static_cast<std::int32_t>((own + seed) % experts));
    }
    routers.push_back(std::move(router));
  }
  return routers;
}

inline void add_experts(DesignResult& design, std::size_t experts, double ratio) {
  for (RunResult& run : design.runs) run.experts = made_up_routers(run.seed, experts, ratio);
}

// Designs 0 and 1 dense; 2 with an even load; 3, if there is one, collapsed.
inline ComparisonResult made_up_expert_comparison(std::size_t designs, std::uint64_t seeds) {
  ComparisonResult result = made_up_comparison(designs, seeds);
  add_experts(result.designs.at(2), 4, 0.9);
  if (designs > 3) add_experts(result.designs[3], 8, 0.05);
  return result;
}

}  // namespace ffn
