#include "ffn/compare/run_comparison.h"

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstring>
#include <deque>
#include <filesystem>
#include <memory>
#include <set>
#include <thread>
#include <utility>

#include "ffn/base/error.h"
#include "ffn/base/timer.h"
#include "ffn/compare/child_process.h"
#include "ffn/train/run_results.h"

namespace ffn::inline v0 {
namespace {

// One child to start when its turn comes.
struct Task {
  const RunPlan* run = nullptr;
  bool scores_test = false;  // false: trains
};

struct RunningTask {
  Task task;
  std::unique_ptr<ChildProcess> child;
};

// Makes the run's folder, or checks that what is there is this run.
void ensure_run_folder(const std::string& folder, const TrainConfig& config) {
  std::error_code ignored;
  if (!std::filesystem::exists(folder + "/run.json", ignored)) {
    create_run_folder(folder, config.run);
    return;
  }
  RunDescription found = read_run_folder(folder);
  found.environment = config.run.environment;  // it may have begun on another machine
  check(run_json(found) == run_json(config.run), ErrorKind::config, folder,
        "holds another run than this comparison's; choose another folder for the comparison");
}

// Of `ffn eval`, on the run's model and data.
std::vector<std::string> scoring_arguments(const std::string& folder, const TrainRecipe& recipe) {
  std::vector<std::string> arguments{"eval", folder + "/model"};
  const std::pair<const char*, std::string> options[] = {
      {"--record", folder},
      {"--split", "test"},
      {"--data", recipe.data},
      {"--pad", std::to_string(recipe.pad_to)},
      {"--shuffle-patches", std::to_string(recipe.shuffle_patches)},
      {"--dtype", std::string(to_string(recipe.dtype))}};
  for (const auto& [name, value] : options) arguments.insert(arguments.end(), {name, value});
  return arguments;
}

class Runner {
 public:
  Runner(const Comparison& comparison, const DataFacts& data, const CompareHooks& hooks)
      : comparison_(comparison), data_(data), hooks_(hooks) {}

