#include "ffn/compare/paired_tests.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "ffn/base/error.h"
#include "ffn/base/faults.h"
#include "ffn/compare/sort_indices.h"
#include "ffn/compare/student_t.h"

namespace ffn::inline v0 {
namespace {

struct Sample {
  double mean = 0;
  double standard_error = 0;  // of the mean; exactly 0 when all values are equal
  double degrees = 0;
};

Sample sample_of(std::span<const double> differences, const char* where) {
  check(differences.size() >= 2, ErrorKind::config, where,
        "needs the differences of two seeds or more, got ", differences.size());
  for (const double value : differences)
    check(std::isfinite(value), ErrorKind::config, where, "a difference is ", value);
  const auto n = static_cast<double>(differences.size());
  Sample sample;
  sample.degrees = n - 1;
  // The rounded mean of equal values may differ from them and leave a deviation of one ulp.
  if (std::equal(differences.begin() + 1, differences.end(), differences.begin())) {
    sample.mean = differences.front();
    return sample;
  }
  sample.mean = std::accumulate(differences.begin(), differences.end(), 0.0) / n;
  double squares = 0;
  for (const double value : differences) squares += (value - sample.mean) * (value - sample.mean);
  sample.standard_error = std::sqrt(squares / (fault(700) ? n : n - 1) / n);
  return sample;
}

void check_margin(double margin) {
  check(margin > 0 && std::isfinite(margin), ErrorKind::config, "equivalence_p", "the margin ",
        margin, " is not a positive number");
}

// The larger of two one-sided p, given P(T ≤ t).
template <class Cdf>
double two_one_sided(double mean, double standard_error, double margin, const Cdf& cdf) {
  if (standard_error == 0) return std::abs(mean) < margin ? 0 : 1;
  return std::max(cdf(-(mean + margin) / standard_error), cdf((mean - margin) / standard_error));
}

}  // namespace

SeedTest paired_t_test(std::span<const double> differences, double confidence) {
  check(confidence > 0 && confidence < 1, ErrorKind::config, "paired_t_test", "confidence ",
        confidence, " lies outside (0, 1)");
  const Sample sample = sample_of(differences, "paired_t_test");
  SeedTest test;
  test.mean = sample.mean;
  test.interval = {sample.mean, sample.mean};
  if (sample.standard_error == 0) {
    test.p = sample.mean == 0 ? 1 : 0;
    return test;
  }
  const double t = std::abs(sample.mean) / sample.standard_error;
  test.p = 2 * student_t_cdf(-t, sample.degrees);
  const double reach =
      student_t_quantile(0.5 + confidence / 2, sample.degrees) * sample.standard_error;
  test.interval = {sample.mean - reach, sample.mean + reach};
  return test;
}

std::vector<double> holm(std::span<const double> p) {
  for (const double value : p)
    check(value >= 0 && value <= 1, ErrorKind::config, "holm", "p = ", value,
          " lies outside [0, 1]");
  std::vector<std::size_t> order(p.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  sort_indices(order, [&](std::size_t a, std::size_t b) { return p[a] < p[b]; });
  std::vector<double> adjusted(p.size());
  double largest = 0;
  for (std::size_t k = 0; k < order.size(); ++k) {
    const auto remaining = static_cast<double>(fault(701) ? 1 : order.size() - k);
    const double scaled = remaining * p[order[k]];
    largest = std::max(largest, std::min(1.0, scaled));
    adjusted[order[k]] = largest;
  }
  return adjusted;
}

double equivalence_p(std::span<const double> differences, double margin) {
  check_margin(margin);
  const Sample sample = sample_of(differences, "equivalence_p");
  return two_one_sided(sample.mean, sample.standard_error, margin,
                       [&](double t) { return student_t_cdf(t, sample.degrees); });
}

double equivalence_p(const ExampleTest& test, double margin) {
  check_margin(margin);
  return two_one_sided(test.mean, test.standard_error, margin,
                       [](double z) { return 0.5 * std::erfc(-z / std::sqrt(2.0)); });
}

}  // namespace ffn::inline v0
