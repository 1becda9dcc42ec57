// Equal time: the hidden width at which a training step takes as long as another design's.
#pragma once

#include <vector>

#include "ffn/autograd/executor.h"
#include "ffn/train/recipe.h"

namespace ffn::inline v0 {

// As choose_models(), with the hidden width of each design chosen so that a step of the whole model
// takes as long as one with request.match_to, timed on `device` with made-up pictures, the two in
// turn. A step's time is taken as linear in the width between two measured ones; the width is a
// multiple of 8 (of 1 below 64), and match_ratio is the ratio of times measured at it. Takes some
// seconds per design. Errors: as match_hidden().
std::vector<ModelChoice> match_step_time(const ModelRequest& request, const TrainRecipe& recipe,
                                         const TaskGeometry& geometry, const Device& device);

}  // namespace ffn::inline v0
