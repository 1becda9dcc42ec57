// Where the pixels of a set's pictures stand; used by dataset.cpp.
#pragma once

#include "ffn/train/dataset.h"

namespace ffn::inline v0 {

// A border of zeros, up to side × side, the picture in the middle; 0: as they are. Throws
// Error{config} when the pictures are larger.
void pad(ImageSet& set, std::int64_t side);

// Every picture's squares of `patch` pixels change places, all pictures in one order: a permutation
// of stream (0, "shuffle-patches") at step = number of squares. 0: as they are. Throws
// Error{config} when patch does not divide both sides.
void shuffle_patches(ImageSet& set, std::int64_t patch);

// The first `count` pictures (all, when there are fewer), in their order.
ImageSet first_pictures(const ImageSet& set, std::int64_t count);

}  // namespace ffn::inline v0
