#include "ffn/train/recipe.h"

#include <gtest/gtest.h>

#include <functional>

#include "ffn/train/recipe_json.h"
#include "io/files.h"

namespace ffn {
namespace {

using testing_io::expect_error;

TrainRecipe unusual() {
  TrainRecipe recipe;
  recipe.data = "somewhere";
  recipe.pad_to = 32;
  recipe.shuffle_patches = 4;
  recipe.epochs = 3;
  recipe.step_limit = 70;
  recipe.batch = 16;
  recipe.lr = 1.0 / 3;
  recipe.min_lr = 1e-6;
  recipe.warmup_epochs = 0.5;
  recipe.weight_decay = 0.01;
  recipe.max_norm = 2;
  recipe.drop_path = 0.1;
  recipe.augment = true;
  recipe.label_smoothing = 0.2;
  recipe.eval_steps = 9;
  recipe.dtype = DType::bf16;
  recipe.memory = MemoryMode::recompute_hidden;
  return recipe;
}

TEST(Recipe, JsonKeepsEveryOption) {
  const nlohmann::json object = nlohmann::json::parse(recipe_json(unusual()).dump());
  TrainRecipe read;
  read_recipe(ObjectReader(object, "test"), read);
  EXPECT_EQ(read, unusual());
  // Part of them: the rest stays.
  const nlohmann::json part = {{"steps", 8u}};
  read_recipe(ObjectReader(part, "test"), read);
  EXPECT_EQ(read.step_limit, 8);
  EXPECT_EQ(read.batch, 16);
  const nlohmann::json unknown = {{"stepz", 8u}};
  expect_error(ErrorKind::io, {"unknown key 'stepz'"},
               [&] { read_recipe(ObjectReader(unknown, "test"), read); });
}

ModelRequest pico(std::vector<std::string> designs) {
  ModelRequest request;
  request.model = "vit-pico";
  request.feed_forward = std::move(designs);
  return request;
}

// The configuration of a run on 1000 training pictures.
TrainConfig made(const std::function<void(TrainRecipe&)>& change) {
  TrainRecipe recipe;
  recipe.batch = 100;
  recipe.epochs = 20;
  change(recipe);
  RunChoice choice;
  choice.model = choose_models(pico({"glu(silu)"}), ImageGeometry{1, 28, 10})[0];
  return make_train_config(recipe, choice, 1000);
}

TEST(Recipe, EpochsBecomeStepsAndWarmUpLeavesRoom) {
  const ScheduleOptions whole = made([](TrainRecipe&) {}).run.schedule;
  EXPECT_EQ(whole.total_steps, 200);
  EXPECT_EQ(whole.warmup_steps, 10);  // one epoch
  const ScheduleOptions cut = made([](TrainRecipe& r) { r.step_limit = 50; }).run.schedule;
  EXPECT_EQ(cut.total_steps, 50);
  EXPECT_EQ(cut.warmup_steps, 5);  // a tenth of the run
  EXPECT_EQ(made([](TrainRecipe& r) { r.warmup_epochs = 0.5; }).run.schedule.warmup_steps, 5);
  EXPECT_EQ(made([](TrainRecipe& r) { r.lr = 1e-7; }).run.schedule.min_lr, 1e-7);
}

TEST(Recipe, WhatWouldBeIgnoredIsRefused) {
  const auto refused = [](std::string_view says, const std::function<void(TrainRecipe&)>& change) {
    expect_error(ErrorKind::config, {says}, [&] { made(change); });
  };
  refused("--label-smoothing", [](TrainRecipe& r) {
    r.augment = true;
    r.label_smoothing = 0.1;
  });
  refused("--shuffle-patches", [](TrainRecipe& r) {
    r.augment = true;
    r.shuffle_patches = 4;
  });
  refused("--batch", [](TrainRecipe& r) { r.batch = 1001; });
  refused("--epochs", [](TrainRecipe& r) { r.epochs = 0; });
  refused("--warmup-epochs", [](TrainRecipe& r) { r.warmup_epochs = -2; });
}

TEST(ModelChoice, MatchesEveryBudgetAndLeavesTheTargetAlone) {
  const ImageGeometry geometry{1, 28, 10};
  ModelRequest request = pico({"mlp(gelu)", "glu(silu)"});
  request.patch = 7;
  for (const char* budget : {"params", "active", "flops", "bytes"}) {
    request.match = budget;
    const std::vector<ModelChoice> choices = choose_models(request, geometry);
    EXPECT_EQ(to_string(feed_forward_of(choices[0].config)), "mlp(gelu, hidden=192)");
    EXPECT_EQ(choices[0].match_ratio, 1);
    EXPECT_EQ(to_string(feed_forward_of(choices[1].config)), "glu(silu, hidden=128)");
    EXPECT_NEAR(choices[1].match_ratio, 1, 0.01);
    EXPECT_EQ(std::get<VitConfig>(choices[1].config).patch, 7);
  }
  request.match = "time";
  expect_error(ErrorKind::config, {"'time' is no budget"},
               [&] { choose_models(request, geometry); });
  request = pico({});
  request.patch = 5;
  expect_error(ErrorKind::config, {"--patch", "5"}, [&] { choose_models(request, geometry); });
}

}  // namespace
}  // namespace ffn
