// What a comparison is: designs, seeds, data, budget. FOLDER/comparison.json holds it, with the
// designs as they were solved, written before the first run and never again.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "ffn/train/recipe.h"

namespace ffn::inline v0 {

struct CompareConfig {
  // feed_forward: one or more designs; match: empty, a Budget's name, or "time" (of a step).
  ModelRequest model;
  TrainRecipe recipe;
  std::vector<std::uint64_t> seeds;
  std::vector<double> learning_rates;  // a grid to choose from on validation; empty: recipe.lr
  double margin = 0;  // of equivalence: a fraction, or bits per byte; 0: none is claimed
  std::string title;  // empty: made from the rest
  std::string scale, question, claim;  // of the demo or an experiment; may be empty
};

// Throws Error{config}: no design, no seed or one twice, a margin or rate out of range, a folder of
// weights as the model.
void check_compare_config(const CompareConfig& config);

// One design with its hidden width, ready to be trained.
struct SolvedDesign {
  std::string label;       // as given; a repeated one gets " (2)"
  std::string design;      // canonical, with hidden
  double match_ratio = 0;  // 0: nothing was matched
};

struct Comparison {
  CompareConfig config;
  std::vector<SolvedDesign> designs;
};

// The comparison's text: what comparison.json holds.
std::string comparison_json(const Comparison& comparison);
// Reads FOLDER/comparison.json. Errors: Error{io}, naming the file and key.
Comparison read_comparison(const std::string& folder);
bool has_comparison(const std::string& folder);
// Throws Error{config} when the folder's comparison is another one than `config` asks for.
void check_same(const Comparison& found, const CompareConfig& config, const std::string& folder);

}  // namespace ffn::inline v0
