// How good a model is on held-out examples: in sum, and example by example.
#pragma once

#include <cstdint>
#include <vector>

namespace ffn::inline v0 {

struct Score {
  std::int64_t right = 0, count = 0;  // predictions: one per picture, one per byte of a text
  double loss = 0;                    // mean cross-entropy of a prediction, in nats
  // Of the quality (measure.h) when the examples are drawn anew; 0: not computed.
  double standard_error = 0;

  double accuracy() const {
    return count == 0 ? 0 : static_cast<double>(right) / static_cast<double>(count);
  }
};

// Example by example (a picture, or a document), in the set's order, and how long each block took.
struct ScoreDetail {
  std::vector<std::int32_t> right;   // predictions of the example that were right
  std::vector<std::int32_t> counts;  // predictions of the example: 1 for a picture
  std::vector<double> losses;        // nats, summed over them
  std::vector<double> block_ms;      // filling the block included
};

}  // namespace ffn::inline v0
