// A question about feed-forward layers as a file that anyone can run again: experiments/*.json.
#pragma once

#include <string>
#include <vector>

#include "ffn/compare/compare_config.h"

namespace ffn::inline v0 {

struct ExperimentPart {
  std::string name;  // its folder inside the experiment's
  CompareConfig config;
};

struct Experiment {
  std::string name;  // the file's, without its ending
  std::string question, claim;
  std::vector<ExperimentPart> parts;
};

// The scale "base", or "full", of the file:
//
//   {"schema": 1, "question": "…", "claim": "…", "model": "vit-pico", "patch": 7, "margin": 0.01,
//    "recipe": {…}, "base": SCALE, "full": SCALE,
//    "parts": [{"name": "…", "title": "…", "feed_forward": ["…", …], "match": "params",
//               "match_to": "…", "recipe": {…}}, …]}
//   SCALE = {"seeds": 5, "model": "…", "patch": 4, "recipe": {…}, "learning_rates": […]}
//
// Beside model and patch stand context, kv_heads, parallel and free_head of language models.
// Recipes hold options of training by their names; the scale's goes over the file's, the part's
// over both; the margin is a fraction, or of text in bits per byte. Only schema, question, base,
// full, parts, seeds, name and feed_forward must be there. An unknown key is an error. Errors:
// Error{io} naming file and key; check_compare_config().
Experiment read_experiment(const std::string& path, bool full);

}  // namespace ffn::inline v0
