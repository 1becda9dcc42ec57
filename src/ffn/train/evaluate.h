// How good a classifier is.
#pragma once

#include <cstdint>
#include <string>

#include "ffn/train/classifier_session.h"
#include "ffn/train/dataset.h"

namespace ffn::inline v0 {

struct Score {
  std::int64_t right = 0, count = 0;
  double loss = 0;  // mean cross-entropy
  double accuracy() const {
    return count == 0 ? 0 : static_cast<double>(right) / static_cast<double>(count);
  }
};

// Of a whole set, in fixed blocks: the score does not depend on any batch size.
Score evaluate(ClassifierSession& session, const ImageSet& set, const PixelStatistics& statistics);
// The first 256 pictures as the model sees them, images [256, C·S·S], and their logits
// [256, classes]: a safetensors file for comparison with other implementations. Errors: io.
void write_logits(ClassifierSession& session, const ImageSet& set,
                  const PixelStatistics& statistics, const std::string& path);

}  // namespace ffn::inline v0
