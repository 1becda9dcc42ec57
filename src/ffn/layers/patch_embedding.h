// Pictures as rows of a Transformer.
#pragma once

#include "ffn/autograd/executor.h"

namespace ffn::inline v0 {

// y = patchify(images)·Wᵀ + b: the convolution with kernel and stride `patch` of Vision
// Transformers. images [B, C·H·W], weight [D, C·p·p] (a checkpoint's [D, C, p, p] reshaped), bias
// [D] or absent → [B·T, D], T = (H/p)·(W/p). Saves the patches when dW is wanted, the weight when
// dimages is wanted; flops 2·B·T·C·p·p·D forward. Errors: those of patchify() and linear().
// Dosovitskiy et al. 2021.
Value patch_embedding(Executor& ex, Value images, const Value& weight, const Value& bias,
                      std::int64_t channels, std::int64_t height, std::int64_t width,
                      std::int64_t patch);

}  // namespace ffn::inline v0
