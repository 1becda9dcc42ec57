// Made-up results of training runs for the tests of what is concluded from them.
#pragma once

#include <cstdint>
#include <numbers>
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
    run.qualities.assign(answers[seed].begin(), answers[seed].end());
    run.weights.assign(answers[seed].size(), 1);
    run.test.right = std::accumulate(answers[seed].begin(), answers[seed].end(), std::int64_t{0});
    run.test.count = static_cast<std::int64_t>(answers[seed].size());
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

// One run per seed 1, 2, …, from the bits per byte of each document.
inline DesignResult design_of_documents(const std::string& label,
                                        const std::vector<std::vector<double>>& bits,
                                        const std::vector<std::int32_t>& bytes) {
  DesignResult design;
  design.label = design.design = label;
  design.learning_rate = 0.001;
  for (std::size_t seed = 0; seed < bits.size(); ++seed) {
    RunResult run;
    run.seed = seed + 1;
    run.qualities = bits[seed];
    run.weights.assign(bytes.begin(), bytes.end());
    std::vector<double> losses(bytes.size());
    double sum = 0;
    for (std::size_t i = 0; i < bytes.size(); ++i) {
      losses[i] = std::numbers::ln2 * bits[seed][i] * bytes[i];
      run.test.count += bytes[i];
      sum += losses[i];
    }
    run.test.right = run.test.count / 2;
    run.test.loss = sum / static_cast<double>(run.test.count);
    run.test.standard_error = document_standard_error(losses, bytes);
    design.runs.push_back(run);
  }
  return design;
}

// Four documents of 100, 200, 300 and 400 bytes that all need means[seed] bits per byte.
inline DesignResult design_of_bits(const std::string& label, const std::vector<double>& means) {
  std::vector<std::vector<double>> bits;
  for (const double mean : means) bits.emplace_back(4, mean);
  return design_of_documents(label, bits, {100, 200, 300, 400});
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
