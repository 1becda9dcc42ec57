// Reads the finished runs of a comparison.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "ffn/compare/comparison_result.h"
#include "ffn/compare/prepare.h"

namespace ffn::inline v0 {

struct CollectOptions {
  std::string command;       // that the user gave
  std::int64_t threads = 0;  // of each run
  std::vector<std::pair<std::string, std::string>> environment;
};

// Everything that the runs in RUNS measured, and what plans say of their models on `device`;
// judged (judge.h). Errors: io for a run that is missing or damaged.
ComparisonResult collect(const std::string& runs, const Comparison& comparison,
                         const DataFacts& data, const Device& device,
                         const CollectOptions& options);

}  // namespace ffn::inline v0
