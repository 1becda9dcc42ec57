#include "ffn/compare/report_tables.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <set>

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
Cell accuracy_cell(const ShownDesign& shown) {
  if (!shown.has_runs()) return {};
  std::string text = percent_text(shown.test_mean);
  if (shown.test.size() == 2)
    text += "\n" + points_text(shown.test[0]) + " and " + percent_text(shown.test[1]);
  if (shown.test.size() >= kSeedsForInterval)
    text += "\n" + points_text(shown.test_low) + " to " + percent_text(shown.test_high);
  return text;
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
  if (pair.per_seed.size() > 1)
    text += "\nseed by seed: " + per_seed_text(pair, pair.difference < 0);
  if (pair.basis == PairBasis::same) return {std::move(text), {}, {}};
  return {std::move(text), p_text(pair.p), p_text(pair.adjusted_p)};
}

}  // namespace

MainTable main_table(const ComparisonResult& result) {
  using enum NumberStyle;
  MainTable main{{{{"Design"},
                   {"Test accuracy", percent},
                   {"Train − test, points", percent},
                   {"Parameters", count},
                   {"Work per token", flops},
                   {"Peak memory, training", bytes},
                   {"Peak memory, use", bytes},
                   {"Step time, ms", count},
                   {"Pictures per second, training", count}},
                  {}},
                 {}};
  for (const ShownDesign& shown : ranked_designs(result)) {
    const auto& leaders = result.verdict.leaders;
    // A single design leads nobody.
    if (result.designs.size() > 1 && std::ranges::find(leaders, shown.index) != leaders.end())
      main.leaders.push_back(main.table.rows.size());
    const DesignResult& design = result.designs[shown.index];
    main.table.add_row({named(shown, design), accuracy_cell(shown),
                        shown.has_runs() ? Cell(signed_points_text(shown.gap)) : Cell(),
                        known(design.parameters), known(design.flops_per_token),
                        known(shown.train_peak_bytes), known(shown.inference_peak_bytes),
                        number_cell(shown.step_ms), number_cell(shown.images_per_s)});
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
    for (const auto& [rate, accuracy] : design.learning_rates) rates.insert(rate);
  Table table{{{"Design"}}, {}};
  for (const double rate : rates) table.columns.push_back({rate_text(rate), NumberStyle::percent});
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
      std::string text = percent_text(tried->second);
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
  Table table{{{"Design"},
               {"Training: tensors, peak", bytes},
               {"Training: whole process, peak", bytes},
               {"Use: tensors, peak", bytes},
               {"Use: whole process, peak", bytes},
               {"Training step, ms", count},
               {"Training, pictures per second", count},
               {"Use, pictures per second", count}},
              {}};
  for (const ShownDesign& shown : shown_designs(result)) {
    Cell step = number_cell(shown.step_ms);
    if (shown.step_ms > 0 && shown.step_p10_ms > 0)
      step.text += "\n" + number_text(shown.step_p10_ms) + " to " + number_text(shown.step_p90_ms);
    table.add_row({shown.label, known(shown.train_peak_bytes),
                   known(shown.train_process_peak_bytes), known(shown.inference_peak_bytes),
                   known(shown.inference_process_peak_bytes), std::move(step),
                   number_cell(shown.images_per_s), number_cell(shown.inference_images_per_s)});
  }
  return table;
}

}  // namespace ffn::inline v0
