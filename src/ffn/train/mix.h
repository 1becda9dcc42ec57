// Mixup and cutmix: a batch is mixed with itself in reverse order, sample i with B − 1 − i.
#pragma once

#include <cstdint>
#include <span>

#include "ffn/train/augment.h"

namespace ffn::inline v0 {

// A number of Beta(α, α), α > 0, from the counters (step, block …) of a stream: G₁/(G₁ + G₂) of two
// Gamma(α) variables, in logarithms so that a small α cannot divide 0 by 0. Uses blocks
// [block, block + 2^16).
// Source: Marsaglia & Tsang, A simple method for generating gamma variables, 2000; for α < 1 their
// Gamma(α) = Gamma(α + 1)·U^(1/α).
double beta_variable(const RandomStream& stream, std::uint64_t step, std::uint64_t block,
                     double alpha);

enum class MixKind { none, mixup, cutmix };

// What one batch's draws decided.
struct MixDraws {
  MixKind kind = MixKind::none;
  double lambda = 1;  // weight of the sample itself; cutmix: the share of pixels it really keeps
  std::int64_t top = 0, left = 0, height = 0, width = 0;  // cutmix: taken from the partner
};

// Draws of stream (seed, "mix"), step = epoch, blocks from 2^17·batch on.
//   mixup   x_i = λ·x_i + (1 − λ)·x_{B−1−i}, λ of Beta(α, α)
//   cutmix  a rectangle of side ratio √(1 − λ) around a uniform centre, cut at the border, comes
//           from the partner; λ becomes 1 − its area
// Sources: Zhang et al., mixup, 2018; Yun et al., CutMix, 2019.
class Mixer {
 public:
  // Errors: check_augment.
  Mixer(const AugmentOptions& options, const PictureShape& shape, std::uint64_t seed);

  MixDraws draw(std::uint64_t epoch, std::uint64_t batch) const;
  // Mixes a pair in place; for the middle of an odd batch there is nothing to do.
  void mix_pair(const MixDraws& draws, std::span<float> a, std::span<float> b) const;
  // A row of targets [V]: λ·t(label) + (1 − λ)·t(partner's), t(y) = (1 − s)·onehot(y) + s/V.
  void target(const MixDraws& draws, std::int32_t label, std::int32_t partner,
              std::span<float> row) const;

 private:
  AugmentOptions options_;
  PictureShape shape_;
  RandomStream stream_;
};

}  // namespace ffn::inline v0
