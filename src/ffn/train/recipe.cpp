#include "ffn/train/recipe.h"

#include <algorithm>
#include <cmath>

#include "ffn/base/error.h"

namespace ffn::inline v0 {
namespace {

// The steps of the run and of its warm-up.
ScheduleOptions schedule_of(const TrainRecipe& recipe, std::int64_t training_count) {
  const std::int64_t epoch_steps = training_count / batch_of(recipe);
  ScheduleOptions schedule;
  schedule.lr = recipe.lr;
  schedule.min_lr = std::min(recipe.min_lr, recipe.lr);
  schedule.warmup_lr = std::min(schedule.warmup_lr, recipe.lr);
  schedule.total_steps = recipe.epochs * epoch_steps;
  if (recipe.step_limit > 0)
    schedule.total_steps = std::min(schedule.total_steps, recipe.step_limit);
  schedule.warmup_steps = std::min(epoch_steps, schedule.total_steps / 10);
  if (recipe.warmup_epochs >= 0) {
    const double asked = recipe.warmup_epochs * static_cast<double>(epoch_steps);
    schedule.warmup_steps =
        std::min(schedule.total_steps, static_cast<std::int64_t>(std::llround(asked)));
  }
  return schedule;
}

AugmentOptions augment_of(const TrainRecipe& recipe) {
  check(!recipe.augment || recipe.label_smoothing == 0, ErrorKind::config, "--label-smoothing",
        "would be ignored: --augment brings its own");
  check(!recipe.augment || recipe.shuffle_patches == 0, ErrorKind::config, "--shuffle-patches",
        "cannot go with --augment, which would crop across the shuffled patches");
  AugmentOptions augment = recipe.augment ? standard_augmentation() : AugmentOptions{};
  if (!recipe.augment) augment.label_smoothing = recipe.label_smoothing;
  return augment;
}

}  // namespace

TrainConfig make_train_config(const TrainRecipe& recipe, const RunChoice& choice,
                              std::int64_t training_count) {
  const std::int64_t batch = batch_of(recipe);
  const bool text = names_text(recipe.data);
  check(batch >= 1 && batch <= training_count, ErrorKind::config, "--batch", "is ", batch,
        "; expected 1 to the ", training_count,
        text ? " training sequences" : " training pictures");
  check(!text || (!recipe.augment && recipe.label_smoothing == 0), ErrorKind::config, "recipe",
        "--augment and --label-smoothing are of pictures; the data is text");
  check(recipe.epochs >= 1 && recipe.epochs <= 1 << 20, ErrorKind::config, "--epochs", "is ",
        recipe.epochs, "; expected 1 to ", 1 << 20);
  check(
      recipe.warmup_epochs == -1 || (recipe.warmup_epochs >= 0 && recipe.warmup_epochs <= 1 << 20),
      ErrorKind::config, "--warmup-epochs", "is ", recipe.warmup_epochs, "; expected 0 to ",
      1 << 20, ", or -1");
  TrainConfig config;
  config.model = choice.model.config;
  drop_path_of(config.model) = static_cast<float>(recipe.drop_path);
  config.start_folder = choice.model.folder;
  config.dtype = recipe.dtype;
  config.memory = recipe.memory;
  RunDescription& run = config.run;
  run.environment = choice.environment;
  run.data = recipe.data;
  run.pad_to = recipe.pad_to;
  run.shuffle_patches = recipe.shuffle_patches;
  run.seed = choice.seed;
  run.epochs = recipe.epochs;
  run.batch = batch;
  run.max_norm = recipe.max_norm;
  run.eval_steps = recipe.eval_steps;
  run.read_test = choice.read_test;
  run.schedule = schedule_of(recipe, training_count);
  run.optimizer.weight_decay = recipe.weight_decay;
  run.augment = augment_of(recipe);
  check_train_config(config);
  config.run = description_of(config);
  return config;
}

std::int64_t batch_of(const TrainRecipe& recipe) {
  if (recipe.batch != 0) return recipe.batch;
  return names_text(recipe.data) ? 32 : 128;
}

ImageDataOptions image_data_options(const TrainRecipe& recipe) {
  return {.pad_to = recipe.pad_to, .shuffle_patches = recipe.shuffle_patches};
}

}  // namespace ffn::inline v0
