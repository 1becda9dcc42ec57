// From a preset or folder, designs and a budget to match, to the configuration of each model.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "ffn/feedforward/match.h"
#include "ffn/models/model_config.h"
#include "ffn/train/task_data.h"

namespace ffn::inline v0 {

// Of language models built from a preset.
struct DecoderOptions {
  std::int64_t context = 0;   // tokens of a sequence; 0: the preset's
  std::int64_t kv_heads = 0;  // heads of keys and values; 0: as many as of queries
  bool parallel = false;      // PaLM's block
  bool free_head = false;     // a head of its own instead of the embedding's table

  friend bool operator==(const DecoderOptions&, const DecoderOptions&) = default;
};

struct ModelRequest {
  std::string model;       // a preset or a Hugging Face folder; empty: vit-nano, lm-nano
  std::int64_t patch = 0;  // pixels a side; 0: 4 for pictures up to 64, else 16
  DecoderOptions decoder;
  std::vector<std::string> feed_forward;  // designs; empty: the model's own, or mlp(gelu)
  std::string match;                      // empty, params, active, flops or bytes
  std::string match_to = "mlp(gelu)";
};

struct ModelChoice {
  ModelConfig config;
  std::string folder;       // of weights to start from; empty for a preset
  std::string design_text;  // as given
  double match_ratio = 0;   // reached budget over wanted one; 0: nothing was matched
};

// The preset that an empty ModelRequest::model stands for.
std::string_view default_model(bool text);

// One choice per design. A folder brings its own sizes, which must be the data set's, and its
// design, which experts of it may take the place of (upcycling). With `match`
// the design of match_to itself stays as it is. An option that the data's kind of model would
// ignore is an error. Errors: config, io.
std::vector<ModelChoice> choose_models(const ModelRequest& request, const TaskGeometry& geometry);

}  // namespace ffn::inline v0
