#include "ffn/compare/experiment.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "io/files.h"

namespace ffn {
namespace {

using testing_io::expect_error;
using testing_io::TemporaryFolder;
using testing_io::to_bytes;
using testing_io::write_file;

constexpr const char* kGood = R"json({
  "schema": 1, "question": "Which?", "claim": "That.", "model": "vit-pico", "margin": 0.01,
  "recipe": {"batch": 32, "lr": 0.002},
  "base": {"seeds": 2, "recipe": {"steps": 7}},
  "full": {"seeds": 5, "model": "vit-nano", "learning_rates": [0.001, 0.002]},
  "parts": [
    {"name": "one", "feed_forward": ["mlp(relu)"]},
    {"name": "two", "title": "T", "feed_forward": ["mlp(relu)", "glu(silu)"], "match": "flops",
     "recipe": {"shuffle_patches": 4, "batch": 16}}]})json";

Experiment read(const std::string& text, bool full) {
  const TemporaryFolder folder;
  write_file(folder / "sample.json", to_bytes(text));
  return read_experiment((folder / "sample.json").string(), full);
}

TEST(Experiment, ScalesAndPartsGoOverWhatTheFileSays) {
  const Experiment base = read(kGood, false);
  EXPECT_EQ(base.name, "sample");
  ASSERT_EQ(base.parts.size(), 2u);
  const CompareConfig& one = base.parts[0].config;
  EXPECT_EQ(one.seeds, (std::vector<std::uint64_t>{1, 2}));
  EXPECT_EQ(one.recipe.batch, 32);
  EXPECT_EQ(one.recipe.step_limit, 7);
  EXPECT_EQ(one.margin, 0.01);
  EXPECT_EQ(one.scale, "base scale");
  const CompareConfig& two = base.parts[1].config;
  EXPECT_EQ(two.recipe.batch, 16);
  EXPECT_EQ(two.recipe.shuffle_patches, 4);
  EXPECT_EQ(two.model.match, "flops");
  EXPECT_EQ(two.title, "T");
  const CompareConfig full = read(kGood, true).parts[0].config;
  EXPECT_EQ(full.model.model, "vit-nano");
  EXPECT_EQ(full.recipe.step_limit, 0);
  EXPECT_EQ(full.learning_rates.size(), 2u);
  EXPECT_EQ(full.seeds.size(), 5u);
}

TEST(Experiment, MistakesAreNamed) {
  const auto expect = [](std::string_view from, std::string_view to, std::string_view says,
                         ErrorKind kind = ErrorKind::io) {
    std::string text = kGood;
    const std::size_t at = text.find(from);
    ASSERT_NE(at, std::string::npos) << from;
    expect_error(kind, {says}, [&] { read(text.replace(at, from.size(), to), false); });
  };
  expect("\"margin\"", "\"margn\"", "unknown key 'margn'");
  expect("\"steps\"", "\"stepz\"", "unknown key 'base.recipe.stepz'");
  expect("\"seeds\": 5", "\"seeds\": 0", "'seeds' is 0");  // also of the scale that is not run
  expect("\"name\": \"two\"", "\"name\": \"one\"", "two parts named 'one'");
  expect("\"name\": \"two\"", "\"name\": \"../x\"", "must be of a-z");
  expect("\"name\": \"two\"", "\"name\": \"runs\"", "neither runs nor plots");
  expect("[\"mlp(relu)\"]", "[3]", "no text");
  expect("[\"mlp(relu)\"]", "[]", "at least one design", ErrorKind::config);
}

TEST(Experiment, EveryFileOfTheProjectIsReadable) {
  int count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(FFN_EXPERIMENTS)) {
    for (const bool full : {false, true}) {
      const Experiment experiment = read_experiment(entry.path().string(), full);
      EXPECT_FALSE(experiment.claim.empty()) << entry.path();
      EXPECT_FALSE(experiment.parts.empty()) << entry.path();
    }
    ++count;
  }
  EXPECT_GE(count, 4);
}

}  // namespace
}  // namespace ffn
