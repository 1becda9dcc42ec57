#include "ffn/bench/bench_report.h"

namespace ffn::inline v0 {
namespace {

Cell speed(double value) { return value > 0 ? Cell(value) : Cell(); }

std::vector<Cell> limits_row(const SpeedLimits& limits) {
  return {std::int64_t{limits.threads},
          limits.f32_gflops,
          speed(limits.bf16_gflops),
          speed(limits.int8_gflops),
          limits.l1_gbps,
          limits.l2_gbps,
          limits.l3_gbps,
          limits.memory_gbps};
}

template <class Value>
Cell optional_cell(const std::optional<Value>& value) {
  return value ? Cell(*value) : Cell();
}
Cell text_cell(const std::string& text) { return text.empty() ? Cell() : Cell(text); }

// The table of cases with old_ms, ratio and verdict behind it.
Table with_comparison(const BenchReport& report) {
  Table table = cases_table(report);
  if (report.comparison.empty()) return table;
  for (const char* name : {"old_ms", "ratio", "verdict"}) table.columns.push_back({name});
  for (std::size_t i = 0; i < table.rows.size(); ++i) {
    const CaseComparison& c = report.comparison.at(i);
    table.rows[i].push_back(optional_cell(c.old_ms));
    table.rows[i].push_back(optional_cell(c.ratio));
    table.rows[i].push_back(std::string(to_string(c.verdict)));
  }
  return table;
}

}  // namespace

Table limits_table(const BenchReport& report) {
  Table table{{{"threads"},
               {"f32_gflops"},
               {"bf16_gflops"},
               {"int8_gflops"},
               {"l1_gbps"},
               {"l2_gbps"},
               {"l3_gbps"},
               {"memory_gbps"}},
              {}};
  table.add_row(limits_row(report.limits.one));
  if (report.limits.all.threads > 1) table.add_row(limits_row(report.limits.all));
  return table;
}

Table cases_table(const BenchReport& report) {
  Table table{{{"case"},
               {"shape"},
               {"n"},
               {"dtype"},
               {"pass"},
               {"isa"},
               {"threads"},
               {"median_ms"},
               {"p10_ms"},
               {"p90_ms"},
               {"gflops"},
               {"share_of_peak", NumberStyle::percent},
               {"cpu_share_of_peak", NumberStyle::percent},
               {"gbps"},
               {"share_of_bandwidth", NumberStyle::percent},
               {"memory_level"},
               {"predicted_bytes", NumberStyle::bytes},
               {"measured_bytes", NumberStyle::bytes},
               {"samples"},
               {"verified"}},
              {}};
  for (const CaseResult& c : report.cases) {
    table.add_row({c.key(),
                   c.shape,
                   c.n,
                   c.dtype,
                   text_cell(c.pass),
                   c.isa,
                   c.threads,
                   c.median_ms,
                   c.p10_ms,
                   c.p90_ms,
                   c.gflops,
                   c.share_of_peak,
                   c.cpu_share_of_peak,
                   optional_cell(c.gbps),
                   optional_cell(c.share_of_bandwidth),
                   text_cell(c.memory_level),
                   optional_cell(c.predicted_bytes),
                   optional_cell(c.measured_bytes),
                   c.samples,
                   c.verified});
  }
  return table;
}

Table comparison_table(std::span<const CaseComparison> comparison) {
  Table table{{{"case"}, {"old_ms"}, {"new_ms"}, {"ratio"}, {"verdict"}}, {}};
  for (const CaseComparison& c : comparison)
    table.add_row({c.name, optional_cell(c.old_ms), c.new_ms, optional_cell(c.ratio),
                   std::string(to_string(c.verdict))});
  return table;
}

std::string bench_text(const BenchReport& report, TableFormat format) {
  if (format == TableFormat::json) return bench_json(report);
  if (format == TableFormat::csv) return to_text(with_comparison(report), TableFormat::csv);
  std::string text = report.cpu + ", " + std::to_string(report.cores) + " processors, " +
                     report.isa + ", ffn " + report.version + " by " + report.compiler + "\n";
  if (report.quick)
    text +=
        "Quick: three short samples a case; the times say little, the checks what they say "
        "elsewhere.\n";
  text +=
      "\n" + to_text(limits_table(report), format) + "\n" + to_text(cases_table(report), format);
  if (!report.comparison.empty())
    text += "\n" + to_text(comparison_table(report.comparison), format);
  return text;
}

}  // namespace ffn::inline v0
