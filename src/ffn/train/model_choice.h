// From a preset or folder, designs and a budget to match, to the configuration of each model.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "ffn/feedforward/match.h"
#include "ffn/models/vit.h"
#include "ffn/train/image_geometry.h"

namespace ffn::inline v0 {

struct ModelRequest {
  std::string model;                      // a preset or a Hugging Face folder
  std::int64_t patch = 0;                 // pixels a side; 0: 4 for pictures up to 64, else 16
  std::vector<std::string> feed_forward;  // designs; empty: the model's own, or mlp(gelu)
  std::string match;                      // empty, params, active, flops or bytes
  std::string match_to = "mlp(gelu)";
};

struct ModelChoice {
  VitConfig config;
  std::string folder;       // of weights to start from; empty for a preset
  std::string design_text;  // as given
  double match_ratio = 0;   // reached budget over wanted one; 0: nothing was matched
};

// One choice per design. A folder brings its own picture size and classes, which must be the data
// set's. With `match` the design of match_to itself stays as it is. Errors: config, io.
std::vector<ModelChoice> choose_models(const ModelRequest& request, const ImageGeometry& geometry);

// Where a design stands in a model of this configuration.
FeedForwardSite feed_forward_site(const VitConfig& config);

}  // namespace ffn::inline v0
