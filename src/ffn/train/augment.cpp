#include "ffn/train/augment.h"

#include <algorithm>
#include <cmath>

#include "ffn/base/check.h"
#include "ffn/base/error.h"

namespace ffn::inline v0 {
namespace {

constexpr std::uint64_t kBlocks = 16;    // of random words per sample
constexpr std::uint64_t kAttempts = 10;  // at a rectangle that fits

double unit(std::uint32_t word) { return (static_cast<double>(word) + 0.5) * 0x1p-32; }

// 0 … bound − 1.
std::int64_t below(std::uint32_t word, std::int64_t bound) {
  return static_cast<std::int64_t>(
      (static_cast<std::uint64_t>(word) * static_cast<std::uint64_t>(bound)) >> 32);
}

void check_range(double value, double low, double high, const char* name) {
  check(value >= low && value <= high, ErrorKind::config, "augment", name, " is ", value,
        ", expected ", low, " to ", high);
}

}  // namespace

AugmentOptions standard_augmentation() {
  AugmentOptions options;
  options.crop_padding = 4;
  options.flip = true;
  options.erase_probability = 0.25;
  options.mixup_alpha = 0.8;
  options.cutmix_alpha = 1.0;
  options.label_smoothing = 0.1;
  return options;
}

void check_augment(const AugmentOptions& o) {
  constexpr double kLargest = 1e6;
  check(o.crop_padding >= 0 && o.crop_padding <= 1024, ErrorKind::config, "augment",
        "crop_padding is ", o.crop_padding, ", expected 0 to 1024");
  check_range(o.erase_probability, 0, 1, "erase_probability");
  check_range(o.erase_area_max, 0, 1, "erase_area_max");
  check_range(o.erase_area_min, 0, o.erase_area_max, "erase_area_min");
  check_range(o.erase_ratio_max, 1e-3, 1e3, "erase_ratio_max");
  check_range(o.erase_ratio_min, 1e-3, o.erase_ratio_max, "erase_ratio_min");
  check_range(o.mixup_alpha, 0, kLargest, "mixup_alpha");
  check_range(o.cutmix_alpha, 0, kLargest, "cutmix_alpha");
  check_range(o.switch_probability, 0, 1, "switch_probability");
  check_range(o.label_smoothing, 0, 1, "label_smoothing");
}

Normaliser::Normaliser(const PixelStatistics& statistics) {
  check(statistics.mean.size() == statistics.std.size(), ErrorKind::config, "normalise",
        statistics.mean.size(), " means and ", statistics.std.size(), " deviations");
  for (std::size_t c = 0; c < statistics.mean.size(); ++c) {
    check(statistics.std[c] > 0, ErrorKind::config, "normalise", "the deviation of channel ", c,
          " is ", statistics.std[c], ", expected more than 0");
    std::array<float, 256>& table = tables_.emplace_back();
    for (std::size_t p = 0; p < table.size(); ++p)
      table[p] = static_cast<float>((static_cast<double>(p) / 255 - statistics.mean[c]) /
                                    statistics.std[c]);
  }
}

void normalise(const PictureShape& shape, const Normaliser& normaliser,
               std::span<const std::uint8_t> from, std::span<float> to) {
  FFN_ASSERT(static_cast<std::int64_t>(from.size()) == shape.elements());
  FFN_ASSERT(from.size() == to.size());
  const auto plane = static_cast<std::size_t>(shape.height * shape.width);
  for (std::int64_t c = 0; c < shape.channels; ++c) {
    const std::array<float, 256>& table = normaliser.channel(c);
    const std::size_t start = static_cast<std::size_t>(c) * plane;
    for (std::size_t p = start; p < start + plane; ++p) to[p] = table[from[p]];
  }
}

Augmenter::Augmenter(const AugmentOptions& options, const PictureShape& shape, std::uint64_t seed)
    : options_(options), shape_(shape), draws_(seed, "augment"), fill_(seed, "augment/erase") {
  check_augment(options);
}

SampleDraws Augmenter::draw(std::uint64_t epoch, std::uint64_t sample) const {
  const PhiloxWords words = draws_.words(epoch, kBlocks * sample);
  SampleDraws draws;
  const std::int64_t places = 2 * options_.crop_padding + 1;
  draws.shift_down = below(words[0], places) - options_.crop_padding;
  draws.shift_right = below(words[1], places) - options_.crop_padding;
  draws.flip = options_.flip && (words[2] & 1u) != 0;
  if (unit(words[3]) < options_.erase_probability) draw_rectangle(epoch, sample, draws);
  return draws;
}

// The first attempt that fits inside the picture; none of ten: nothing is erased.
void Augmenter::draw_rectangle(std::uint64_t epoch, std::uint64_t sample,
                               SampleDraws& draws) const {
  const auto area = static_cast<double>(shape_.height * shape_.width);
  const double low = std::log(options_.erase_ratio_min), high = std::log(options_.erase_ratio_max);
  for (std::uint64_t attempt = 1; attempt <= kAttempts; ++attempt) {
    const PhiloxWords words = draws_.words(epoch, kBlocks * sample + attempt);
    const double target =
        area * (options_.erase_area_min +
                unit(words[0]) * (options_.erase_area_max - options_.erase_area_min));
    const double ratio = std::exp(low + unit(words[1]) * (high - low));
    const auto height = static_cast<std::int64_t>(std::lround(std::sqrt(target * ratio)));
    const auto width = static_cast<std::int64_t>(std::lround(std::sqrt(target / ratio)));
    if (height >= shape_.height || width >= shape_.width) continue;
    draws.erase_top = below(words[2], shape_.height - height + 1);
    draws.erase_left = below(words[3], shape_.width - width + 1);
    draws.erase_height = height;
    draws.erase_width = width;
    return;
  }
}

void Augmenter::apply(std::uint64_t epoch, std::uint64_t sample, const Normaliser& normaliser,
                      std::span<const std::uint8_t> from, std::span<float> to) const {
  FFN_ASSERT(static_cast<std::int64_t>(from.size()) == shape_.elements());
  FFN_ASSERT(from.size() == to.size());
  const SampleDraws draws = draw(epoch, sample);
  float* out = to.data();
  for (std::int64_t c = 0; c < shape_.channels; ++c) {
    const std::array<float, 256>& table = normaliser.channel(c);
    for (std::int64_t row = 0; row < shape_.height; ++row) {
      const std::int64_t y = row - draws.shift_down;
      const bool inside = y >= 0 && y < shape_.height;
      const std::uint8_t* line =
          from.data() + (c * shape_.height + (inside ? y : 0)) * shape_.width;
      for (std::int64_t col = 0; col < shape_.width; ++col, ++out) {
        const std::int64_t cropped = draws.flip ? shape_.width - 1 - col : col;
        const std::int64_t x = cropped - draws.shift_right;
        *out = table[inside && x >= 0 && x < shape_.width ? line[x] : 0];
      }
    }
  }
  erase(epoch, sample, draws, to);
}

void Augmenter::erase(std::uint64_t epoch, std::uint64_t sample, const SampleDraws& draws,
                      std::span<float> to) const {
  const std::uint64_t first = sample * static_cast<std::uint64_t>(shape_.elements());
  for (std::int64_t c = 0; c < shape_.channels; ++c) {
    for (std::int64_t row = 0; row < draws.erase_height; ++row) {
      const std::int64_t start =
          (c * shape_.height + draws.erase_top + row) * shape_.width + draws.erase_left;
      for (std::int64_t i = start; i < start + draws.erase_width; ++i) {
        const auto element = static_cast<std::size_t>(i);
        to[element] = options_.erase_fill == EraseFill::zero
                          ? 0.0f
                          : static_cast<float>(fill_.normal(epoch, first + element));
      }
    }
  }
}

}  // namespace ffn::inline v0
