#include "ffn/compare/pareto_front.h"
#include "ffn/compare/sort_indices.h"

#include <algorithm>

namespace ffn::inline v0 {

std::vector<std::size_t> pareto_front(std::span<const CostAndValue> points) {
  std::vector<std::size_t> front;
  for (std::size_t i = 0; i < points.size(); ++i) {
    const bool beaten = std::ranges::any_of(points, [&](const CostAndValue& other) {
      return other.cost <= points[i].cost && other.value >= points[i].value &&
             (other.cost < points[i].cost || other.value > points[i].value);
    });
    if (!beaten) front.push_back(i);
  }
  sort_indices(front,
               [&](std::size_t a, std::size_t b) { return points[a].cost < points[b].cost; });
  return front;
}

}  // namespace ffn::inline v0
