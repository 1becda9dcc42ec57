// Augmentation of pictures. What happens to a sample depends on (seed, epoch, its index) alone,
// what is mixed on (seed, epoch, number of the batch): never on the order of work or the threads.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "ffn/base/philox.h"
#include "ffn/train/dataset.h"

namespace ffn::inline v0 {

enum class EraseFill { zero, normal };

struct AugmentOptions {
  std::int64_t crop_padding = 0;  // zeros around the picture before a crop of its size; 0: off
  bool flip = false;              // left–right, probability 1/2
  double erase_probability = 0;
  double erase_area_min = 0.02, erase_area_max = 0.4;   // of the picture
  double erase_ratio_min = 0.3, erase_ratio_max = 3.3;  // height to width, uniform in its logarithm
  EraseFill erase_fill = EraseFill::normal;             // after normalising, one draw per pixel
  double mixup_alpha = 0, cutmix_alpha = 0;             // of Beta(α, α); 0: off
  double switch_probability = 0.5;                      // of cutmix, when both are on
  double label_smoothing = 0;                           // s: (1 − s)·onehot + s/V

  bool mixes() const { return mixup_alpha > 0 || cutmix_alpha > 0; }
  // Targets are rows of probabilities instead of classes.
  bool soft_targets() const { return mixes() || label_smoothing > 0; }
};

// Pad-crop 4, flip, erase 0.25, mixup 0.8, cutmix 1.0, smoothing 0.1.
// Source: Touvron et al., Training data-efficient image transformers, 2021 (without RandAugment).
AugmentOptions standard_augmentation();

// Throws Error{config} naming the option that is out of range.
void check_augment(const AugmentOptions& options);

// (p/255 − mean_c)/std_c of the 256 values of each channel, computed in double.
class Normaliser {
 public:
  explicit Normaliser(const PixelStatistics& statistics);
  const std::array<float, 256>& channel(std::int64_t c) const {
    return tables_[static_cast<std::size_t>(c)];
  }

 private:
  std::vector<std::array<float, 256>> tables_;
};

struct PictureShape {
  std::int64_t channels = 0, height = 0, width = 0;
  std::int64_t elements() const { return channels * height * width; }
};

// A picture without augmentation: `to` [C·H·W] = normalised `from` [C, H, W].
void normalise(const PictureShape& shape, const Normaliser& normaliser,
               std::span<const std::uint8_t> from, std::span<float> to);

// What one sample's draws decided. Words of stream (seed, "augment"), step = epoch: block
// 16·sample holds crop, flip and erase, blocks 16·sample + 1 … 10 an attempt at a rectangle each;
// the fill is normal number sample·C·H·W + element of stream (seed, "augment/erase").
struct SampleDraws {
  std::int64_t shift_down = 0, shift_right = 0;  // −crop_padding … crop_padding
  bool flip = false;
  std::int64_t erase_top = 0, erase_left = 0, erase_height = 0, erase_width = 0;  // 0: nothing
};

class Augmenter {
 public:
  // Errors: check_augment.
  Augmenter(const AugmentOptions& options, const PictureShape& shape, std::uint64_t seed);

  SampleDraws draw(std::uint64_t epoch, std::uint64_t sample) const;
  // Crop, flip, normalise, erase: one sample from `from` [C, H, W] to `to` [C·H·W].
  void apply(std::uint64_t epoch, std::uint64_t sample, const Normaliser& normaliser,
             std::span<const std::uint8_t> from, std::span<float> to) const;

 private:
  void draw_rectangle(std::uint64_t epoch, std::uint64_t sample, SampleDraws& draws) const;
  void erase(std::uint64_t epoch, std::uint64_t sample, const SampleDraws& draws,
             std::span<float> to) const;

  AugmentOptions options_;
  PictureShape shape_;
  RandomStream draws_, fill_;
};

}  // namespace ffn::inline v0
