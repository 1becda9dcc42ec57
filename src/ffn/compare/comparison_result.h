// What a comparison found: plain numbers, filled by collect.h, judged by judge.h, shown by
// comparison_report.h.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "ffn/compare/paired_tests.h"
#include "ffn/train/expert_health.h"
#include "ffn/train/measure.h"
#include "ffn/train/run_results.h"

namespace ffn::inline v0 {

struct LossPoint {
  std::int64_t step = 0;
  double loss = 0;  // mean over the steps since the point before
};

struct ValidationPoint {
  std::int64_t step = 0;
  double accuracy = 0, loss = 0;  // loss in nats
};

inline double quality(const ValidationPoint& point, Measure measure) {
  return measure == Measure::accuracy ? point.accuracy : bits_of(point.loss);
}

// One training run: one design, one seed.
struct RunResult {
  std::uint64_t seed = 0;
  std::string folder;
  Score train;       // of a fixed part of the training examples, without augmentation
  Score validation;  // at the end
  Score test;        // read once
  // Per test example, in the set's order: 1 or 0 for a picture that is right or wrong, the mean
  // bits per byte of a document; and its weight, the number of predictions in it. The test
  // quality is their weighted mean.
  std::vector<double> qualities, weights;
  std::vector<LossPoint> losses;
  std::vector<ValidationPoint> validations;
  MeasuredCosts training, inference;
  std::vector<RouterHealth> experts;  // on the validation set; empty without routers
};

struct DesignResult {
  std::string label;   // as the user wrote it, made unique
  std::string design;  // canonical, with its hidden width: "glu(silu, hidden=512)"
  std::int64_t parameters = 0, active_parameters = 0;  // of the whole model
  std::int64_t feed_forward_parameters = 0;
  std::int64_t flops_per_token = 0;  // of all feed-forward layers, forward
  std::int64_t step_flops = 0;       // of a training step of the whole model
  double match_ratio = 0;            // budget reached over budget wanted; 0: nothing was matched
  double learning_rate = 0;
  // Validation quality of every candidate learning rate, when one was chosen from a grid.
  std::vector<std::pair<double, double>> learning_rates;
  std::vector<RunResult> runs;  // one per seed, in the order of the seeds
};

enum class PairBasis {
  same,      // the same runs: a tie by identity
  examples,  // fewer than three seeds: paired bootstrap over test examples, these models only
  seeds,     // three seeds or more: paired t test over seeds
};

enum class PairOutcome { first_better, second_better, equivalent, undecided, tie };

// Test quality of designs[first] − designs[second]: accuracies as fractions (0.01 is one point), or
// bits per byte. Where lower is better, a negative difference speaks for the first.
struct PairResult {
  std::size_t first = 0, second = 0;
  PairBasis basis = PairBasis::examples;
  std::vector<double> per_seed;
  double difference = 0;         // mean of per_seed
  Interval interval;             // 95 %
  double p = 1, adjusted_p = 1;  // adjusted: Holm over all pairs of the comparison
  // Of the two one-sided tests against the margin; 1 when no margin was stated.
  double equivalence_p = 1;
  PairOutcome outcome = PairOutcome::undecided;
};

struct Verdict {
  std::string sentence;              // for a reader who knows nothing of the project
  std::vector<std::size_t> leaders;  // the best design and those not shown to be worse than it
};

struct ComparisonResult {
  Measure measure = Measure::accuracy;  // of every quality below
  std::string title;                    // "5 feed-forward designs in vit-nano on fashion-mnist"
  std::string scale;                    // "demo scale", "base", "full"; may be empty
  std::string question, claim;          // of an experiment; may be empty
  std::string model, data, recipe;      // the recipe as one line: steps, batch, learning rate, …
  std::string budget;                   // "matched: params of mlp(gelu)", or "not matched"
  std::string dtype;
  double margin = 0;     // of equivalence, as a difference of qualities; 0: none was stated
  std::string held_out;  // which examples were held out and read when
  std::vector<std::uint64_t> seeds;
  std::int64_t total_steps = 0, batch = 0, threads = 0;
  double grid_flops = 0;  // spent on choosing learning rates, in training flops
  std::vector<DesignResult> designs;
  std::vector<PairResult> pairs;
  Verdict verdict;
  std::string command;                                           // that made this
  std::vector<std::pair<std::string, std::string>> environment;  // "machine": "…", "version": …
};

}  // namespace ffn::inline v0
