#include "ffn/train/run_results.h"

#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <iterator>
#include <limits>
#include <numbers>
#include <string>

#include "ffn/base/process.h"
#include "ffn/train/read_metrics.h"
#include "ffn/train/run_folder.h"
#include "ffn/train/run_lock.h"
#include "train/image_files.h"

namespace ffn {
namespace {

using namespace testing_io;
using namespace test;

std::string text_of(const std::filesystem::path& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

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
  EXPECT_EQ(costs.items_per_s, 2000);
  EXPECT_EQ(costs.ledger_peak_bytes, 4096);
  EXPECT_GT(costs.process_peak_bytes, 1 << 20);
  const TemporaryFolder folder;
  const std::string path = folder.path().string();
  write_costs(path, costs);
  const MeasuredCosts read = read_costs(path);
  EXPECT_EQ(read.p90_ms, costs.p90_ms);
  EXPECT_EQ(read.process_peak_bytes, costs.process_peak_bytes);
  EXPECT_EQ(measured_costs({}, 22, 1).items_per_s, 0);
}

TEST(RunResults, ScoresOfTextSayTheirMeasure) {
  const TemporaryFolder folder;
  const std::string path = folder.path().string();
  write_scores(path, {.measure = Measure::bits_per_byte,
                      .steps = 7,
                      .train = {3, 4, 0.25},
                      .validation = {5, 9, 2 * std::numbers::ln2, 0.125},
                      .test = std::nullopt});
  const RunScores read = read_scores(path);
  EXPECT_EQ(read.measure, Measure::bits_per_byte);
  EXPECT_EQ(read.validation.standard_error, 0.125);
  const std::string text = text_of(folder / "result.json");
  EXPECT_NE(text.find("\"measure\": \"bits_per_byte\""), std::string::npos) << text;
  EXPECT_NE(text.find("\"bits_per_byte\": 2.0"), std::string::npos) << text;
  EXPECT_EQ(text.find("accuracy"), std::string::npos) << text;
}

TestRecord three_documents() {
  TestRecord record;
  record.measure = Measure::bits_per_byte;
  record.score = {5, 60, 0.7, 0.01};
  record.right = {4, 0, 1};
  record.counts = {30, 10, 20};
  record.losses = {20.5, 7.25, 14.25};
  return record;
}

TEST(RunResults, TestRecordsHoldEveryExample) {
  const TemporaryFolder folder;
  const std::string path = folder.path().string();
  EXPECT_FALSE(has_test_record(path));
  write_test_record(path, three_documents());
  EXPECT_TRUE(has_test_record(path));
  const TestRecord read = read_test_record(path);
  EXPECT_EQ(read.measure, Measure::bits_per_byte);
  EXPECT_EQ(read.score.right, 5);
  EXPECT_EQ(read.score.standard_error, 0.01);
  EXPECT_EQ(read.right, (std::vector<std::int32_t>{4, 0, 1}));
  EXPECT_EQ(read.counts, (std::vector<std::int32_t>{30, 10, 20}));
  EXPECT_EQ(read.losses, (std::vector<double>{20.5, 7.25, 14.25}));
}

TEST(RunResults, TestRecordsThatContradictTheScoreAreRefused) {
  const TemporaryFolder folder;
  const std::string path = folder.path().string();
  const auto refused = [&](const TestRecord& record, std::string_view why) {
    write_test_record(path, record);
    expect_error(ErrorKind::io, {"test.safetensors", why}, [&] { read_test_record(path); });
  };
  TestRecord record = three_documents();
  record.score.right = 6;
  refused(record, "'right' adds up to 5, the score says 6");
  record = three_documents();
  record.score.count = 61;
  refused(record, "'count' adds up to 60, the score says 61");
  record = three_documents();
  write_test_record(path, record);
  const std::string text = text_of(folder / "test.json");
  const auto replaced = [&](const std::string& part, const std::string& by) {
    std::string other = text;
    other.replace(other.find(part), part.size(), by);
    write_file(folder / "test.json", to_bytes(other));
  };
  replaced("\"examples\": 3", "\"examples\": 4");
  expect_error(ErrorKind::io, {"test.safetensors", "'right' is not [4] of I32"},
               [&] { read_test_record(path); });
  replaced("\"measure\": \"bits_per_byte\"", "\"measure\": \"smiles\"");
  expect_error(ErrorKind::io, {"test.json", "'smiles' is unknown"},
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
