#include "ffn/train/recipe_json.h"

namespace ffn::inline v0 {
nlohmann::ordered_json recipe_json(const TrainRecipe& recipe) {
  return {{"data", recipe.data},
          {"pad", recipe.pad_to},
          {"shuffle_patches", recipe.shuffle_patches},
          {"epochs", recipe.epochs},
          {"steps", recipe.step_limit},
          {"batch", recipe.batch},
          {"lr", recipe.lr},
          {"min_lr", recipe.min_lr},
          {"warmup_epochs", recipe.warmup_epochs},
          {"weight_decay", recipe.weight_decay},
          {"clip", recipe.max_norm},
          {"drop_path", recipe.drop_path},
          {"augment", recipe.augment},
          {"label_smoothing", recipe.label_smoothing},
          {"eval_steps", recipe.eval_steps},
          {"dtype", to_string(recipe.dtype)},
          {"memory", to_string(recipe.memory)}};
}

void read_recipe(ObjectReader reader, TrainRecipe& recipe) {
  const auto integer = [&](const char* key, std::int64_t& value) {
    if (reader.has(key)) value = reader.integer(key);
  };
  const auto number = [&](const char* key, double& value) {
    if (reader.has(key)) value = reader.number(key);
  };
  if (reader.has("data")) recipe.data = reader.text("data");
  integer("pad", recipe.pad_to);
  integer("shuffle_patches", recipe.shuffle_patches);
  integer("epochs", recipe.epochs);
  integer("steps", recipe.step_limit);
  integer("batch", recipe.batch);
  number("lr", recipe.lr);
  number("min_lr", recipe.min_lr);
  number("warmup_epochs", recipe.warmup_epochs);
  number("weight_decay", recipe.weight_decay);
  number("clip", recipe.max_norm);
  number("drop_path", recipe.drop_path);
  if (reader.has("augment")) recipe.augment = reader.boolean("augment");
  number("label_smoothing", recipe.label_smoothing);
  integer("eval_steps", recipe.eval_steps);
  if (reader.has("dtype")) recipe.dtype = parse_training_dtype(reader.text("dtype"), "recipe");
  if (reader.has("memory")) recipe.memory = parse_memory_mode(reader.text("memory"), "recipe");
  reader.finish();
}

}  // namespace ffn::inline v0
