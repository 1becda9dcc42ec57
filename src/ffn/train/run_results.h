// What a finished run leaves in its folder beside its model:
//
//   result.json       scores (RunScores); the last file of a run: when it is there, the run is
//                     finished
//   costs.json        what training took, times included (MeasuredCosts)
//   test.json         scores of the test set and what they took, when they were made apart from
//                     training
//   test.safetensors  then also, per example (a picture, or a document): right [n] i32 and
//                     count [n] i32, its predictions that were right and all of them, and
//                     loss [n] f64, the nats summed over them
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "ffn/train/measure.h"
#include "ffn/train/score.h"

namespace ffn::inline v0 {

// Of one process: a training run, or the scoring of a set without gradients.
struct MeasuredCosts {
  double median_ms = 0, p10_ms = 0, p90_ms = 0;  // of one step, or of one block of a set
  double items_per_s = 0;                        // pictures, or bytes of text; at the median
  std::int64_t ledger_peak_bytes = 0;            // of tensors; equals the plan
  std::int64_t process_peak_bytes = 0;           // resident, data set and program included
};

// Of `times_ms` (one per step or block of `items` pictures or bytes), with this process's peak.
// Zeros when there are no times.
MeasuredCosts measured_costs(std::span<const double> times_ms, std::int64_t items,
                             std::int64_t ledger_peak_bytes);

struct RunScores {
  Measure measure = Measure::accuracy;
  std::int64_t steps = 0, skipped_steps = 0;
  Score train;                // of as many training examples as are held out, without augmentation
  Score validation;           // at the end
  std::optional<Score> test;  // absent when the run was told to leave the test set unread
};

// Each is written whole or not at all. Errors: Error{io} naming the file (missing, damaged, …).
void write_scores(const std::string& run_folder, const RunScores& scores);
RunScores read_scores(const std::string& run_folder);
bool is_finished(const std::string& run_folder);  // has result.json

void write_costs(const std::string& run_folder, const MeasuredCosts& costs);
MeasuredCosts read_costs(const std::string& run_folder);

struct TestRecord {
  Measure measure = Measure::accuracy;
  Score score;
  MeasuredCosts costs;
  // Per example, in the set's order, as in ScoreDetail.
  std::vector<std::int32_t> right, counts;
  std::vector<double> losses;
};
// Reading refuses examples that do not add up to the score.
void write_test_record(const std::string& run_folder, const TestRecord& record);
TestRecord read_test_record(const std::string& run_folder);
bool has_test_record(const std::string& run_folder);

}  // namespace ffn::inline v0
