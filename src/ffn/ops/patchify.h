// Pictures cut into patches: the tokens of a Vision Transformer.
#pragma once

#include "ffn/autograd/executor.h"

namespace ffn::inline v0 {

// images [B, C·H·W] (planes, row-major) → patches [B·T, C·p·p] of the same dtype, T = (H/p)·(W/p)
// in row-major order, columns in the order (c, py, px): the weight [D, C, p, p] of a convolution
// with stride p, reshaped to [D, C·p·p], is then the weight of a linear layer.
//   gradient   dimages = the inverse permutation of dy
//   saved      nothing
// Errors: config when a size is not positive or patch does not divide height and width; shape when
// images do not have C·H·W columns; dtype. Dosovitskiy et al. 2021.
Value patchify(Executor& ex, Value images, std::int64_t channels, std::int64_t height,
               std::int64_t width, std::int64_t patch);

}  // namespace ffn::inline v0
