// From what was asked for to the runs that answer it.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "ffn/compare/compare_config.h"
#include "ffn/train/measure.h"

namespace ffn::inline v0 {

// What the runs and the report must know of the data.
struct DataFacts {
  TaskGeometry geometry;
  std::int64_t training_count = 0, validation_count = 0, test_count = 0;  // pictures or documents
  Measure measure = Measure::accuracy;
  std::int64_t training_items = 0;  // pictures, or bytes of the training documents
  std::int64_t items_per_row = 1;   // of a batch: a picture, or the bytes of a sequence
  std::int64_t epoch_rows = 0;      // rows of all batches of a pass over the data
};
// What a model of this data is measured by: text in bits per byte.
Measure measure_of(const TrainRecipe& recipe);
// Reads the data set that the comparison's models train on. Errors: those of load_task_data; config
// when pictures are not square, and those of choose_models.
DataFacts read_data_facts(const CompareConfig& config);

// The designs with their widths: solved here (matching a budget; for "time" steps are timed on
// `device`), or read from FOLDER/comparison.json, which must ask for the same, when it is there.
// Writes that file otherwise, and makes the folder. Errors: config, io.
Comparison prepare_comparison(const std::string& folder, const CompareConfig& config,
                              const TaskGeometry& geometry, const Device& device);

// One training run.
struct RunPlan {
  std::size_t design = 0;  // index into Comparison::designs
  std::uint64_t seed = 0;
  double learning_rate = 0;
  std::string folder = {};
};

// The index of the first design that is the same as this one.
std::size_t representative(const Comparison& comparison, std::size_t design);

// The whole configuration of a run (its folder is not looked at); its test set stays unread by
// training. `environment`: of run.json.
TrainConfig train_config(const Comparison& comparison, const RunPlan& run, const DataFacts& data,
                         const std::map<std::string, std::string>& environment);

// The same run with its folder: RUNS/<design>_seed-<n>_<checksum of its run.json without the
// environment>. Designs, or parts of an experiment, that ask for the same run share it.
RunPlan with_folder(RunPlan run, const std::string& runs, const Comparison& comparison,
                    const DataFacts& data);

}  // namespace ffn::inline v0