  // Trains what is not finished; then, if asked, scores the test set where it was not. False when
  // stopped.
  bool run(const std::vector<RunPlan>& plans, bool score_tests) {
    score_tests_ = score_tests;
    progress_ = {};
    for (const RunPlan& plan : plans) {
      ensure_run_folder(plan.folder, train_config(comparison_, plan, data_, hooks_.environment));
      const bool trained = is_finished(plan.folder);
      const bool done = trained && (!score_tests || has_test_record(plan.folder));
      if (!done) waiting_.push_back({&plan, trained});
      progress_.done += done ? 1 : 0;
      ++progress_.total;
    }
    already_ = progress_.done;
    watch_.restart();
    while (!waiting_.empty() || !running_.empty()) {
      if (hooks_.stop()) {
        interrupt_all();
        return false;
      }
      start_waiting();
      take_finished();
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return true;
  }

 private:
  void start_waiting() {
    while (!waiting_.empty() && std::cmp_less(running_.size(), hooks_.jobs)) {
      running_.push_back({waiting_.front(), start(waiting_.front())});
      waiting_.pop_front();
    }
  }

  void take_finished() {
    for (auto place = running_.begin(); place != running_.end();) {
      const auto status = place->child->poll();
      if (!status) {
        ++place;
        continue;
      }
      // Whoever interrupted this process may have interrupted the child as well: it has saved.
      if (hooks_.stop()) return;
      const Task task = place->task;
      place = running_.erase(place);
      check_status(task, *status);
      if (!task.scores_test && score_tests_) {
        // Next, on the place that became free: its numbers soon stand beside those of training.
        waiting_.push_front({task.run, true});
      } else {
        report(task);
      }
    }
  }

  // Every child saves; waits for them.
  void interrupt_all() {
    for (RunningTask& one : running_) one.child->interrupt();
    running_.clear();
    waiting_.clear();
  }

  std::string label(const RunPlan& run) const {
    return comparison_.designs[run.design].label + ", seed " + std::to_string(run.seed);
  }

  std::unique_ptr<ChildProcess> start(const Task& task) const {
    const std::string& folder = task.run->folder;
    std::vector<std::string> arguments;
    if (task.scores_test) {
      arguments = scoring_arguments(folder, comparison_.config.recipe);
    } else {
      arguments = {"train", "--resume", folder};
      const std::string count =
          "[" + std::to_string(progress_.done + 1) + "/" + std::to_string(progress_.total) + "] ";
      if (hooks_.children_show_progress) {
        arguments.insert(arguments.end(), {"--label", count + label(*task.run)});
      } else {
        arguments.emplace_back("--quiet");
      }
    }
    arguments.insert(arguments.end(), hooks_.device_options.begin(), hooks_.device_options.end());
    return std::make_unique<ChildProcess>(hooks_.program, arguments);
  }

  void check_status(const Task& task, const ChildStatus& status) const {
    const std::string& folder = task.run->folder;
    check(status.signal == 0, ErrorKind::device, folder, "its process was killed by signal ",
          status.signal, " (", ::strsignal(status.signal),
          status.signal == SIGKILL ? "; was there too little memory? `ffn plan` says what it needs"
                                   : "",
          "); finished runs are kept, the same command goes on");
    if (status.exit_code != 0) throw ChildFailure(status.exit_code);
    const bool done = task.scores_test ? has_test_record(folder) : is_finished(folder);
    check(done, ErrorKind::device, folder,
          "its process ended before the run did; the same command goes on");
  }

  void report(const Task& task) {
    ++progress_.done;
    progress_.finished = label(*task.run);
    progress_.validation_quality = quality(read_scores(task.run->folder).validation, data_.measure);
    progress_.left_s = watch_.elapsed_s() / static_cast<double>(progress_.done - already_) *
                       static_cast<double>(progress_.total - progress_.done);
    hooks_.progress(progress_);
  }

  const Comparison& comparison_;
  const DataFacts& data_;
  const CompareHooks& hooks_;
  CompareProgress progress_;
  bool score_tests_ = false;
  std::deque<Task> waiting_;
  std::vector<RunningTask> running_;
  Stopwatch watch_;
  std::int64_t already_ = 0;  // done before this process
};

// Every design once: those that are the same as an earlier one share its runs.
std::vector<std::size_t> distinct_designs(const Comparison& comparison) {
  std::vector<std::size_t> distinct;
  for (std::size_t i = 0; i < comparison.designs.size(); ++i)
    if (representative(comparison, i) == i) distinct.push_back(i);
  return distinct;
}

std::vector<RunPlan> grid_runs(const std::string& runs, const Comparison& comparison,
                               const DataFacts& data) {
  std::vector<RunPlan> plans;
  for (const double rate : comparison.config.learning_rates)
    for (const std::size_t design : distinct_designs(comparison))
      plans.push_back(
          with_folder({design, comparison.config.seeds[0], rate}, runs, comparison, data));
  return plans;
}

}  // namespace

double chosen_learning_rate(const std::string& runs, const Comparison& comparison,
                            const DataFacts& data, std::size_t design) {
  std::vector<double> rates = comparison.config.learning_rates;
  if (rates.empty()) return comparison.config.recipe.lr;
  std::ranges::sort(rates);  // strictly better wins below: ties go to the lower rate
  double best_rate = rates[0];
  Score best;
  for (const double rate : rates) {
    const RunPlan run =
        with_folder({design, comparison.config.seeds[0], rate}, runs, comparison, data);
    const Score score = read_scores(run.folder).validation;
    if (rate != rates[0] && !is_better(score, best, data.measure)) continue;
    best = score;
    best_rate = rate;
  }
  return best_rate;
}

bool run_comparison(const std::string& runs, const Comparison& comparison, const DataFacts& data,
                    const CompareHooks& hooks) {
  Runner runner(comparison, data, hooks);
  if (!comparison.config.learning_rates.empty() &&
      !runner.run(grid_runs(runs, comparison, data), false))
    return false;
  std::vector<RunPlan> plans;
  for (const std::uint64_t seed : comparison.config.seeds)
    for (const std::size_t design : distinct_designs(comparison))
      plans.push_back(
          with_folder({design, seed, chosen_learning_rate(runs, comparison, data, design)}, runs,
                      comparison, data));
  return runner.run(plans, true);
}

}  // namespace ffn::inline v0
