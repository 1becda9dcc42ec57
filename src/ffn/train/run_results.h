// What a finished run leaves in its folder beside its model:
//
//   result.json       scores (RunScores); the last file of a run: when it is there, the run is
//                     finished
//   costs.json        what training took, times included (MeasuredCosts)
//   test.json         scores of the test set and what they took, when they were made apart from
//                     training
//   test.safetensors  then also: predicted [count] i32, label [count] i32, loss [count] f32
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "ffn/train/evaluate.h"

namespace ffn::inline v0 {

// Of one process: a training run, or the scoring of a set without gradients.
struct MeasuredCosts {
  double median_ms = 0, p10_ms = 0, p90_ms = 0;  // of one step, or of one block of pictures
  double images_per_s = 0;                       // at the median
  std::int64_t ledger_peak_bytes = 0;            // of tensors; equals the plan
  std::int64_t process_peak_bytes = 0;           // resident, data set and program included
};

// Of `times_ms` (one per step or block of `images` pictures), with this process's peak. Zeros when
// there are no times.
MeasuredCosts measured_costs(std::span<const double> times_ms, std::int64_t images,
                             std::int64_t ledger_peak_bytes);

struct RunScores {
  Measure measure = Measure::accuracy;
  std::int64_t steps = 0, skipped_steps = 0;
  Score train;       // of the first validation_count() training pictures, without augmentation
  Score validation;  // at the end
  std::optional<Score> test;  // absent when the run was told to leave the test set unread
};

// Each is written whole or not at all. Errors: Error{io} naming the file (missing, damaged, …).
void write_scores(const std::string& run_folder, const RunScores& scores);
RunScores read_scores(const std::string& run_folder);
bool is_finished(const std::string& run_folder);  // has result.json

void write_costs(const std::string& run_folder, const MeasuredCosts& costs);
MeasuredCosts read_costs(const std::string& run_folder);

struct TestRecord {
  Score score;
  MeasuredCosts costs;
  std::vector<std::int32_t> predicted, labels;  // per picture, in the set's order
};
void write_test_record(const std::string& run_folder, const TestRecord& record,
                       std::span<const float> losses);
TestRecord read_test_record(const std::string& run_folder);
bool has_test_record(const std::string& run_folder);

}  // namespace ffn::inline v0
