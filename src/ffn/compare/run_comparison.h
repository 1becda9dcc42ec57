// Trains every run of a comparison, each in a process of its own, and never a finished one again.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "ffn/compare/prepare.h"

namespace ffn::inline v0 {

struct CompareProgress {
  std::int64_t done = 0, total = 0;  // runs, of this phase
  std::string finished;              // the run that just ended: "glu(silu), seed 2"
  double validation_quality = 0;
  double left_s = -1;  // estimate; < 0: nothing to go by yet
};

struct CompareHooks {
  std::string program;                             // that has the verbs train and eval
  std::vector<std::string> device_options;         // of the children: {"--threads", "1", …}
  int jobs = 1;                                    // children at a time
  bool children_show_progress = false;             // where one child at a time has a terminal
  std::map<std::string, std::string> environment;  // of run.json
  std::function<void(const CompareProgress&)> progress;
  std::function<bool()> stop;
};

// The runs are folders in RUNS afterwards (run_results.h). With a grid of learning rates, first
// each rate for each design on the first seed, then all seeds at each design's best: best
// validation quality, then lowest validation loss, then the lower rate. Then every chosen run
// reads the test set, once, in a process without gradients. Seeds vary slowest, so that an
// unfinished comparison has whole seeds. False when hooks.stop() ended it early: children save, and
// the same call goes on later. Errors: ChildFailure for a run that said why it failed;
// Error{device} for one that was killed; config, io.
bool run_comparison(const std::string& runs, const Comparison& comparison, const DataFacts& data,
                    const CompareHooks& hooks);

// The rate of a design after run_comparison(): recipe.lr, or the grid's choice.
double chosen_learning_rate(const std::string& runs, const Comparison& comparison,
                            const DataFacts& data, std::size_t design);

}  // namespace ffn::inline v0
