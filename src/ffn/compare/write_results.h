// What a finished comparison leaves for people and programs.
#pragma once

#include <span>
#include <string>

#include "ffn/compare/comparison_result.h"

namespace ffn::inline v0 {

struct NamedResult {
  std::string name;  // of the part of an experiment; empty when there is only one
  ComparisonResult result;
};

// FOLDER/report.html (all parts), report.md, designs.csv and pairs.csv of each part in its own
// folder (FOLDER/<name>), plots/<figure>.svg likewise. Each file whole or not at all. Returns the
// path of report.html. Errors: io.
std::string write_results(const std::string& folder, std::span<const NamedResult> results);

}  // namespace ffn::inline v0
