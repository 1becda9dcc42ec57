// Trains a model in a run folder, so that it can stop at any moment and go on.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <string>

#include "ffn/train/checkpoint.h"
#include "ffn/train/expert_watch.h"
#include "ffn/train/optimizer_step.h"
#include "ffn/train/run_lock.h"
#include "ffn/train/run_results.h"
#include "ffn/train/task.h"
#include "ffn/train/train_config.h"

namespace ffn::inline v0 {

struct TrainProgress {
  std::int64_t step = 0, total_steps = 0;  // steps done
  std::int64_t epoch = 0, epochs = 0;      // counted from 1
  double loss = 0;                         // mean of this process's last 100 steps
  double learning_rate = 0;
};

struct TrainOutcome {
  bool finished = false;  // false: stopped early, resumable
  std::int64_t steps = 0, skipped_steps = 0;
  double train_loss = 0;              // mean of this process's last 100 steps
  RunScores scores;                   // of a finished run
  MeasuredCosts costs;                // of this process's steps, evaluation excluded
  std::vector<RouterHealth> experts;  // of a finished run, on the validation set
};

// Run folder: run.json, metrics.jsonl (a line per step and per validation, without times, so that a
// resumed run writes the same ones), checkpoints/, and in the end model/ (a Hugging Face folder),
// costs.json, experts.json where there are routers to see (expert_record.h) and result.json
// (run_results.h). The test set is read once, in the end, or not at all. A router that collapses in
// the steps between two validations is a warning (event), once. Nobody else may train in the folder
// meanwhile (run_lock.h).
class Trainer {
 public:
  // On a folder that create_run_folder() made. Continues from the newest valid checkpoint, if there
  // is one. Errors: config, io.
  Trainer(Executor& ex, const TrainConfig& config, const TaskData& data, const std::string& folder);

  // To the end, or until `stop` says so after a step: then a checkpoint is written. One is written
  // after each epoch, and every `checkpoint_steps` steps unless that is 0. Validation is scored
  // after each epoch, every run.eval_steps steps, and in the end.
  TrainOutcome run(std::int64_t checkpoint_steps,
                   const std::function<void(const TrainProgress&)>& progress,
                   const std::function<bool()>& stop);

 private:
  std::int64_t restore();
  void train_step();
  void validate();
  void score_validation();
  void log_experts(const std::vector<RouterHealth>& routers);
  void save();
  void save_costs() const;
  void finish(TrainOutcome& outcome);
  CheckpointView view() { return {task_->parameters(), optimizer_step_.optimizer(), states_}; }

  Executor& ex_;
  TrainConfig config_;
  std::string folder_;
  RunLock lock_;
  std::unique_ptr<Task> task_;
  ExpertWatch watch_;
  OptimizerStep optimizer_step_;
  std::vector<State*> states_;
  std::int64_t step_ = 0;
  MetricsLog metrics_;
  std::deque<double> recent_losses_;
  Score validation_;
  std::vector<RouterHealth> validation_experts_;
  std::int64_t validated_step_ = -1;
  std::vector<double> step_ms_;
  std::int64_t step_peak_bytes_ = 0;  // before the first validation: of training alone, as planned
};

TaskOptions task_options(const TrainConfig& config, bool training);
StepOptions step_options(const TrainConfig& config);

ImageDataOptions image_data_options(const TrainConfig& config);

// What training with this configuration takes on `device`, without running it and without data:
// peak bytes of a run, flops of one step.
PlanReport plan_training(const Device& device, const TrainConfig& config);
// What scoring takes for the same model: weights without gradients, its task's blocks.
PlanReport plan_inference(const Device& device, const TrainConfig& config);

}  // namespace ffn::inline v0
