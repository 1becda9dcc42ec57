// The things that nothing else beats in both cost and value.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace ffn::inline v0 {

struct CostAndValue {
  double cost = 0, value = 0;
};

// Indices of the points for which no other point has a cost no larger and a value no smaller, one
// of them strictly; ascending in cost, equal points in their order.
std::vector<std::size_t> pareto_front(std::span<const CostAndValue> points);

}  // namespace ffn::inline v0
