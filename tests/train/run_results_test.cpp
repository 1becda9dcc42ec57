#include "ffn/train/run_results.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "ffn/base/process.h"
#include "ffn/train/read_metrics.h"
#include "ffn/train/run_folder.h"
#include "ffn/train/run_lock.h"
#include "train/image_files.h"

namespace ffn {
namespace {

using namespace testing_io;
using namespace test;

TEST(RunResults, ScoresComeBackWithAndWithoutTheTestSet) {
  const TemporaryFolder folder;
  const std::string path = folder.path().string();
  EXPECT_FALSE(is_finished(path));
  RunScores scores{.steps = 7,
                   .skipped_steps = 1,
                   .train = {3, 4, 0.25},
                   .validation = {5, 9, 1.0 / 3},
                   .test = std::nullopt};
  write_scores(path, scores);
  EXPECT_TRUE(is_finished(path));
  EXPECT_FALSE(read_scores(path).test.has_value());
  scores.test = Score{11, 12, 0.5};
  write_scores(path, scores);
  const RunScores read = read_scores(path);
  EXPECT_EQ(read.steps, 7);
  EXPECT_EQ(read.skipped_steps, 1);
  EXPECT_EQ(read.train.right, 3);
  EXPECT_EQ(read.validation.loss, 1.0 / 3);
  ASSERT_TRUE(read.test.has_value());
  EXPECT_EQ(read.test->count, 12);
}

TEST(RunResults, CostsAreOrderStatisticsOfTheSteps) {
  const double times[] = {10, 12, 11, 30, 9};
  const MeasuredCosts costs = measured_costs(times, 22, 4096);
  EXPECT_EQ(costs.median_ms, 11);
  EXPECT_EQ(costs.images_per_s, 2000);
  EXPECT_EQ(costs.ledger_peak_bytes, 4096);
  EXPECT_GT(costs.process_peak_bytes, 1 << 20);
  const TemporaryFolder folder;
  const std::string path = folder.path().string();
  write_costs(path, costs);
  const MeasuredCosts read = read_costs(path);
  EXPECT_EQ(read.p90_ms, costs.p90_ms);
  EXPECT_EQ(read.process_peak_bytes, costs.process_peak_bytes);
  EXPECT_EQ(measured_costs({}, 22, 1).images_per_s, 0);
}

TEST(RunResults, TestRecordsHoldEveryPicture) {
  const TemporaryFolder folder;
  const std::string path = folder.path().string();
  const float losses[] = {0.5f, 1.5f, 0.1f};
  write_test_record(path, {{2, 3, 0.7}, {}, {4, 0, 9}, {4, 1, 9}}, losses);
  const TestRecord read = read_test_record(path);
  EXPECT_EQ(read.score.right, 2);
  EXPECT_EQ(read.predicted, (std::vector<std::int32_t>{4, 0, 9}));
  EXPECT_EQ(read.labels, (std::vector<std::int32_t>{4, 1, 9}));
  // Predictions of another number of pictures than the score speaks of are refused.
  write_test_record(path, {{2, 4, 0.7}, {}, {4, 0, 9}, {4, 1, 9}}, losses);
  expect_error(ErrorKind::io, {"test.safetensors", "'predicted' is not [4] of I32"},
               [&] { read_test_record(path); });
}

TEST(RunResults, MetricsAreReadBackLineByLine) {
  const TemporaryFolder folder;
  const std::string path = folder.path().string();
  {
    MetricsLog log(metrics_path(path));
    const Metric step[] = {{"kind", std::string("step")},
                           {"step", std::int64_t{1}},
                           {"loss", std::numeric_limits<double>::quiet_NaN()}};
    log.append(step);
    const Metric validation[] = {{"kind", std::string("validation")},
                                 {"step", std::int64_t{1}},
                                 {"validation_accuracy", 0.75},
                                 {"validation_loss", 0.5}};
    log.append(validation);
  }
  const RunMetrics metrics = read_metrics(path);
  ASSERT_EQ(metrics.steps.size(), 1u);
  EXPECT_TRUE(std::isnan(metrics.steps[0].loss));
  ASSERT_EQ(metrics.validations.size(), 1u);
  EXPECT_EQ(metrics.validations[0].accuracy, 0.75);
  write_file(folder / "metrics.jsonl", to_bytes("{\"schema\": 1, \"kind\": \"s"));
  expect_error(ErrorKind::io, {"metrics.jsonl:1", "in the middle"}, [&] { read_metrics(path); });
  write_file(folder / "metrics.jsonl", to_bytes("{\"schema\": 1, \"kind\": \"x\"}\n"));
  expect_error(ErrorKind::io, {"metrics.jsonl:1", "'kind' is 'x'"}, [&] { read_metrics(path); });
}

TEST(RunLock, OneProcessAtATime) {
  const TemporaryFolder folder;
  const std::string path = folder.path().string();
  {
    const RunLock lock(path);
    expect_error(ErrorKind::io, {path, "is in use"}, [&] { RunLock(path, 0.1); });
  }
  const RunLock again(path, 0);
  expect_error(ErrorKind::io, {"cannot be opened"},
               [&] { RunLock((folder / "none").string(), 0); });
}

TEST(Process, PeakGrowsWithWhatIsTouched) {
  const std::int64_t before = process_peak_bytes();
  constexpr std::int64_t kMore = std::int64_t{32} << 20;
  const std::vector<char> touched(static_cast<std::size_t>(before + kMore), 1);
  EXPECT_GE(process_peak_bytes(), before + kMore / 2);
  EXPECT_NE(machine_description().find("processors"), std::string::npos);
  EXPECT_EQ(touched[touched.size() / 2], 1);
}

}  // namespace
}  // namespace ffn
