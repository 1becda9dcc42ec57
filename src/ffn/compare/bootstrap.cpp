// paired_bootstrap of paired_tests.h.
#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <utility>

#include "ffn/base/error.h"
#include "ffn/base/faults.h"
#include "ffn/base/philox.h"
#include "ffn/compare/binomial.h"
#include "ffn/compare/paired_tests.h"

namespace ffn::inline v0 {
namespace {

void check_arguments(std::span<const double> per_example, const BootstrapOptions& options) {
  const auto require = [](bool ok, const auto&... parts) {
    check(ok, ErrorKind::config, "paired_bootstrap", parts...);
  };
  require(per_example.size() >= 2 && per_example.size() < (std::size_t{1} << 31),
          "needs 2 to 2^31 − 1 examples, got ", per_example.size());
  for (const double value : per_example)
    require(std::isfinite(value), "the difference of an example is ", value);
  require(options.resamples >= 1, "needs one resample or more, got ", options.resamples);
  require(options.confidence > 0 && options.confidence < 1, "confidence ", options.confidence,
          " lies outside (0, 1)");
}

// Of 53 bits, in (0, 1).
double uniform_of(const PhiloxWords& words) {
  const std::uint64_t bits = (std::uint64_t{words[0]} << 32 | words[1]) >> 11;
  return (static_cast<double>(bits) + 0.5) * 0x1p-53;
}

// One value, how many examples have it, and their share of those not yet drawn when the values are
// drawn one after the other: the condition of the binomial.
struct ValueCount {
  double value = 0;
  std::int64_t count = 0;
  double share = 0;
};

std::vector<ValueCount> distinct_values(std::span<const double> per_example, double sign) {
  std::map<double, std::int64_t> counts;
  for (const double value : per_example) ++counts[sign * value];
  std::vector<ValueCount> values;
  auto left = static_cast<std::int64_t>(per_example.size());
  for (const auto& [value, count] : counts) {
    values.push_back({value, count, static_cast<double>(count) / static_cast<double>(left)});
    left -= count;
  }
  return values;
}

std::vector<double> resampled_means(const std::vector<ValueCount>& values, std::int64_t examples,
                                    const BootstrapOptions& options) {
  const BinomialSampler sampler(examples);
  const RandomStream random(options.seed, "bootstrap");
  std::vector<double> means(static_cast<std::size_t>(options.resamples));
  for (std::size_t resample = 0; resample < means.size(); ++resample) {
    std::int64_t left = examples;
    double sum = 0;
    for (std::size_t i = 0; i < values.size() && left > 0; ++i) {
      const bool last = i + 1 == values.size();
      const std::int64_t count =
          last ? left : sampler.draw(left, values[i].share, uniform_of(random.words(resample, i)));
      sum += static_cast<double>(count) * values[i].value;
      left -= count;
    }
    means[resample] = sum / static_cast<double>(examples);
  }
  return means;
}

// Weighted means of examples drawn one by one.
std::vector<double> resampled_ratios(std::span<const double> per_example,
                                     std::span<const double> weights, double sign,
                                     const BootstrapOptions& options) {
  const std::size_t n = per_example.size();
  std::vector<double> weighted(n);
  for (std::size_t i = 0; i < n; ++i) weighted[i] = sign * weights[i] * per_example[i];
  const RandomStream random(options.seed, "bootstrap");
  std::vector<double> means(static_cast<std::size_t>(options.resamples));
  for (std::size_t resample = 0; resample < means.size(); ++resample) {
    double sum = 0, weight = 0;
    for (std::size_t block = 0; 4 * block < n; ++block) {
      const PhiloxWords words = random.words(resample, block);
      for (std::size_t k = 0; k < std::min<std::size_t>(4, n - 4 * block); ++k) {
        const auto drawn = static_cast<std::size_t>(std::uint64_t{words[k]} * n >> 32);
        sum += weighted[drawn];
        weight += fault(704) ? 1 : weights[drawn];
      }
    }
    means[resample] = sum / weight;
  }
  return means;
}

// Of the values themselves (not of a sample of more): exactly 0 when all are equal.
double deviation(std::span<const double> values) {
  const auto n = static_cast<double>(values.size());
  double sum = 0;
  for (const double value : values) sum += value - values.front();
  const double mean = values.front() + sum / n;
  double squares = 0;
  for (const double value : values) squares += (value - mean) * (value - mean);
  return std::sqrt(squares / n);
}

// From the resampled means, drawn with the mean's sign turned positive, so that the order of the
// two designs, which only turns the signs, cannot change the verdict.
ExampleTest test_of(double mean, std::vector<double> means, double largest,
                    const BootstrapOptions& options) {
  const double sign = mean < 0 ? -1 : 1;
  // Means are whole multiples of 1/n, or nearly: |m* − mean| = |mean| happens, and the rounding of
  // two sums must not decide it.
  const double reach = std::abs(mean) - 1e-12 * largest;
  const auto beyond = std::count_if(means.begin(), means.end(), [&](double resampled) {
    return std::abs(resampled - (fault(702) ? 0 : sign * mean)) >= reach;
  });
  const auto resamples = static_cast<double>(options.resamples);
  ExampleTest test;
  test.mean = mean;
  test.p = (1 + static_cast<double>(beyond)) / (1 + resamples);
  test.standard_error = deviation(means);

  // As many resampled means lie below the interval as above it.
  const auto outside = static_cast<std::ptrdiff_t>(resamples * (1 - options.confidence) / 2);
  const auto low = means.begin() + outside, high = means.end() - 1 - outside;
  std::nth_element(means.begin(), low, means.end());
  test.interval.low = *low;
  std::nth_element(means.begin(), high, means.end());
  test.interval.high = *high;
  if (sign < 0) test.interval = {-test.interval.high, -test.interval.low};
  return test;
}

}  // namespace

ExampleTest paired_bootstrap(std::span<const double> per_example, const BootstrapOptions& options) {
  check_arguments(per_example, options);
  const auto n = static_cast<double>(per_example.size());
  const double mean = std::accumulate(per_example.begin(), per_example.end(), 0.0) / n;
  const auto values = distinct_values(per_example, mean < 0 ? -1 : 1);
  const double largest = std::max(std::abs(values.front().value), std::abs(values.back().value));
  return test_of(mean,
                 resampled_means(values, static_cast<std::int64_t>(per_example.size()), options),
                 largest, options);
}

ExampleTest paired_bootstrap(std::span<const double> per_example, std::span<const double> weights,
                             const BootstrapOptions& options) {
  check_arguments(per_example, options);
  check(weights.size() == per_example.size(), ErrorKind::config, "paired_bootstrap",
        per_example.size(), " differences have ", weights.size(), " weights");
  double sum = 0, weight = 0, largest = 0;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    check(weights[i] > 0 && std::isfinite(weights[i]), ErrorKind::config, "paired_bootstrap",
          "the weight of an example is ", weights[i]);
    sum += weights[i] * per_example[i];
    weight += weights[i];
    largest = std::max(largest, std::abs(per_example[i]));
  }
  if (std::ranges::all_of(weights, [&](double one) { return one == weights[0]; }))
    return paired_bootstrap(per_example, options);
  const double mean = sum / weight;
  return test_of(mean, resampled_ratios(per_example, weights, mean < 0 ? -1 : 1, options), largest,
                 options);
}

}  // namespace ffn::inline v0
