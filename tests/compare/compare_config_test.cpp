#include "ffn/compare/compare_config.h"

#include <gtest/gtest.h>

#include <cmath>

#include "ffn/compare/match_time.h"
#include "ffn/compare/prepare.h"
#include "io/files.h"

namespace ffn {
namespace {

using testing_io::expect_error;
using testing_io::TemporaryFolder;
using testing_io::to_bytes;
using testing_io::write_file;

CompareConfig config_of(std::vector<std::string> designs) {
  CompareConfig config;
  config.model.model = "vit-pico";
  config.model.patch = 7;
  config.model.feed_forward = std::move(designs);
  config.seeds = {1, 2};
  return config;
}

const DataFacts kData{ImageGeometry{1, 28, 10}, 55000, 5000, 10000,
                      Measure::accuracy,        55000, 1,    55000};

Comparison prepared(const TemporaryFolder& folder, const CompareConfig& config) {
  return prepare_comparison(folder.path().string(), config, kData.geometry,
                            dry_device(cpu_device(serial_pool())));
}

TEST(CompareConfig, IsWrittenOnceAndReadBack) {
  const TemporaryFolder folder;
  CompareConfig config = config_of({"mlp(gelu)", "swiglu", "mlp(gelu)"});
  config.model.match = "params";
  config.learning_rates = {1e-3, 1.0 / 3};
  config.margin = 0.01;
  config.title = "a \"title\"";
  config.recipe.lr = 0.1 + 0.2;
  const Comparison made = prepared(folder, config);
  ASSERT_EQ(made.designs.size(), 3u);
  EXPECT_EQ(made.designs[1].design, "glu(silu, hidden=128)");
  EXPECT_EQ(made.designs[2].label, "mlp(gelu) (2)");
  EXPECT_EQ(made.designs[2].design, made.designs[0].design);
  const Comparison read = read_comparison(folder.path().string());
  EXPECT_EQ(comparison_json(read), comparison_json(made));
  EXPECT_EQ(comparison_json(prepared(folder, config)), comparison_json(made));

  // The same folder cannot become another comparison.
  config.recipe.batch = 64;
  expect_error(ErrorKind::config, {"holds another comparison", "recipe"},
               [&] { prepared(folder, config); });
}

TEST(CompareConfig, WhatCannotBeComparedIsRefused) {
  const TemporaryFolder folder;
  const auto refused = [&](std::string_view says, const CompareConfig& config) {
    expect_error(ErrorKind::config, {says}, [&] { prepared(folder, config); });
  };
  refused("--ffn", config_of({}));
  CompareConfig config = config_of({"mlp(gelu)"});
  config.seeds = {1, 1};
  refused("twice", config);
  config = config_of({"mlp(gelu)"});
  config.learning_rates = {1e-3};
  refused("--lr-grid", config);
  config = config_of({"mlp(gelu)"});
  config.model.model = folder.path().string();
  refused("trains from scratch", config);
  config = config_of({"mlp(gelu)"});
  config.margin = 1;
  refused("--margin", config);
  // One neuron of a 31×31 convolution is far from the eighth of a budget that is left: unequal.
  config = config_of({"dwconv(gelu, k=13)"});
  config.model.match = "params";
  config.model.match_to = "mlp(gelu, hidden=3)";
  refused("no equal budget", config);
  EXPECT_FALSE(has_comparison(folder.path().string()));
}

TEST(CompareConfig, DamagedFilesAreNamed) {
  const TemporaryFolder folder;
  write_file(folder / "comparison.json", to_bytes("{\"schema\": 3}"));
  expect_error(ErrorKind::io, {"comparison.json", "schema 3"},
               [&] { read_comparison(folder.path().string()); });
  write_file(folder / "comparison.json", to_bytes("{\"schema\": 2, \"config\": {}}"));
  expect_error(ErrorKind::io, {"lacks the key 'config.title'"},
               [&] { read_comparison(folder.path().string()); });
}

TEST(Runs, SameRunsShareAFolderAndOthersDoNot) {
  const TemporaryFolder folder;
  const Comparison comparison = prepared(folder, config_of({"mlp(gelu)", "gelu", "mlp(gelu, x2)"}));
  const auto place = [&](std::size_t design, std::uint64_t seed, double rate) {
    return with_folder({design, seed, rate}, "runs", comparison, kData).folder;
  };
  EXPECT_EQ(place(0, 1, 1e-3), place(1, 1, 1e-3));
  EXPECT_EQ(representative(comparison, 1), 0u);
  EXPECT_EQ(representative(comparison, 2), 2u);
  EXPECT_NE(place(0, 1, 1e-3), place(2, 1, 1e-3));
  EXPECT_NE(place(0, 1, 1e-3), place(0, 2, 1e-3));
  EXPECT_NE(place(0, 1, 1e-3), place(0, 1, 2e-3));
  EXPECT_TRUE(place(0, 1, 1e-3).starts_with("runs/mlp-gelu-hidden-192_seed-1_"));
  const TrainConfig run = train_config(comparison, {2, 9, 5e-4}, kData, {{"version", "x"}});
  EXPECT_EQ(run.run.seed, 9u);
  EXPECT_EQ(run.run.schedule.lr, 5e-4);
  EXPECT_FALSE(run.run.read_test);
  EXPECT_EQ(to_string(feed_forward_of(run.model)), "mlp(gelu, hidden=96)");
}

// No time is tested: only that every design but the target gets a width and a measured ratio.
TEST(MatchTime, ChoosesAWidthForAllButTheTarget) {
  CompareConfig config = config_of({"mlp(gelu)", "glu(gelu)"});
  config.model.match = "time";
  config.model.patch = 14;
  config.recipe.batch = 8;
  const std::vector<ModelChoice> choices =
      match_step_time(config.model, config.recipe, kData.geometry, cpu_device(serial_pool()));
  ASSERT_EQ(choices.size(), 2u);
  EXPECT_EQ(to_string(feed_forward_of(choices[0].config)), "mlp(gelu, hidden=192)");
  EXPECT_EQ(choices[0].match_ratio, 1);
  const std::int64_t hidden = std::stoll(feed_forward_of(choices[1].config).options.at("hidden"));
  EXPECT_GE(hidden, 1);
  EXPECT_TRUE(hidden < 64 || hidden % 8 == 0) << hidden;
  EXPECT_GT(choices[1].match_ratio, 0);
  EXPECT_TRUE(std::isfinite(choices[1].match_ratio));
}

TEST(MatchTime, WidthsAreSolvedOnceAndReadAfterwards) {
  const TemporaryFolder folder;
  CompareConfig config = config_of({"mlp(gelu)", "glu(gelu)"});
  config.model.match = "time";
  const Comparison solved{
      config,
      {{"mlp(gelu)", "mlp(gelu, hidden=192)", 1}, {"glu(gelu)", "glu(gelu, hidden=72)", 1.01}}};
  write_file(folder / "comparison.json", to_bytes(comparison_json(solved)));
  // On a dry device nothing could be timed.
  EXPECT_EQ(comparison_json(prepared(folder, config)), comparison_json(solved));
}

}  // namespace
}  // namespace ffn
