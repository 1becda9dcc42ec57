// From --model, --ffn, --match and the data set to one model's configuration.
#pragma once

#include <string>
#include <vector>

#include "ffn/models/vit.h"
#include "ffn/train/image_geometry.h"
#include "options.h"

namespace ffn::app {

struct ModelChoice {
  VitConfig config;
  std::string folder;       // of weights to start from; empty for a preset
  std::string design_text;  // as given
  double match_ratio = 0;   // reached budget over wanted one; 0: nothing was matched
};

// One choice per --ffn (the model's own design when there is none). A folder brings its own picture
// size and classes, which must be the data set's. Errors: config, io.
std::vector<ModelChoice> choose_models(const ModelOptions& options, const ImageGeometry& geometry);

}  // namespace ffn::app
