// Exact draws of a binomial count, the building block of the bootstrap.
#pragma once

#include <cstdint>
#include <vector>

namespace ffn::inline v0 {

// Inversion that walks outwards from the mode: the count is the place where the running sum of
// P(mode), P(mode + 1), P(mode − 1), … first exceeds the uniform. Exact up to the rounding of
// P(mode), about 1e-11 of it at 1e6 trials; about 1.6 standard deviations of steps.
class BinomialSampler {
 public:
  // Holds log k! for k ≤ most_trials.
  explicit BinomialSampler(std::int64_t most_trials);

  // Of `trials` ≤ most_trials with `probability` in [0, 1], from one uniform in (0, 1).
  std::int64_t draw(std::int64_t trials, double probability, double uniform) const;

 private:
  double probability_of(std::int64_t count, std::int64_t trials, double probability) const;

  std::vector<double> log_factorial_;
};

}  // namespace ffn::inline v0
