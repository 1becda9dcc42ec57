// How good a classifier is.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "ffn/train/classifier.h"
#include "ffn/train/dataset.h"
#include "ffn/train/measure.h"

namespace ffn::inline v0 {

// Pictures that evaluation scores at once: the same for every run, so scores can be compared.
inline constexpr std::int64_t kEvalBlock = 256;

struct Score {
  std::int64_t right = 0, count = 0;
  double loss = 0;  // mean cross-entropy
  double standard_error = 0;
  double accuracy() const {
    return count == 0 ? 0 : static_cast<double>(right) / static_cast<double>(count);
  }
};

// Picture by picture, in the set's order, and how long each block took.
struct ScoreDetail {
  std::vector<std::int32_t> right, counts;
  std::vector<double> losses;
  std::vector<double> block_ms;  // of kEvalBlock pictures, filling the block included
};

// Of a whole set, in fixed blocks: the score does not depend on any batch size. `detail` may be
// null.
Score evaluate(const Classifier& classifier, const ImageSet& set, const PixelStatistics& statistics,
               ScoreDetail* detail = nullptr);
// The first 256 pictures as the model sees them, images [256, C·S·S], and their logits
// [256, classes]: a safetensors file for comparison with other implementations. Errors: io.
void write_logits(const Classifier& classifier, const ImageSet& set,
                  const PixelStatistics& statistics, const std::string& path);

}  // namespace ffn::inline v0
