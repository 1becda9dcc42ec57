#include "ffn/compare/judge.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "ffn/base/error.h"
#include "ffn/base/faults.h"
#include "ffn/compare/design_summary.h"
#include "ffn/compare/paired_tests.h"
#include "ffn/compare/sort_indices.h"
#include "ffn/compare/verdict_sentence.h"

namespace ffn::inline v0 {
namespace {

constexpr double kLevel = 0.05;
constexpr std::size_t kSeedsForSeedError = 3;

template <class... Parts>
void require(bool ok, const Parts&... parts) {
  check(ok, ErrorKind::config, "judge", parts...);
}

// Two sums of up to 2^32 terms of one sign in different orders differ by less than this share: each
// addition rounds by 2^-53 of the sum at most.
constexpr double kSumTolerance = 1e-6;

void check_examples(const DesignResult& design, Measure measure,
                    const std::vector<double>& weights) {
  for (const RunResult& run : design.runs) {
    require(!run.qualities.empty() && run.qualities.size() == weights.size(), design.label,
            ", seed ", run.seed, ": has ", run.qualities.size(), " test examples, expected ",
            weights.size());
    require(run.weights == weights, design.label, ", seed ", run.seed,
            ": its test examples are of other sizes than those of the first run");
    double sum = 0, weight = 0;
    for (std::size_t i = 0; i < weights.size(); ++i) {
      sum += weights[i] * run.qualities[i];
      weight += weights[i];
    }
    const double score = quality(run.test, measure);
    require(static_cast<double>(run.test.count) == weight, design.label, ", seed ", run.seed,
            ": the score is of ", run.test.count, " predictions, the examples hold ", weight);
    require(std::abs(sum / weight - score) <= kSumTolerance * score, design.label, ", seed ",
            run.seed, ": the score says ", score, ", the examples ", sum / weight);
  }
}

void check_runs(const ComparisonResult& result) {
  require(!result.designs.empty(), "there are no designs to judge");
  require(result.margin >= 0 && std::isfinite(result.margin), "the margin ", result.margin,
          " is not a number of 0 or more");
  const auto& runs = result.designs.front().runs;
  require(!runs.empty(), result.designs.front().label, " has no runs");
  for (const DesignResult& design : result.designs) {
    require(std::equal(runs.begin(), runs.end(), design.runs.begin(), design.runs.end(),
                       [](const RunResult& a, const RunResult& b) { return a.seed == b.seed; }),
            design.label, " and ", result.designs.front().label,
            " were not run with the same seeds in the same order");
    if (result.designs.size() > 1 && runs.size() < kSeedsForSeedError)
      check_examples(design, result.measure, runs.front().weights);
  }
}

// Of each test example, the mean over seeds of quality_a − quality_b.
std::vector<double> per_example(const DesignResult& a, const DesignResult& b) {
  std::vector<double> differences(a.runs.front().qualities.size());
  for (std::size_t seed = 0; seed < a.runs.size(); ++seed)
    for (std::size_t i = 0; i < differences.size(); ++i)
      differences[i] += a.runs[seed].qualities[i] - b.runs[seed].qualities[i];
  for (double& difference : differences) difference /= static_cast<double>(a.runs.size());
  return differences;
}

void test_over_seeds(PairResult& pair, double margin) {
  pair.basis = PairBasis::seeds;
  const SeedTest test = paired_t_test(pair.per_seed);
  pair.difference = test.mean;
  pair.interval = test.interval;
  pair.p = test.p;
  if (margin > 0) pair.equivalence_p = equivalence_p(pair.per_seed, margin);
}

void test_over_examples(PairResult& pair, const ComparisonResult& result, std::size_t pairs) {
  pair.basis = PairBasis::examples;
  // The smallest p is 1 / (1 + resamples); Holm multiplies it by the number of pairs, and with 200
  // pairs of 4000 resamples nothing could ever be found.
  const auto resamples = std::max<std::int64_t>(4000, 100 * static_cast<std::int64_t>(pairs));
  const DesignResult &a = result.designs[pair.first], &b = result.designs[pair.second];
  const ExampleTest test =
      paired_bootstrap(per_example(a, b), a.runs.front().weights, {.resamples = resamples});
  pair.difference = test.mean;
  pair.interval = test.interval;
  pair.p = test.p;
  if (result.margin > 0) pair.equivalence_p = equivalence_p(test, result.margin);
}

PairResult compare(const ComparisonResult& result, std::size_t first, std::size_t second,
                   std::size_t pairs) {
  const DesignResult &a = result.designs[first], &b = result.designs[second];
  PairResult pair;
  pair.first = first;
  pair.second = second;
  if (same_runs(a, b)) {
    pair.basis = PairBasis::same;
    pair.per_seed.assign(a.runs.size(), 0.0);
    if (result.margin > 0) pair.equivalence_p = 0;
    return pair;
  }
  for (std::size_t seed = 0; seed < a.runs.size(); ++seed)
    pair.per_seed.push_back(quality(a.runs[seed].test, result.measure) -
                            quality(b.runs[seed].test, result.measure));
  if (a.runs.size() >= kSeedsForSeedError)
    test_over_seeds(pair, result.margin);
  else
    test_over_examples(pair, result, pairs);
  return pair;
}

void adjust(std::vector<PairResult>& pairs) {
  std::vector<PairResult*> tested;
  std::vector<double> p;
  for (PairResult& pair : pairs) {
    if (pair.basis == PairBasis::same) continue;
    tested.push_back(&pair);
    p.push_back(pair.p);
  }
  const auto adjusted = holm(p);
  for (std::size_t i = 0; i < tested.size(); ++i) tested[i]->adjusted_p = adjusted[i];
}

PairOutcome outcome_of(const PairResult& pair, Measure measure, double margin) {
  if (pair.basis == PairBasis::same) return PairOutcome::tie;
  if (margin > 0 && pair.equivalence_p <= kLevel) return PairOutcome::equivalent;
  if (pair.adjusted_p > kLevel) return PairOutcome::undecided;
  const bool first = is_better(pair.difference, 0, fault(703) ? Measure::accuracy : measure);
  return first ? PairOutcome::first_better : PairOutcome::second_better;
}

std::vector<std::size_t> leaders_of(const ComparisonResult& result) {
  std::vector<std::size_t> order(result.designs.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  sort_indices(order, [&](std::size_t a, std::size_t b) {
    return is_better(mean_test_quality(result.designs[a], result.measure),
                     mean_test_quality(result.designs[b], result.measure), result.measure);
  });
  const std::size_t best = order.front();
  std::erase_if(order, [&](std::size_t design) {
    return design != best && pair_of(result, best, design).outcome == PairOutcome::first_better;
  });
  return order;
}

}  // namespace

void judge(ComparisonResult& result) {
  check_runs(result);
  const std::size_t designs = result.designs.size();
  result.pairs.clear();
  for (std::size_t first = 0; first < designs; ++first)
    for (std::size_t second = first + 1; second < designs; ++second)
      result.pairs.push_back(compare(result, first, second, designs * (designs - 1) / 2));
  adjust(result.pairs);
  for (PairResult& pair : result.pairs)
    pair.outcome = outcome_of(pair, result.measure, result.margin);
  result.verdict.leaders = leaders_of(result);
  result.verdict.sentence = verdict_sentence(result);
}

}  // namespace ffn::inline v0
