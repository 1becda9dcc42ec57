#include "ffn/compare/verdict_sentence.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <vector>

#include "ffn/base/check.h"
#include "ffn/compare/design_summary.h"
#include "ffn/compare/sort_indices.h"

namespace ffn::inline v0 {
namespace {

using Indices = std::vector<std::size_t>;

// Not a stream: a stream follows the locale of the host program.
std::string fixed(double value, int digits) {
  std::array<char, 64> text{};
  const auto end = std::to_chars(text.data(), text.data() + text.size(), std::abs(value),
                                 std::chars_format::fixed, digits)
                       .ptr;
  const std::string number(text.data(), end);
  const bool zero = number.find_first_not_of("0.") == std::string::npos;
  return value < 0 && !zero ? "−" + number : number;
}

// Points of accuracy: two decimals where one would leave a single digit or none.
int digits_for(double difference) { return std::abs(difference) < 0.00995 ? 2 : 1; }
std::string points(double fraction, int digits) { return fixed(100 * fraction, digits); }
std::string percent(double fraction, int digits) { return points(fraction, digits) + " %"; }

// "a", "a and b", "a, b and c"
std::string join(const std::vector<std::string>& parts) {
  std::string text;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (i > 0) text += i + 1 == parts.size() ? " and " : ", ";
    text += parts[i];
  }
  return text;
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

// All designs, by falling mean test accuracy, the leaders first.
Indices ranked(const ComparisonResult& result) {
  Indices order = result.verdict.leaders, others;
  for (std::size_t i = 0; i < result.designs.size(); ++i)
    if (std::find(order.begin(), order.end(), i) == order.end()) others.push_back(i);
  sort_indices(others, [&](std::size_t a, std::size_t b) {
    return mean_test_accuracy(result.designs[a]) > mean_test_accuracy(result.designs[b]);
  });
  order.insert(order.end(), others.begin(), others.end());
  return without_repeats(result, order);
}

std::string scored(const DesignResult& design, int digits) {
  return design.label + " (" + percent(mean_test_accuracy(design), digits) + ")";
}

std::string scored(const ComparisonResult& result, const Indices& designs, int digits) {
  std::vector<std::string> parts;
  for (const std::size_t design : designs) parts.push_back(scored(result.designs[design], digits));
  return join(parts);
}

// "95 % interval 1.7 to 2.9 over 3 seeds"
std::string interval_text(const PairResult& pair, int digits, const std::string& of = "") {
  std::string text = "95 % interval " + of + points(pair.interval.low, digits) + " to " +
                     points(pair.interval.high, digits);
  if (pair.basis == PairBasis::seeds) text += " over " + counted(pair.per_seed.size(), "seed");
  return text;
}

// " at 1.03 × its parameters, 1.20 × its time per step and …", of a relative to b; empty when
// nothing was measured.
std::string costs_text(const DesignResult& a, const DesignResult& b) {
  std::vector<std::string> parts;
  const auto add = [&](double mine, double other, const char* what) {
    if (mine > 0 && other > 0) parts.push_back(fixed(mine / other, 2) + " × its " + what);
  };
  add(static_cast<double>(a.parameters), static_cast<double>(b.parameters), "parameters");
  add(median_step_ms(a), median_step_ms(b), "time per training step");
  add(static_cast<double>(training_peak_bytes(a)), static_cast<double>(training_peak_bytes(b)),
      "peak memory in training");
  return parts.empty() ? "" : ", at " + join(parts);
}

// A sentence, when one of the two had more to work with.
std::string budget_text(const DesignResult& a, const DesignResult& b) {
  std::vector<std::string> parts;
  const auto add = [&](std::int64_t mine, std::int64_t other, const char* what) {
    if (mine <= 0 || other <= 0) return;
    const double ratio = static_cast<double>(mine) / static_cast<double>(other);
    if (std::max(ratio, 1 / ratio) > 1.05) parts.push_back(fixed(ratio, 2) + " × the " + what);
  };
  add(a.parameters, b.parameters, "parameters");
  add(a.step_flops, b.step_flops, "arithmetic per training step");
  if (parts.empty()) return "";
  return " Their budgets are not equal: " + a.label + " has " + join(parts) + " of " + b.label +
         ".";
}

std::string basis_text(const ComparisonResult& result) {
  const std::size_t seeds = result.designs.front().runs.size();
  if (seeds >= 3) return "";
  return " With " + counted(seeds, "seed") +
         " this speaks of these trained models only, not of the designs in general.";
}

std::string alone_text(const DesignResult& design, std::size_t times) {
  std::string text = design.label + ": " + percent(mean_test_accuracy(design), 1) +
                     " of the test pictures right, mean of " + counted(design.runs.size(), "seed");
  return text + (times == 1
                     ? "; it was the only design, so nothing was compared."
                     : "; it was given " + std::to_string(times) +
                           " times, the same runs and an exact tie, so nothing was compared.");
}

std::string take_text(const ComparisonResult& result, const Indices& order) {
  const DesignResult &best = result.designs[order[0]], &next = result.designs[order[1]];
  const PairResult pair = pair_of(result, order[0], order[1]);
  const int digits = digits_for(pair.difference);
  std::string text = "Take " + best.label + ": " + percent(mean_test_accuracy(best), digits) +
                     " of the test pictures right, " + points(pair.difference, digits) +
                     " points more than the next, " + next.label + " (" +
                     interval_text(pair, digits) + ")" + costs_text(best, next) + ".";
  const std::size_t others = order.size() - 2;
  if (others > 0)
    text += " It is shown to be better than the other " +
            (others == 1 ? "design" : std::to_string(others) + " designs") + " too.";
  return text + budget_text(best, next) + basis_text(result);
}

struct Cheapest {
  std::size_t design = 0;
  std::string by;  // empty: no cost is known, it is the highest score
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
  if (all_equal(result, leaders))
    return "Equal within the stated margin of " + points(result.margin, digits_for(result.margin)) +
           " points of test accuracy: " + scored(result, leaders, digits);
  const std::string start = "Undecided: by the test pictures they get right, ";
  if (leaders.size() == 2)
    return start + scored(result, leaders, digits) + " could not be told apart";
  return start + scored(result, Indices(leaders.begin() + 1, leaders.end()), digits) +
         " could not be told apart from the highest score, " +
         scored(result.designs[leaders[0]], digits);
}

// "It scored 0.20 points less than A (95 % interval …)": how sure the choice is.
std::string difference_text(const PairResult& pair, const std::string& other, int digits) {
  const std::string size = pair.difference == 0
                               ? "the same as "
                               : points(std::abs(pair.difference), digits) + " points " +
                                     (pair.difference > 0 ? "more than " : "less than ");
  return "It scored " + size + other + " (" + interval_text(pair, digits, "of the difference ") +
         ")";
}

std::string choose_text(const ComparisonResult& result, const Indices& leaders,
                        const Indices& order) {
  const Cheapest cheapest = cheapest_of(result, without_worse(result, leaders));
  const std::size_t taken = cheapest.design;
  const std::size_t other = taken == leaders[0] ? leaders[1] : leaders[0];
  const DesignResult &mine = result.designs[taken], &theirs = result.designs[other];
  const PairResult pair = pair_of(result, taken, other);
  const int digits = digits_for(pair.difference);
  const std::string advice = cheapest.by.empty()
                                 ? "; no cost is known, so take the higher score, "
                                 : "; take the cheapest of them by " + cheapest.by + ", ";
  std::string text = leaders_text(result, leaders, digits) + advice + mine.label + ". " +
                     difference_text(pair, theirs.label, digits) + costs_text(mine, theirs) + ".";
  const Indices worse(order.begin() + static_cast<std::ptrdiff_t>(leaders.size()), order.end());
  if (!worse.empty())
    text += " Shown to be worse than " + result.designs[leaders[0]].label + ": " +
            scored(result, worse, 1) + ".";
  return text + budget_text(mine, theirs) + basis_text(result);
}

}  // namespace

std::string verdict_sentence(const ComparisonResult& result) {
  FFN_ASSERT(!result.verdict.leaders.empty());
  const Indices order = ranked(result);
  const Indices leaders = without_repeats(result, result.verdict.leaders);
  if (order.size() == 1) return alone_text(result.designs[order[0]], result.designs.size());
  if (leaders.size() == 1) return take_text(result, order);
  return choose_text(result, leaders, order);
}

}  // namespace ffn::inline v0
