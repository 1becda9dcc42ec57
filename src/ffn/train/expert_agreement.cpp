#include "ffn/train/expert_agreement.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>
#include <vector>

#include "ffn/base/error.h"
#include "ffn/base/faults.h"

namespace ffn::inline v0 {
namespace {

using Counts = std::map<std::int32_t, std::size_t>;

constexpr double kNever = -45;  // e^−45 of all orders: below the rounding of the sum

template <class Key>
double entropy_of_counts(const std::map<Key, std::size_t>& counts, double total) {
  double entropy = 0;
  for (const auto& [key, count] : counts) {
    const double share = static_cast<double>(count) / total;
    entropy -= share * std::log(share);
  }
  return entropy;
}

// The mean of I over the orders of n tokens: how many tokens a part of x and one of y have in
// common is hypergeometric.
class ChanceInformation {
 public:
  explicit ChanceInformation(std::size_t n) : n_(n), log_factorial_(n + 1) {
    for (std::size_t i = 2; i <= n; ++i)
      log_factorial_[i] = log_factorial_[i - 1] + std::log(static_cast<double>(i));
  }

  double of(const Counts& a, const Counts& b) const {
    double sum = 0;
    for (const auto& [part, x] : a)
      for (const auto& [other, y] : b) sum += of_parts(x, y);
    return sum;
  }

 private:
  double of_parts(std::size_t x, std::size_t y) const {
    const auto n = static_cast<double>(n_);
    const double even = static_cast<double>(x) * static_cast<double>(y) / n;
    const double fixed = log_factorial_[x] + log_factorial_[y] + log_factorial_[n_ - x] +
                         log_factorial_[n_ - y] - log_factorial_[n_];
    double sum = 0;
    const std::size_t least = std::max<std::size_t>(1, x + y > n_ ? x + y - n_ : 0);
    for (std::size_t m = least; m <= std::min(x, y); ++m) {
      const double log_probability = fixed - log_factorial_[m] - log_factorial_[x - m] -
                                     log_factorial_[y - m] - log_factorial_[n_ - x - y + m];
      if (log_probability < kNever) continue;
      const auto common = static_cast<double>(m);
      sum += std::exp(log_probability) * common / n * std::log(common / even);
    }
    return sum;
  }

  std::size_t n_;
  std::vector<double> log_factorial_;
};

}  // namespace

ExpertAgreement expert_agreement(std::span<const std::int32_t> a, std::span<const std::int32_t> b) {
  check(a.size() == b.size(), ErrorKind::config, "agreement", a.size(), " choices against ",
        b.size(), ": they are not of the same tokens");
  Counts of_a, of_b;
  std::map<std::pair<std::int32_t, std::int32_t>, std::size_t> of_both;
  for (std::size_t i = 0; i < a.size(); ++i) {
    ++of_a[a[i]];
    ++of_b[b[i]];
    ++of_both[{a[i], b[i]}];
  }
  const auto n = static_cast<double>(a.size());
  const double h_a = entropy_of_counts(of_a, n), h_b = entropy_of_counts(of_b, n);
  if (h_a + h_b == 0) return {1, 1};
  const auto normalised = [&](double information) {
    return std::clamp((fault(618) ? 1 : 2) * information / (h_a + h_b), 0.0, 1.0);
  };
  return {normalised(h_a + h_b - entropy_of_counts(of_both, n)),
          normalised(ChanceInformation(a.size()).of(of_a, of_b))};
}

}  // namespace ffn::inline v0
