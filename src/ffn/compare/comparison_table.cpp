#include "ffn/compare/comparison_table.h"

#include "ffn/compare/design_experts.h"
#include "ffn/compare/measure_words.h"
#include "ffn/compare/report_words.h"
#include "ffn/compare/shown_design.h"

namespace ffn::inline v0 {
namespace {

// Zero says "not measured" or "not applicable" in a result; a table leaves the cell empty.
Cell known(std::int64_t value) { return value == 0 ? Cell() : Cell(value); }
Cell known(double value) { return value == 0 ? Cell() : Cell(value); }

std::vector<Column> comparison_columns(Measure measure, bool experts) {
  using enum NumberStyle;
  const MeasureWords& words = words_of(measure);
  const std::string test = "test_" + words.key;
  std::vector<Column> columns{{"design"},
                              {"feed_forward"},
                              {"parameters", count},
                              {"active_parameters", count},
                              {"feed_forward_parameters", count},
                              {"flops_per_token", flops},
                              {"step_flops", flops},
                              {"match_ratio"},
                              {"learning_rate"},
                              {"seeds"},
                              {test, words.style},
                              {test + "_low", words.style},
                              {test + "_high", words.style},
                              {"validation_" + words.key, words.style},
                              {"train_test_gap", words.style},
                              {"train_peak_bytes", bytes},
                              {"train_process_peak_bytes", bytes},
                              {"inference_peak_bytes", bytes},
                              {"inference_process_peak_bytes", bytes},
                              {"step_ms"},
                              {words.items_key + "_per_s"},
                              {"inference_" + words.items_key + "_per_s"}};
  if (experts)
    columns.insert(columns.end(), {{"effective_experts"},
                                   {"dead_experts"},
                                   {"dropped_share", percent},
                                   {"router_entropy"},
                                   {"seed_agreement"},
                                   {"seed_agreement_by_chance"}});
  if (words.shows_example_error) columns.push_back({"test_standard_error", words.style});
  return columns;
}

// Empty cells for a design without experts, and for agreement where there is one seed.
void add_experts(const DesignResult& design, std::vector<Cell>& row) {
  const std::optional<DesignExperts> experts = design_experts(design);
  if (!experts) {
    row.resize(row.size() + 6);
    return;
  }
  const ExpertSummary& health = experts->health;
  for (const double value :
       {health.effective_experts, health.dead_experts, health.dropped_share, health.router_entropy})
    row.emplace_back(value);
  const ExpertAgreement& agreement = experts->agreement;
  for (const double value : {agreement.agreement, agreement.by_chance})
    row.push_back(experts->agreeing > 0 ? Cell(value) : Cell());
}

}  // namespace

Table comparison_table(const ComparisonResult& result) {
  const bool experts = has_experts(result);
  Table table{comparison_columns(result.measure, experts), {}};
  for (const ShownDesign& shown : shown_designs(result)) {
    const DesignResult& design = result.designs[shown.index];
    const auto measured = [&](double value) { return shown.has_runs() ? Cell(value) : Cell(); };
    std::vector<Cell> row{shown.label,
                          design.design,
                          known(design.parameters),
                          known(design.active_parameters),
                          known(design.feed_forward_parameters),
                          known(design.flops_per_token),
                          known(design.step_flops),
                          known(design.match_ratio),
                          known(design.learning_rate),
                          static_cast<std::int64_t>(design.runs.size()),
                          measured(shown.test_mean),
                          measured(shown.test_low),
                          measured(shown.test_high),
                          measured(shown.validation_mean),
                          measured(shown.gap),
                          known(shown.train_peak_bytes),
                          known(shown.train_process_peak_bytes),
                          known(shown.inference_peak_bytes),
                          known(shown.inference_process_peak_bytes),
                          known(shown.step_ms),
                          known(shown.items_per_s),
                          known(shown.inference_items_per_s)};
    if (experts) add_experts(design, row);
    if (words_of(result.measure).shows_example_error) row.push_back(known(shown.example_error));
    table.add_row(std::move(row));
  }
  return table;
}

Table pair_table(const ComparisonResult& result) {
  const MeasureWords& words = words_of(result.measure);
  Table table{{{"first"},
               {"second"},
               {"difference_" + words.unit_key},
               {"interval_low_" + words.unit_key},
               {"interval_high_" + words.unit_key},
               {"p"},
               {"adjusted_p"},
               {"basis"},
               {"outcome"},
               {"per_seed_" + words.unit_key}},
              {}};
  for (const PairResult& pair : result.pairs) {
    const bool tested = pair.basis != PairBasis::same;
    const auto of_test = [tested](double value) { return tested ? Cell(value) : Cell(); };
    table.add_row({label_of(result, pair.first), label_of(result, pair.second),
                   words.units * pair.difference, of_test(words.units * pair.interval.low),
                   of_test(words.units * pair.interval.high), of_test(pair.p),
                   of_test(pair.adjusted_p), basis_text(pair.basis, result.measure),
                   outcome_text(pair.outcome), per_seed_text(pair, result.measure)});
  }
  return table;
}

}  // namespace ffn::inline v0
