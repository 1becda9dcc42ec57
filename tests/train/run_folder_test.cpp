#include "ffn/train/run_folder.h"

#include <gtest/gtest.h>

#include <cmath>

#include "train/full_disk.h"
#include "train/image_files.h"

namespace ffn {
namespace {

using namespace testing_io;
using namespace test;

std::string text_of(const std::filesystem::path& path) {
  const Bytes bytes = read_file(path);
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

RunDescription description() {
  RunDescription run;
  run.model = {{"ffn", "glu(silu)"}, {"depth", "6"}};
  run.environment = {{"isa", "avx2"}};
  run.data = "fashion-mnist";
  run.pad_to = 32;
  run.shuffle_patches = 8;
  run.eval_steps = 25;
  run.read_test = false;
  run.seed = 0xfedcba9876543210u;
  run.epochs = 7;
  run.batch = 96;
  run.max_norm = 0.1;  // no double of few digits
  run.schedule = {1.0 / 3, 1e-7, 2e-5, 10, 700};
  run.optimizer = {0, 0.8, 0.99, 1e-6, 0.05};
  run.augment = standard_augmentation();
  run.augment.erase_fill = EraseFill::zero;
  return run;
}

TEST(RunFolder, RunJsonKeepsEverything) {
  const TemporaryFolder folder;
  const std::string path = (folder / "a/b").string();
  const RunDescription run = description();
  create_run_folder(path, run);
  const RunDescription read = read_run_folder(path);
  EXPECT_EQ(read.model, run.model);
  EXPECT_EQ(read.environment, run.environment);
  EXPECT_EQ(read.data, run.data);
  EXPECT_EQ(read.pad_to, 32);
  EXPECT_EQ(read.shuffle_patches, 8);
  EXPECT_EQ(read.eval_steps, 25);
  EXPECT_FALSE(read.read_test);
  EXPECT_EQ(read.seed, run.seed);
  EXPECT_EQ(read.epochs, 7);
  EXPECT_EQ(read.batch, 96);
  EXPECT_EQ(read.max_norm, run.max_norm);
  EXPECT_EQ(read.schedule.lr, run.schedule.lr);
  EXPECT_EQ(read.schedule.total_steps, 700);
  EXPECT_EQ(read.optimizer.beta2, 0.99);
  EXPECT_EQ(read.optimizer.weight_decay, 0.05);
  EXPECT_EQ(read.augment.erase_fill, EraseFill::zero);
  EXPECT_EQ(read.augment.mixup_alpha, run.augment.mixup_alpha);
  // The same text again, so that no field was forgotten by both.
  const std::string again = (folder / "again").string();
  create_run_folder(again, read);
  EXPECT_EQ(text_of(folder / "again/run.json"), text_of(folder / "a/b/run.json"));
  expect_error(ErrorKind::config, {"is a run already"}, [&] { create_run_folder(path, run); });
}

TEST(RunFolder, ForeignRunJsonIsRefused) {
  const TemporaryFolder folder;
  create_run_folder(folder.path().string(), description());
  const std::string good = text_of(folder / "run.json");
  const auto expect = [&](std::string_view from, std::string_view to, std::string_view says) {
    std::string text = good;
    const std::size_t at = text.find(from);
    ASSERT_NE(at, std::string::npos) << from;
    write_file(folder / "run.json", to_bytes(text.replace(at, from.size(), to)));
    expect_error(ErrorKind::io, {"run.json", says},
                 [&] { read_run_folder(folder.path().string()); });
  };
  expect("\"schema\": 1", "\"schema\": 2", "has schema 2, this program reads 1");
  expect("\"epochs\"", "\"epoch\"", "lacks the key 'epochs'");
  expect("\"epochs\": 7", "\"epochs\": 7, \"colour\": 1", "the unknown key 'colour'");
  expect("\"flip\": true", "\"flip\": true, \"x\": 1", "the unknown key 'augment.x'");
  expect("\"epochs\": 7", "\"epochs\": 7, \"epochs\": 8", "the key 'epochs' twice");
  expect("\"epochs\": 7", "\"epochs\": 7.5", "'epochs' is no integer");
  expect("\"epochs\": 7", "\"epochs\": -7", "'epochs' is no integer");
  expect("\"flip\": true", "\"flip\": 1", "'augment.flip' is no true or false");
  expect("\"zero\"", "\"blue\"", "neither zero nor normal");
  expect("{", "[", "no valid JSON");
  write_file(folder / "run.json", to_bytes(std::string(100'000, '[')));
  expect_error(ErrorKind::io, {"no valid JSON"}, [&] { read_run_folder(folder.path().string()); });
  write_file(folder / "run.json", to_bytes("[1]"));
  expect_error(ErrorKind::io, {"no JSON object"}, [&] { read_run_folder(folder.path().string()); });
}

TEST(RunFolder, WhatCannotBeReadBackIsNotWritten) {
  const TemporaryFolder folder;
  RunDescription run = description();
  run.optimizer.eps = NAN;
  expect_error(ErrorKind::config, {"optimizer.eps", "not finite"},
               [&] { create_run_folder((folder / "a").string(), run); });
  run = description();
  run.data = "\xff";
  expect_error(ErrorKind::config, {"UTF-8"},
               [&] { create_run_folder((folder / "a").string(), run); });
  EXPECT_FALSE(std::filesystem::exists(folder / "a/run.json"));
}

TEST(Metrics, AreLinesOfStrictJson) {
  const TemporaryFolder folder;
  const std::string path = metrics_path(folder.path().string());
  MetricsLog log(path);
  const Metric metrics[] = {{"kind", std::string("step")},
                            {"step", std::int64_t{3}},
                            {"loss", 0.5},
                            {"norm", HUGE_VAL},
                            {"clipped", true}};
  log.append(metrics);
  log.append({});
  const std::string expected =
      "{\"schema\":1,\"kind\":\"step\",\"step\":3,\"loss\":0.5,\"norm\":null,\"clipped\":true}\n"
      "{\"schema\":1}\n";
  EXPECT_EQ(text_of(path), expected);
  EXPECT_EQ(log.bytes(), static_cast<std::int64_t>(expected.size()));
}

TEST(Metrics, AResumedRunContinuesAtItsCheckpoint) {
  const TemporaryFolder folder;
  const std::string path = (folder / "metrics.jsonl").string();
  std::int64_t recorded = 0;
  {
    MetricsLog log(path);
    log.append({});
    log.sync();
    recorded = log.bytes();
    log.append({});  // lost: after the checkpoint
  }
  {
    MetricsLog log(path, recorded);
    const Metric again[] = {{"again", true}};
    log.append(again);
  }
  const std::string expected = "{\"schema\":1}\n{\"schema\":1,\"again\":true}\n";
  EXPECT_EQ(text_of(path), expected);
  expect_error(ErrorKind::io, {"metrics.jsonl", "its checkpoint recorded 1000"},
               [&] { MetricsLog(path, 1000); });
  EXPECT_EQ(text_of(path), expected);  // the refusal changed nothing
}

TEST(Metrics, AFullDiskLeavesWholeLines) {
  const TemporaryFolder folder;
  const std::string path = (folder / "metrics.jsonl").string();
  MetricsLog log(path);
  log.append({});
  {
    const FullDisk full(20);
    expect_error(ErrorKind::io, {"metrics.jsonl", "cannot be written"}, [&] { log.append({}); });
  }
  EXPECT_EQ(text_of(path), "{\"schema\":1}\n");
  log.append({});  // there is room again
  EXPECT_EQ(text_of(path), "{\"schema\":1}\n{\"schema\":1}\n");
}

}  // namespace
}  // namespace ffn
