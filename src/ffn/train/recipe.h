// How a model is trained, as a user states it: what run.json is made from.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "ffn/train/dataset.h"
#include "ffn/train/model_choice.h"
#include "ffn/train/train_config.h"

namespace ffn::inline v0 {

struct TrainRecipe {
  std::string data = "fashion-mnist";            // by name, a folder, or text:PATH
  std::int64_t pad_to = 0, shuffle_patches = 0;  // ImageDataOptions
  std::int64_t epochs = 8;
  std::int64_t step_limit = 0;  // ends after so many steps; 0: after the epochs
  std::int64_t batch = 0;       // 0: 128 pictures, or 32 sequences of text
  double lr = 1e-3, min_lr = 1e-5;
  double warmup_epochs = -1;  // −1: one, but at most a tenth of the run
  double weight_decay = 0.05, max_norm = 1, drop_path = 0;
  bool augment = false;        // standard_augmentation()
  double label_smoothing = 0;  // without augment
  std::int64_t eval_steps = 0;
  DType dtype = DType::f32;
  MemoryMode memory = MemoryMode::store;

  friend bool operator==(const TrainRecipe&, const TrainRecipe&) = default;
};

// What decides one run beside its recipe.
struct RunChoice {
  ModelChoice model;
  std::uint64_t seed = 1;
  bool read_test = true;
  std::map<std::string, std::string> environment = {};  // of run.json
};

// Everything that the run computes; epochs become steps of the `training_count` pictures. Errors:
// config naming the first option that is out of range or would be ignored.
TrainConfig make_train_config(const TrainRecipe& recipe, const RunChoice& choice,
                              std::int64_t training_count);

// What recipe.batch stands for.
std::int64_t batch_of(const TrainRecipe& recipe);

ImageDataOptions image_data_options(const TrainRecipe& recipe);

}  // namespace ffn::inline v0
