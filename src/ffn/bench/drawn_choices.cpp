#include "ffn/bench/drawn_choices.h"

#include "ffn/base/philox.h"

namespace ffn::inline v0 {

std::vector<std::int32_t> drawn_choices(std::int64_t rows, std::int64_t E, std::int64_t K,
                                        RoutingShares routing) {
  const RandomStream stream(7, "bench.choices");
  std::vector<double> weights(static_cast<std::size_t>(E), 1.0);
  if (routing == RoutingShares::zipf)
    for (std::size_t e = 0; e < weights.size(); ++e) weights[e] = 1 / static_cast<double>(e + 1);
  std::vector<std::int32_t> choices;
  choices.reserve(static_cast<std::size_t>(rows * K));
  for (std::int64_t row = 0; row < rows; ++row) {
    std::vector<double> left = weights;
    for (std::int64_t k = 0; k < K; ++k) {
      double total = 0;
      for (const double weight : left) total += weight;
      double at = total * static_cast<double>(stream.uniform(static_cast<std::uint64_t>(row),
                                                             static_cast<std::uint64_t>(k)));
      std::size_t chosen = 0, last = 0;
      // Rounding may leave `at` above the last weight: then the last expert that is left.
      for (; chosen < left.size(); ++chosen) {
        if (left[chosen] == 0) continue;
        last = chosen;
        if (at < left[chosen]) break;
        at -= left[chosen];
      }
      left[last] = 0;
      choices.push_back(static_cast<std::int32_t>(last));
    }
  }
  return choices;
}

}  // namespace ffn::inline v0
