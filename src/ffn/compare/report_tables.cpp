#include "ffn/compare/report_tables.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <iterator>
#include <set>

#include "ffn/compare/design_summary.h"
#include "ffn/compare/measure_words.h"
#include "ffn/compare/report_words.h"
#include "ffn/compare/shown_design.h"

namespace ffn::inline v0 {
namespace {

// Zero: not measured, or not applicable.
Cell known(std::int64_t value) { return value == 0 ? Cell() : Cell(value); }
Cell known(double value) { return value == 0 ? Cell() : Cell(value); }
Cell number_cell(double value) { return value == 0 ? Cell() : Cell(number_text(value)); }

// The label, and below it the canonical text where that says more.
std::string named(const ShownDesign& shown, const DesignResult& design) {
  const bool more = !design.design.empty() && design.design != shown.label;
  return more ? shown.label + "\n" + design.design : shown.label;
}

// Three seeds and more: the mean and its range. Two: the mean and both values. One: the value.
Cell quality_cell(const ShownDesign& shown, Measure measure) {
  if (!shown.has_runs()) return {};
  std::string text = quality_text(shown.test_mean, measure);
  const auto both = [&](double first, const char* between, double second) {
    text += "\n" + bare_quality_text(first, measure) + between + quality_text(second, measure);
  };
  if (shown.test.size() == 2) both(shown.test[0], " and ", shown.test[1]);
  if (shown.test.size() >= kSeedsForInterval) both(shown.test_low, " to ", shown.test_high);
  return text;
}

Cell error_cell(const ShownDesign& shown, Measure measure) {
  return shown.example_error == 0 ? Cell() : Cell(difference_text(shown.example_error, measure));
}

// Learning rates are short decimals; to_chars finds the shortest that is the same number.
std::string rate_text(double rate) {
  std::array<char, 64> text{};
  const auto form = rate >= 1e-6 ? std::chars_format::fixed : std::chars_format::scientific;
  const auto end = std::to_chars(text.data(), text.data() + text.size(), rate, form);
  return {text.data(), end.ptr};
}

// The differences are told from the side of the better one, as the reading is.
std::vector<Cell> pair_row(const ComparisonResult& result, const PairResult& pair) {
  std::string text = pair_reading(result, pair);
  if (pair.per_seed.size() > 1) {
    const PairResult told = in_favour_of_first(pair, result.measure);
    text += "\nseed by seed: " + per_seed_text(told, result.measure, told.difference < 0);
  }
  if (pair.basis == PairBasis::same) return {std::move(text), {}, {}};
  return {std::move(text), p_text(pair.p), p_text(pair.adjusted_p)};
}

std::vector<Column> main_columns(const MeasureWords& words) {
  using enum NumberStyle;
  std::vector<Column> columns{{"Design"}, {"Test " + words.name, words.style}};
  if (words.shows_example_error)
    columns.push_back({"Standard error over " + plural(words.example), words.style});
  const Column more[] = {{words.gap + ", " + words.unit, words.style},
                         {"Parameters", count},
                         {"Work per token", flops},
                         {"Peak memory, training", bytes},
                         {"Peak memory, use", bytes},
                         {"Step time, ms", count},
                         {capitalized(plural(words.item)) + " per second, training", count}};
  columns.insert(columns.end(), std::begin(more), std::end(more));
  return columns;
}

}  // namespace

MainTable main_table(const ComparisonResult& result) {
  const MeasureWords& words = words_of(result.measure);
  MainTable main{{main_columns(words), {}}, {}};
  for (const ShownDesign& shown : ranked_designs(result)) {
    const auto& leaders = result.verdict.leaders;
    // A single design leads nobody.
    if (result.designs.size() > 1 && std::ranges::find(leaders, shown.index) != leaders.end())
      main.leaders.push_back(main.table.rows.size());
    const DesignResult& design = result.designs[shown.index];
    std::vector<Cell> row{named(shown, design), quality_cell(shown, result.measure)};
    if (words.shows_example_error) row.push_back(error_cell(shown, result.measure));
    const Cell more[] = {
        shown.has_runs() ? Cell(signed_difference_text(shown.gap, result.measure)) : Cell(),
        known(design.parameters),
        known(design.flops_per_token),
        known(shown.train_peak_bytes),
        known(shown.inference_peak_bytes),
        number_cell(shown.step_ms),
        number_cell(shown.items_per_s)};
    row.insert(row.end(), std::begin(more), std::end(more));
    main.table.add_row(std::move(row));
  }
  return main;
}

Table reading_table(const ComparisonResult& result) {
  using enum NumberStyle;
  Table table{{{"What the test says; in brackets the 95 % interval"},
               {"p", percent},
               {"p after Holm", percent}},
              {}};
  // What the best design was compared with comes first.
  const std::vector<std::size_t>& leaders = result.verdict.leaders;
  const auto speaks_of_best = [&](const PairResult& pair) {
    return !leaders.empty() && (pair.first == leaders.front() || pair.second == leaders.front());
  };
  for (const bool wanted : {true, false})
    for (const PairResult& pair : result.pairs)
      if (speaks_of_best(pair) == wanted) table.add_row(pair_row(result, pair));
  return table;
}

Table learning_rate_table(const ComparisonResult& result) {
  std::set<double> rates;
  for (const DesignResult& design : result.designs)
    for (const auto& [rate, quality] : design.learning_rates) rates.insert(rate);
  Table table{{{"Design"}}, {}};
  const NumberStyle style = words_of(result.measure).style;
  for (const double rate : rates) table.columns.push_back({rate_text(rate), style});
  for (std::size_t i = 0; i < result.designs.size(); ++i) {
    const DesignResult& design = result.designs[i];
    if (design.learning_rates.empty()) continue;
    std::vector<Cell> row{label_of(result, i)};
    for (const double rate : rates) {
      const auto tried = std::ranges::find(design.learning_rates, rate,
                                           [](const auto& entry) { return entry.first; });
      if (tried == design.learning_rates.end()) {
        row.emplace_back();
        continue;
      }
      std::string text = quality_text(tried->second, result.measure);
      if (rate == design.learning_rate) text += "\nchosen";
      row.emplace_back(std::move(text));
    }
    table.add_row(std::move(row));
  }
  return table;
}

Table size_table(const ComparisonResult& result) {
  using enum NumberStyle;
  Table table{{{"Design"},
               {"Parameters", count},
               {"Active parameters", count},
               {"In feed-forward layers", count},
               {"Budget reached", percent},
               {"Learning rate"},
               {"Work per token", flops},
               {"Work of a training step", flops}},
              {}};
  for (std::size_t i = 0; i < result.designs.size(); ++i) {
    const DesignResult& design = result.designs[i];
    table.add_row({label_of(result, i), known(design.parameters), known(design.active_parameters),
                   known(design.feed_forward_parameters), known(design.match_ratio),
                   known(design.learning_rate), known(design.flops_per_token),
                   known(design.step_flops)});
  }
  return table;
}

Table measured_table(const ComparisonResult& result) {
  using enum NumberStyle;
  const std::string items = plural(words_of(result.measure).item);
  Table table{{{"Design"},
               {"Training: tensors, peak", bytes},
               {"Training: whole process, peak", bytes},
               {"Use: tensors, peak", bytes},
               {"Use: whole process, peak", bytes},
               {"Training step, ms", count},
               {"Training, " + items + " per second", count},
               {"Use, " + items + " per second", count}},
              {}};
  for (const ShownDesign& shown : shown_designs(result)) {
    Cell step = number_cell(shown.step_ms);
    if (shown.step_ms > 0 && shown.step_p10_ms > 0)
      step.text += "\n" + number_text(shown.step_p10_ms) + " to " + number_text(shown.step_p90_ms);
    table.add_row({shown.label, known(shown.train_peak_bytes),
                   known(shown.train_process_peak_bytes), known(shown.inference_peak_bytes),
                   known(shown.inference_process_peak_bytes), std::move(step),
                   number_cell(shown.items_per_s), number_cell(shown.inference_items_per_s)});
  }
  return table;
}

}  // namespace ffn::inline v0
