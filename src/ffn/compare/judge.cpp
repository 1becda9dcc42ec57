#include "ffn/compare/judge.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "ffn/base/error.h"
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

void check_answers(const DesignResult& design, std::size_t pictures) {
  for (const RunResult& run : design.runs) {
    require(!run.right.empty() && run.right.size() == pictures, design.label, ", seed ", run.seed,
            ": answers to ", run.right.size(), " test pictures, expected ", pictures);
    const auto right = std::accumulate(run.right.begin(), run.right.end(), std::int64_t{0});
    require(run.test.right == right && static_cast<std::size_t>(run.test.count) == pictures,
            design.label, ", seed ", run.seed, ": the score says ", run.test.right, " of ",
            run.test.count, " right, the answers say ", right, " of ", pictures);
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
      check_answers(design, runs.front().right.size());
  }
}

// Of each test picture, the mean over seeds of right_a − right_b.
std::vector<double> per_example(const DesignResult& a, const DesignResult& b) {
  std::vector<double> differences(a.runs.front().right.size());
  for (std::size_t seed = 0; seed < a.runs.size(); ++seed)
    for (std::size_t i = 0; i < differences.size(); ++i)
      differences[i] += a.runs[seed].right[i] - b.runs[seed].right[i];
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
  const ExampleTest test =
      paired_bootstrap(per_example(result.designs[pair.first], result.designs[pair.second]),
                       {.resamples = resamples});
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
    pair.per_seed.push_back(a.runs[seed].test.accuracy() - b.runs[seed].test.accuracy());
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

PairOutcome outcome_of(const PairResult& pair, double margin) {
  if (pair.basis == PairBasis::same) return PairOutcome::tie;
  if (margin > 0 && pair.equivalence_p <= kLevel) return PairOutcome::equivalent;
  if (pair.adjusted_p > kLevel) return PairOutcome::undecided;
  return pair.difference > 0 ? PairOutcome::first_better : PairOutcome::second_better;
}

std::vector<std::size_t> leaders_of(const ComparisonResult& result) {
  std::vector<std::size_t> order(result.designs.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  sort_indices(order, [&](std::size_t a, std::size_t b) {
    return mean_test_accuracy(result.designs[a]) > mean_test_accuracy(result.designs[b]);
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
  for (PairResult& pair : result.pairs) pair.outcome = outcome_of(pair, result.margin);
  result.verdict.leaders = leaders_of(result);
  result.verdict.sentence = verdict_sentence(result);
}

}  // namespace ffn::inline v0
