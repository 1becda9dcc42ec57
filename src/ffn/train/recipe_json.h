// A recipe as JSON, in comparison.json and in files of experiments.
#pragma once

#include "ffn/train/recipe.h"
#include "ffn/train/strict_json.h"

namespace ffn::inline v0 {

// Keys are the options of the command in snake_case: data, pad, epochs, steps, lr, …
nlohmann::ordered_json recipe_json(const TrainRecipe& recipe);
// Replaces what the object names and keeps the rest; an unknown key is an Error{io}.
void read_recipe(ObjectReader reader, TrainRecipe& recipe);

}  // namespace ffn::inline v0
