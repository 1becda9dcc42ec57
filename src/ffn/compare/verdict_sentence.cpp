#include "ffn/compare/verdict_sentence.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "ffn/base/check.h"
#include "ffn/compare/design_summary.h"
#include "ffn/compare/measure_words.h"
#include "ffn/compare/report_words.h"
#include "ffn/compare/sort_indices.h"
#include "ffn/report/axis_ticks.h"

namespace ffn::inline v0 {
namespace {

using Indices = std::vector<std::size_t>;

// One decimal more where the usual ones would leave a single digit or none: below one point, or a
// hundredth of a bit.
int digits_for(double difference, Measure measure) {
  return words_of(measure).verdict_decimals + (std::abs(difference) < 0.00995 ? 1 : 0);
}

std::string counted(std::size_t count, const std::string& noun) {
  return std::to_string(count) + " " + noun + (count == 1 ? "" : "s");
}

// Without the designs that repeat an earlier one of the list.
Indices without_repeats(const ComparisonResult& result, const Indices& designs) {
  Indices kept;
  for (const std::size_t design : designs)
    if (std::none_of(kept.begin(), kept.end(), [&](std::size_t earlier) {
          return same_runs(result.designs[earlier], result.designs[design]);
        }))
      kept.push_back(design);
  return kept;
}

// All designs, from better to worse mean test quality, the leaders first.
Indices ranked(const ComparisonResult& result) {
  Indices order = result.verdict.leaders, others;
  for (std::size_t i = 0; i < result.designs.size(); ++i)
    if (std::find(order.begin(), order.end(), i) == order.end()) others.push_back(i);
  sort_indices(others, [&](std::size_t a, std::size_t b) {
    return is_better(mean_test_quality(result.designs[a], result.measure),
                     mean_test_quality(result.designs[b], result.measure), result.measure);
  });
  order.insert(order.end(), others.begin(), others.end());
  return without_repeats(result, order);
}

std::string mean_text(const DesignResult& design, Measure measure, int digits) {
  return quality_text(mean_test_quality(design, measure), measure, digits);
}

std::string scored(const DesignResult& design, Measure measure, int digits) {
  return design.label + " (" + mean_text(design, measure, digits) + ")";
}

std::string scored(const ComparisonResult& result, const Indices& designs, int digits) {
  std::vector<std::string> parts;
  for (const std::size_t design : designs)
    parts.push_back(scored(result.designs[design], result.measure, digits));
  return listed(parts);
}

// "95 % interval 1.7 to 2.9 over 3 seeds"
std::string interval_text(const PairResult& pair, Measure measure, int digits,
                          const std::string& of = "") {
  std::string text = "95 % interval " + of + difference_text(pair.interval.low, measure, digits) +
                     " to " + difference_text(pair.interval.high, measure, digits);
  if (pair.basis == PairBasis::seeds) text += " over " + counted(pair.per_seed.size(), "seed");
  return text;
}

// " at 1.03 × its parameters, 1.20 × its time per step and …", of a relative to b; empty when
// nothing was measured.
std::string costs_text(const DesignResult& a, const DesignResult& b) {
  std::vector<std::string> parts;
  const auto add = [&](double mine, double other, const char* what) {
    if (mine > 0 && other > 0) parts.push_back(fixed_text(mine / other, 2) + " × its " + what);
  };
  add(static_cast<double>(a.parameters), static_cast<double>(b.parameters), "parameters");
  add(median_step_ms(a), median_step_ms(b), "time per training step");
  add(static_cast<double>(training_peak_bytes(a)), static_cast<double>(training_peak_bytes(b)),
      "peak memory in training");
  return parts.empty() ? "" : ", at " + listed(parts);
}

// A sentence, when one of the two had more to work with.
std::string budget_text(const DesignResult& a, const DesignResult& b) {
  std::vector<std::string> parts;
  const auto add = [&](std::int64_t mine, std::int64_t other, const char* what) {
    if (mine <= 0 || other <= 0) return;
    const double ratio = static_cast<double>(mine) / static_cast<double>(other);
    if (std::max(ratio, 1 / ratio) > 1.05) parts.push_back(fixed_text(ratio, 2) + " × the " + what);
  };
  add(a.parameters, b.parameters, "parameters");
  add(a.step_flops, b.step_flops, "arithmetic per training step");
  if (parts.empty()) return "";
  return " Their budgets are not equal: " + a.label + " has " + listed(parts) + " of " + b.label +
         ".";
}

std::string basis_text(const ComparisonResult& result) {
  const std::size_t seeds = result.designs.front().runs.size();
  if (seeds >= 3) return "";
  return " With " + counted(seeds, "seed") +
         " this speaks of these trained models only, not of the designs in general.";
}

std::string alone_text(const ComparisonResult& result, const DesignResult& design) {
  const std::size_t times = result.designs.size();
  const MeasureWords& words = words_of(result.measure);
  std::string text = design.label + ": " +
                     mean_text(design, result.measure, words.verdict_decimals) + words.scored +
                     ", mean of " + counted(design.runs.size(), "seed");
  return text + (times == 1
                     ? "; it was the only design, so nothing was compared."
                     : "; it was given " + std::to_string(times) +
                           " times, the same runs and an exact tie, so nothing was compared.");
}

std::string take_text(const ComparisonResult& result, const Indices& order) {
  const DesignResult &best = result.designs[order[0]], &next = result.designs[order[1]];
  const Measure measure = result.measure;
  const MeasureWords& words = words_of(measure);
  const PairResult pair = in_favour_of_first(pair_of(result, order[0], order[1]), measure);
  const int digits = digits_for(pair.difference, measure);
  std::string text = "Take " + best.label + ": " + mean_text(best, measure, digits) + words.scored +
                     ", " + difference_text(pair.difference, measure, digits) + " " + words.unit +
                     (higher_is_better(measure) ? " more" : " less") + " than the next, " +
                     next.label + " (" + interval_text(pair, measure, digits) + ")" +
                     costs_text(best, next) + ".";
  const std::size_t others = order.size() - 2;
  if (others > 0)
    text += " It is shown to be better than the other " +
            (others == 1 ? "design" : std::to_string(others) + " designs") + " too.";
  return text + budget_text(best, next) + basis_text(result);
}

struct Cheapest {
  std::size_t design = 0;
  std::string by;  // empty: no cost is known, it is the best score
};

Cheapest cheapest_of(const ComparisonResult& result, const Indices& leaders) {
  const auto least = [&](const auto& cost, const char* by, Cheapest& found) {
    const auto costs = [&](std::size_t i) { return static_cast<double>(cost(result.designs[i])); };
    for (const std::size_t leader : leaders)
      if (!(costs(leader) > 0)) return false;
    found.design = *std::min_element(leaders.begin(), leaders.end(),
                                     [&](auto a, auto b) { return costs(a) < costs(b); });
    found.by = by;
    return true;
  };
  Cheapest found;
  if (least(median_step_ms, "time per training step", found)) return found;
  if (least([](const DesignResult& d) { return d.step_flops; }, "arithmetic per training step",
            found))
    return found;
  if (least([](const DesignResult& d) { return d.parameters; }, "parameters", found)) return found;
  return {leaders.front(), ""};
}

// Whether no pair of the leaders is undecided.
bool all_equal(const ComparisonResult& result, const Indices& leaders) {
  for (const std::size_t a : leaders)
    for (const std::size_t b : leaders) {
      if (a == b) continue;
      const PairOutcome outcome = pair_of(result, a, b).outcome;
      if (outcome != PairOutcome::equivalent && outcome != PairOutcome::tie) return false;
    }
  return true;
}

// Pairs differ in their noise: a leader, never shown to be worse than the first, can be shown to be
// worse than another. That one is not to be taken, cheap or not.
Indices without_worse(const ComparisonResult& result, const Indices& leaders) {
  Indices kept;
  for (const std::size_t a : leaders)
    if (std::none_of(leaders.begin(), leaders.end(), [&](std::size_t b) {
          return a != b && pair_of(result, b, a).outcome == PairOutcome::first_better;
        }))
      kept.push_back(a);
  return kept;
}

std::string leaders_text(const ComparisonResult& result, const Indices& leaders, int digits) {
  const Measure measure = result.measure;
  const MeasureWords& words = words_of(measure);
  if (all_equal(result, leaders))
    return "Equal within the stated margin of " +
           difference_text(result.margin, measure, digits_for(result.margin, measure)) + " " +
           words.margin + ": " + scored(result, leaders, digits);
  const std::string start = "Undecided: " + words.by + ", ";
  if (leaders.size() == 2)
    return start + scored(result, leaders, digits) + " could not be told apart";
  return start + scored(result, Indices(leaders.begin() + 1, leaders.end()), digits) +
         " could not be told apart from the " +
         (higher_is_better(measure) ? "highest " : "lowest ") + words.score + ", " +
         scored(result.designs[leaders[0]], measure, digits);
}

// "It scored 0.20 points less than A (95 % interval …)": how sure the choice is.
std::string distance_text(const PairResult& pair, Measure measure, const std::string& other,
                          int digits) {
  const MeasureWords& words = words_of(measure);
  const std::string size =
      pair.difference == 0 ? "the same as "
                           : difference_text(std::abs(pair.difference), measure, digits) + " " +
                                 words.unit + (pair.difference > 0 ? " more than " : " less than ");
  return "It " + words.verb + " " + size + other + " (" +
         interval_text(pair, measure, digits, "of the difference ") + ")";
}

std::string choose_text(const ComparisonResult& result, const Indices& leaders,
                        const Indices& order) {
  const Cheapest cheapest = cheapest_of(result, without_worse(result, leaders));
  const std::size_t taken = cheapest.design;
  const std::size_t other = taken == leaders[0] ? leaders[1] : leaders[0];
  const DesignResult &mine = result.designs[taken], &theirs = result.designs[other];
  const PairResult pair = pair_of(result, taken, other);
  const Measure measure = result.measure;
  const int digits = digits_for(pair.difference, measure);
  const std::string advice =
      cheapest.by.empty() ? "; no cost is known, so take the " +
                                std::string(higher_is_better(measure) ? "higher " : "lower ") +
                                words_of(measure).score + ", "
                          : "; take the cheapest of them by " + cheapest.by + ", ";
  std::string text = leaders_text(result, leaders, digits) + advice + mine.label + ". " +
                     distance_text(pair, measure, theirs.label, digits) + costs_text(mine, theirs) +
                     ".";
  const Indices worse(order.begin() + static_cast<std::ptrdiff_t>(leaders.size()), order.end());
  if (!worse.empty())
    text += " Shown to be worse than " + result.designs[leaders[0]].label + ": " +
            scored(result, worse, words_of(measure).verdict_decimals) + ".";
  return text + budget_text(mine, theirs) + basis_text(result);
}

}  // namespace

std::string verdict_sentence(const ComparisonResult& result) {
  FFN_ASSERT(!result.verdict.leaders.empty());
  const Indices order = ranked(result);
  const Indices leaders = without_repeats(result, result.verdict.leaders);
  if (order.size() == 1) return alone_text(result, result.designs[order[0]]);
  if (leaders.size() == 1) return take_text(result, order);
  return choose_text(result, leaders, order);
}

}  // namespace ffn::inline v0
