// Made-up results of training runs for the tests of what is concluded from them.
#pragma once

#include <cstdint>
#include <numeric>
#include <string>
#include <vector>

#include "ffn/compare/comparison_result.h"

namespace ffn {

using Answers = std::vector<std::int8_t>;

// One run per seed 1, 2, …, from its answers.
inline DesignResult design_of_answers(const std::string& label,
                                      const std::vector<Answers>& answers) {
  DesignResult design;
  design.label = design.design = label;
  design.learning_rate = 0.001;
  for (std::size_t seed = 0; seed < answers.size(); ++seed) {
    RunResult run;
    run.seed = seed + 1;
    run.right = answers[seed];
    run.test.right = std::accumulate(run.right.begin(), run.right.end(), std::int64_t{0});
    run.test.count = static_cast<std::int64_t>(run.right.size());
    design.runs.push_back(run);
  }
  return design;
}

// The first right[seed] of `count` pictures are right.
inline DesignResult design_of_counts(const std::string& label, const std::vector<int>& right,
                                     int count = 1000) {
  std::vector<Answers> answers;
  for (const int first : right) {
    Answers run(static_cast<std::size_t>(count));
    for (int i = 0; i < first; ++i) run[static_cast<std::size_t>(i)] = 1;
    answers.push_back(run);
  }
  return design_of_answers(label, answers);
}

inline DesignResult with_costs(DesignResult design, std::int64_t parameters, double step_ms,
                               std::int64_t peak_bytes) {
  design.parameters = parameters;
  design.step_flops = 6 * parameters;
  for (RunResult& run : design.runs) {
    run.training.median_ms = step_ms;
    run.training.ledger_peak_bytes = peak_bytes;
  }
  return design;
}

}  // namespace ffn
