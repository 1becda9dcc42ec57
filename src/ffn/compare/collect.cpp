#include "ffn/compare/collect.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "ffn/base/error.h"
#include "ffn/compare/describe.h"
#include "ffn/compare/judge.h"
#include "ffn/compare/run_comparison.h"
#include "ffn/train/expert_record.h"
#include "ffn/train/read_metrics.h"
#include "ffn/train/trainer.h"

namespace ffn::inline v0 {
namespace {

constexpr std::size_t kLossPoints = 60;  // of a curve

// Means over equal windows of steps; losses that were not finite are left out.
std::vector<LossPoint> loss_curve(const std::vector<StepMetric>& steps) {
  std::vector<LossPoint> curve;
  const std::size_t windows = std::min(kLossPoints, steps.size());
  for (std::size_t window = 0; window < windows; ++window) {
    const std::size_t begin = window * steps.size() / windows;
    const std::size_t end = (window + 1) * steps.size() / windows;
    double sum = 0;
    int count = 0;
    for (std::size_t i = begin; i < end; ++i) {
      if (!std::isfinite(steps[i].loss)) continue;
      sum += steps[i].loss;
      ++count;
    }
    if (count > 0) curve.push_back({steps[end - 1].step, sum / count});
  }
  return curve;
}

// Of each example: whether the picture is right, or the document's mean bits per byte.
void add_examples(const TestRecord& test, RunResult& run) {
  for (std::size_t i = 0; i < test.counts.size(); ++i) {
    const Score example{test.right[i], test.counts[i], test.losses[i] / test.counts[i]};
    run.qualities.push_back(quality(example, test.measure));
    run.weights.push_back(test.counts[i]);
  }
}

RunResult collect_run(const RunPlan& plan, Measure measure) {
  RunResult run;
  run.seed = plan.seed;
  run.folder = plan.folder.substr(plan.folder.rfind('/') + 1);
  const RunScores scores = read_scores(plan.folder);
  run.train = scores.train;
  run.validation = scores.validation;
  const TestRecord test = read_test_record(plan.folder);
  check(scores.measure == measure && test.measure == measure, ErrorKind::io, plan.folder,
        "was scored by another measure than ", to_string(measure));
  run.test = test.score;
  add_examples(test, run);
  run.training = read_costs(plan.folder);
  run.inference = test.costs;
  if (has_expert_record(plan.folder)) run.experts = read_expert_record(plan.folder);
  const RunMetrics metrics = read_metrics(plan.folder);
  run.losses = loss_curve(metrics.steps);
  for (const ValidationMetric& point : metrics.validations)
    run.validations.push_back({point.step, point.accuracy, point.loss});
  return run;
}

void plan_costs(const TrainConfig& config, const Device& device, DesignResult& result) {
  const ModelCosts costs = model_costs(config.model, standard_designs());
  result.parameters = costs.parameters;
  result.active_parameters = costs.active_parameters;
  result.feed_forward_parameters = costs.feed_forward_parameters;
  result.flops_per_token = costs.feed_forward_flops_per_token;
  const PlanReport plan = plan_training(device, config);
  result.step_flops = plan.forward_flops + plan.backward_flops;
}

class Collector {
 public:
  Collector(const std::string& runs, const Comparison& comparison, const DataFacts& data,
            const Device& device)
      : runs_(runs), comparison_(comparison), data_(data), device_(device) {}

  DesignResult design(std::size_t index) const {
    const SolvedDesign& solved = comparison_.designs[index];
    const CompareConfig& config = comparison_.config;
    DesignResult result;
    result.label = solved.label;
    result.design = solved.design;
    result.match_ratio = solved.match_ratio;
    result.learning_rate = chosen_learning_rate(runs_, comparison_, data_, index);
    for (const double rate : config.learning_rates)
      result.learning_rates.emplace_back(
          rate, quality(read_scores(plan(index, config.seeds[0], rate).folder).validation,
                        data_.measure));
    for (const std::uint64_t seed : config.seeds)
      result.runs.push_back(collect_run(plan(index, seed, result.learning_rate), data_.measure));
    plan_costs(
        train_config(comparison_, plan(index, config.seeds[0], result.learning_rate), data_, {}),
        device_, result);
    return result;
  }

 private:
  RunPlan plan(std::size_t design, std::uint64_t seed, double rate) const {
    return with_folder({design, seed, rate}, runs_, comparison_, data_);
  }

  const std::string& runs_;
  const Comparison& comparison_;
  const DataFacts& data_;
  const Device& device_;
};

}  // namespace

ComparisonResult collect(const std::string& runs, const Comparison& comparison,
                         const DataFacts& data, const Device& device,
                         const CollectOptions& options) {
  ComparisonResult result;
  const Collector collector(runs, comparison, data, device);
  for (std::size_t i = 0; i < comparison.designs.size(); ++i)
    result.designs.push_back(collector.design(i));
  describe(comparison, data, result);
  result.command = options.command;
  result.threads = options.threads;
  result.environment = options.environment;
  const std::size_t rates = comparison.config.learning_rates.size();
  for (std::size_t i = 0; i < result.designs.size() && rates > 0; ++i)
    if (representative(comparison, i) == i)
      result.grid_flops += static_cast<double>(rates - 1) *
                           static_cast<double>(result.designs[i].step_flops * result.total_steps);
  judge(result);
  return result;
}

}  // namespace ffn::inline v0
