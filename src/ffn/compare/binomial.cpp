#include "ffn/compare/binomial.h"

#include <algorithm>
#include <cmath>

#include "ffn/base/check.h"

namespace ffn::inline v0 {

BinomialSampler::BinomialSampler(std::int64_t most_trials)
    : log_factorial_(static_cast<std::size_t>(most_trials) + 1) {
  for (std::size_t k = 1; k < log_factorial_.size(); ++k)
    log_factorial_[k] = log_factorial_[k - 1] + std::log(static_cast<double>(k));
}

double BinomialSampler::probability_of(std::int64_t count, std::int64_t trials,
                                       double probability) const {
  const auto all = static_cast<std::size_t>(trials), hits = static_cast<std::size_t>(count);
  return std::exp(log_factorial_[all] - log_factorial_[hits] - log_factorial_[all - hits] +
                  static_cast<double>(count) * std::log(probability) +
                  static_cast<double>(trials - count) * std::log1p(-probability));
}

std::int64_t BinomialSampler::draw(std::int64_t trials, double probability, double uniform) const {
  FFN_ASSERT(trials >= 0 && static_cast<std::size_t>(trials) < log_factorial_.size());
  if (trials == 0 || probability <= 0) return 0;
  if (probability >= 1) return trials;
  const auto n = static_cast<double>(trials);
  const double mode = std::min(n, std::floor((n + 1) * probability));
  const double odds = probability / (1 - probability);
  const double at_mode = probability_of(static_cast<std::int64_t>(mode), trials, probability);
  double left = uniform - at_mode;
  if (left < 0) return static_cast<std::int64_t>(mode);
  double up = mode, down = mode, at_up = at_mode, at_down = at_mode;
  while (up < n || down > 0) {
    if (up < n) {
      at_up *= (n - up) / (up + 1) * odds;
      up += 1;
      left -= at_up;
      if (left < 0) return static_cast<std::int64_t>(up);
    }
    if (down > 0) {
      at_down *= down / ((n - down + 1) * odds);
      down -= 1;
      left -= at_down;
      if (left < 0) return static_cast<std::int64_t>(down);
    }
  }
  return static_cast<std::int64_t>(mode);  // the rounding of a sum that should be 1
}

}  // namespace ffn::inline v0
