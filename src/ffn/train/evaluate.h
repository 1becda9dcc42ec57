// How good a classifier is.
#pragma once

#include <cstdint>
#include <string>

#include "ffn/train/classifier.h"
#include "ffn/train/dataset.h"
#include "ffn/train/expert_watch.h"
#include "ffn/train/score.h"

namespace ffn::inline v0 {

// Pictures that evaluation scores at once: the same for every run, so scores can be compared.
inline constexpr std::int64_t kEvalBlock = 256;

// Of a whole set, in fixed blocks: the score does not depend on any batch size. Right is the class
// of the largest logit, ties to the lower. `detail` and `experts` may be null.
Score evaluate(const Classifier& classifier, const ImageSet& set, const PixelStatistics& statistics,
               ScoreDetail* detail = nullptr, ExpertWatch* experts = nullptr);
// The first 256 pictures as the model sees them, images [256, C·S·S], and their logits
// [256, classes]: a safetensors file for comparison with other implementations. Errors: io.
void write_logits(const Classifier& classifier, const ImageSet& set,
                  const PixelStatistics& statistics, const std::string& path);

}  // namespace ffn::inline v0
