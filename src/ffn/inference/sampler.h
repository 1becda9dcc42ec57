// Chooses the next id of a text from a model's logits.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "ffn/base/philox.h"

namespace ffn::inline v0 {

struct SamplerOptions {
  float temperature = 0;   // 0: always the likeliest id, the lower one of equals
  std::int64_t top_k = 0;  // 0: all; otherwise only the k likeliest ids
  float top_p = 1;         // only the likeliest ids whose probabilities reach p together
  float min_p = 0;         // only ids at least this likely, compared with the likeliest
  std::uint64_t seed = 0;
};

// p = softmax(logits / temperature); ids outside top_k, then those outside top_p (of what is left,
// the id that reaches p included), then those outside min_p are dropped; one of the others is drawn
// by its probability. Order as in transformers. top_p: Holtzman et al. 2020; min_p: Nguyen et al.
// 2024. The draw of a step depends on seed and step alone. Memory: 8 bytes per id.
class Sampler {
 public:
  // Errors: config when temperature < 0, top_k < 0, top_p outside (0, 1], min_p outside [0, 1], or
  // a number that is not finite.
  explicit Sampler(const SamplerOptions& options);

  // The id for step `step` of a text. Errors: io when a logit is NaN or all are −∞: the model is
  // broken.
  std::int32_t choose(std::span<const float> logits, std::uint64_t step);

 private:
  struct Candidate {
    float logit;
    std::int32_t id;
  };

  std::int32_t draw(float largest, std::uint64_t step);
  // Orders `count` of the likeliest first.
  void order_first(std::size_t count);
  void keep_top_p(float largest);

  SamplerOptions options_;
  RandomStream stream_;
  std::vector<Candidate> candidates_;
};

}  // namespace ffn::inline v0
