// What the programs of this folder share beside the library's measuring (ffn/bench/measure_run.h):
// tables that grow row by row, and options.
#pragma once

#include <string>
#include <vector>

#include "ffn/bench/measure_run.h"

namespace ffn::bench {

// Prints rows of a Markdown table, the heading first.
class Table {
 public:
  explicit Table(const std::vector<std::string>& columns) {
    add(columns);
    add(std::vector<std::string>(columns.size(), "---"));
  }
  void add(const std::vector<std::string>& cells) const;
};

// 3 significant digits; "median (p10–p90)".
std::string format_number(double value);
std::string format_spread(const SampleSummary& summary);

// Numbers ≥ 1 from the command line, after `--<name>`; `fallback` when the option is absent. Prints
// an error and exits with status 2 when the value is no such number.
int read_option(int argc, char** argv, const std::string& name, int fallback);

}  // namespace ffn::bench
