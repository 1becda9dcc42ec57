// A run's folder:
//
//   run.json        what the run is (RunDescription), written before step 0 and never again
//   metrics.jsonl   one JSON object per line
//   checkpoints/    checkpoint.h
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "ffn/train/adamw.h"
#include "ffn/train/augment.h"
#include "ffn/train/schedule.h"

namespace ffn::inline v0 {

struct RunDescription {
  std::map<std::string, std::string> model;        // as the model's own text forms
  std::map<std::string, std::string> environment;  // version, instruction set, compiler, …
  std::string data;
  std::int64_t pad_to = 0;           // ImageDataOptions
  std::int64_t shuffle_patches = 0;  // ImageDataOptions
  std::uint64_t seed = 1;
  std::int64_t epochs = 1, batch = 128;
  double max_norm = 0;
  std::int64_t eval_steps = 0;  // validation also every so many steps; 0: at the end of epochs only
  bool read_test = true;        // false: the test set stays unread, for whoever compares runs
  ScheduleOptions schedule;
  AdamWOptions optimizer;  // learning_rate is the schedule's and not stored
  AugmentOptions augment;
};

// The text of run.json. Throws Error{config} when text is not UTF-8, a number is not finite, or as
// check_schedule() and check_augment().
std::string run_json(const RunDescription& run);

// Makes `folder` (and those above it) with its run.json. Throws Error{config} when it is a run
// already, and as run_json(); Error{io} with the system's reason.
void create_run_folder(const std::string& folder, const RunDescription& run);

// Throws Error{io} naming run.json and the key: missing, unknown, repeated, of another type;
// another schema; those of MappedFile.
RunDescription read_run_folder(const std::string& folder);

struct Metric {
  std::string_view name;
  // Not finite: null.
  std::variant<std::int64_t, double, bool, std::string, std::vector<double>> value;
};

// The lines of metrics.jsonl. A line is appended whole, or, when the disk is full, not at all.
class MetricsLog {
 public:
  // Of a new run: `path` must not exist yet or is emptied. Of a resumed one: cut to the length that
  // its checkpoint recorded, so that no step is there twice. Throws Error{io} with the system's
  // reason, or when the file is shorter than `keep_bytes`.
  explicit MetricsLog(std::string path, std::int64_t keep_bytes = 0);
  ~MetricsLog();
  MetricsLog(const MetricsLog&) = delete;
  MetricsLog& operator=(const MetricsLog&) = delete;

  // {"schema":1, name: value, …}. Throws Error{io}.
  void append(std::span<const Metric> metrics);
  std::int64_t bytes() const { return bytes_; }
  // To the disk: call it before a checkpoint records bytes().
  void sync();

 private:
  [[noreturn]] void fail_with(std::string_view what, int code) const;

  std::string path_;
  int descriptor_ = -1;
  std::int64_t bytes_ = 0;
};

std::string metrics_path(const std::string& run_folder);
std::string checkpoints_path(const std::string& run_folder);

}  // namespace ffn::inline v0
