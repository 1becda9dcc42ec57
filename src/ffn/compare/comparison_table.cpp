#include "ffn/compare/comparison_table.h"

#include "ffn/compare/report_words.h"
#include "ffn/compare/shown_design.h"

namespace ffn::inline v0 {
namespace {

// Zero says "not measured" or "not applicable" in a result; a table leaves the cell empty.
Cell known(std::int64_t value) { return value == 0 ? Cell() : Cell(value); }
Cell known(double value) { return value == 0 ? Cell() : Cell(value); }

std::vector<Column> comparison_columns() {
  using enum NumberStyle;
  return {{"design"},
          {"feed_forward"},
          {"parameters", count},
          {"active_parameters", count},
          {"feed_forward_parameters", count},
          {"flops_per_token", flops},
          {"step_flops", flops},
          {"match_ratio"},
          {"learning_rate"},
          {"seeds"},
          {"test_accuracy", percent},
          {"test_accuracy_low", percent},
          {"test_accuracy_high", percent},
          {"validation_accuracy", percent},
          {"train_test_gap", percent},
          {"train_peak_bytes", bytes},
          {"train_process_peak_bytes", bytes},
          {"inference_peak_bytes", bytes},
          {"inference_process_peak_bytes", bytes},
          {"step_ms"},
          {"images_per_s"},
          {"inference_images_per_s"}};
}

}  // namespace

Table comparison_table(const ComparisonResult& result) {
  Table table{comparison_columns(), {}};
  for (const ShownDesign& shown : shown_designs(result)) {
    const DesignResult& design = result.designs[shown.index];
    const auto measured = [&](double value) { return shown.has_runs() ? Cell(value) : Cell(); };
    table.add_row({shown.label,
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
                   known(shown.images_per_s),
                   known(shown.inference_images_per_s)});
  }
  return table;
}

Table pair_table(const ComparisonResult& result) {
  Table table{{{"first"},
               {"second"},
               {"difference_points"},
               {"interval_low_points"},
               {"interval_high_points"},
               {"p"},
               {"adjusted_p"},
               {"basis"},
               {"outcome"},
               {"per_seed_points"}},
              {}};
  for (const PairResult& pair : result.pairs) {
    const bool tested = pair.basis != PairBasis::same;
    const auto of_test = [tested](double value) { return tested ? Cell(value) : Cell(); };
    table.add_row({label_of(result, pair.first), label_of(result, pair.second),
                   100 * pair.difference, of_test(100 * pair.interval.low),
                   of_test(100 * pair.interval.high), of_test(pair.p), of_test(pair.adjusted_p),
                   basis_text(pair.basis), outcome_text(pair.outcome), per_seed_text(pair)});
  }
  return table;
}

}  // namespace ffn::inline v0
