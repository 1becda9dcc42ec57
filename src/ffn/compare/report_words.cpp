#include "ffn/compare/report_words.h"

#include <algorithm>
#include <cmath>

#include "ffn/compare/design_summary.h"
#include "ffn/compare/measure_words.h"
#include "ffn/report/axis_ticks.h"
#include "ffn/report/table.h"

namespace ffn::inline v0 {
namespace {

std::string interval_text(const Interval& interval, Measure measure) {
  return difference_text(interval.low, measure) + " to " + difference_text(interval.high, measure);
}

// "2.10 points"
std::string with_unit(double difference, Measure measure) {
  return difference_text(difference, measure) + " " + words_of(measure).unit;
}

// The test over examples says nothing about another training; that must stand in the row itself.
std::string_view basis_note(PairBasis basis) {
  return basis == PairBasis::examples ? "; these trained models only" : "";
}

std::string better_text(const std::string& better, const std::string& worse, double difference,
                        const Interval& interval, Measure measure) {
  return better + " better than " + worse + " by " + with_unit(difference, measure) + " (" +
         interval_text(interval, measure) + ")";
}

std::string undecided_text(const std::string& first, const std::string& second,
                           const PairResult& pair, Measure measure) {
  const bool ahead = pair.difference >= 0;
  const Interval turned = ahead ? pair.interval : Interval{-pair.interval.high, -pair.interval.low};
  std::string text = "Undecided: " + (ahead ? first : second) + " is ahead of " +
                     (ahead ? second : first) + " by " +
                     with_unit(std::abs(pair.difference), measure) + ", ";
  if (turned.low > 0)
    return text + "but that is not sure enough for so many pairs (" +
           interval_text(turned, measure) + ")";
  return text + "but anything from " + interval_text(turned, measure) + " is possible";
}

}  // namespace

std::string p_text(double p) { return p < 0.001 ? "< 0.001" : fixed_text(p, 3); }

std::string bytes_text(std::int64_t bytes) { return to_text(bytes, NumberStyle::bytes); }

double rounded(double value) {
  if (value == 0 || !std::isfinite(value)) return value;
  const double step = std::pow(10.0, std::min(0.0, std::floor(std::log10(std::abs(value))) - 2));
  return std::round(value / step) * step;
}

std::string number_text(double value) {
  return std::abs(value) >= 1000 ? to_text(value, NumberStyle::count)
                                 : to_text(rounded(value), NumberStyle::plain);
}

std::string seeds_text(const std::vector<std::uint64_t>& seeds) {
  std::string text = std::to_string(seeds.size()) + (seeds.size() == 1 ? " seed (" : " seeds (");
  for (std::size_t i = 0; i < seeds.size(); ++i)
    text += (i > 0 ? ", " : "") + std::to_string(seeds[i]);
  return text + ")";
}

std::string listed(const std::vector<std::string>& names) {
  std::string text;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (i > 0) text += i + 1 == names.size() ? " and " : ", ";
    text += names[i];
  }
  return text;
}

std::string label_of(const ComparisonResult& result, std::size_t design) {
  const DesignResult& one = result.designs.at(design);
  return one.label.empty() ? one.design : one.label;
}

std::string basis_text(PairBasis basis, Measure measure) {
  switch (basis) {
    case PairBasis::same: return "the same runs";
    case PairBasis::examples:
      return "test " + plural(words_of(measure).example) + ", these trained models only";
    case PairBasis::seeds: return "seeds";
  }
  return {};
}

std::string outcome_text(PairOutcome outcome) {
  switch (outcome) {
    case PairOutcome::first_better: return "first better";
    case PairOutcome::second_better: return "second better";
    case PairOutcome::equivalent: return "equivalent";
    case PairOutcome::undecided: return "undecided";
    case PairOutcome::tie: return "tie";
  }
  return {};
}

std::string pair_reading(const ComparisonResult& result, const PairResult& stored) {
  const Measure measure = result.measure;
  const PairResult pair = in_favour_of_first(stored, measure);
  const std::string first = label_of(result, pair.first), second = label_of(result, pair.second);
  const std::string note(basis_note(pair.basis));
  switch (pair.outcome) {
    case PairOutcome::first_better:
      return better_text(first, second, pair.difference, pair.interval, measure) + note;
    case PairOutcome::second_better:
      return better_text(second, first, -pair.difference, {-pair.interval.high, -pair.interval.low},
                         measure) +
             note;
    case PairOutcome::equivalent:
      return first + " and " + second + " equally good within " +
             with_unit(result.margin, measure) + " (difference " +
             interval_text(stored.interval, measure) + ")" + note;
    case PairOutcome::undecided: return undecided_text(first, second, pair, measure) + note;
    case PairOutcome::tie:
      return first + " and " + second +
             (pair.basis == PairBasis::same ? " are the same design: a tie" : ": an exact tie") +
             note;
  }
  return {};
}

std::string per_seed_text(const PairResult& pair, Measure measure, bool reversed) {
  std::string text;
  for (const double difference : pair.per_seed) {
    if (!text.empty()) text += ", ";
    text += signed_difference_text(reversed ? -difference : difference, measure);
  }
  return text;
}

}  // namespace ffn::inline v0
