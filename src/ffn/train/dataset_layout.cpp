#include "ffn/train/dataset_layout.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "ffn/base/error.h"
#include "ffn/train/order.h"

namespace ffn::inline v0 {

void pad(ImageSet& set, std::int64_t side) {
  if (side == 0 || (set.height == side && set.width == side)) return;
  check(side >= set.height && side >= set.width, ErrorKind::config, "data", "pad_to is ", side,
        ", but the pictures are ", set.height, "x", set.width);
  const std::int64_t top = (side - set.height) / 2, left = (side - set.width) / 2;
  std::vector<std::uint8_t> padded(
      static_cast<std::size_t>(set.count * set.channels * side * side));
  const std::uint8_t* from = set.pixels.data();
  for (std::int64_t plane = 0; plane < set.count * set.channels; ++plane) {
    for (std::int64_t row = 0; row < set.height; ++row, from += set.width)
      std::memcpy(padded.data() + (plane * side + top + row) * side + left, from,
                  static_cast<std::size_t>(set.width));
  }
  set.pixels = std::move(padded);
  set.height = set.width = side;
}

namespace {

// Copies the squares of one plane of `width` pixels a row: square `order[i]` of `from` to place i.
void place_patches(const std::uint8_t* from, std::uint8_t* to, std::int64_t width,
                   std::int64_t patch, std::span<const std::uint32_t> order) {
  const std::int64_t across = width / patch;
  const auto corner = [&](std::int64_t square) {
    return square / across * patch * width + square % across * patch;
  };
  for (std::size_t place = 0; place < order.size(); ++place) {
    const std::uint8_t* source = from + corner(order[place]);
    std::uint8_t* target = to + corner(static_cast<std::int64_t>(place));
    for (std::int64_t row = 0; row < patch; ++row, source += width, target += width)
      std::memcpy(target, source, static_cast<std::size_t>(patch));
  }
}

}  // namespace

void shuffle_patches(ImageSet& set, std::int64_t patch) {
  if (patch == 0) return;
  check(patch > 0 && set.height % patch == 0 && set.width % patch == 0, ErrorKind::config, "data",
        "shuffle_patches is ", patch, ", which does not divide pictures of ", set.height, "x",
        set.width);
  std::vector<std::uint32_t> order(
      static_cast<std::size_t>(set.height / patch * (set.width / patch)));
  permute(RandomStream(0, "shuffle-patches"), order.size(), order);
  std::vector<std::uint8_t> shuffled(set.pixels.size());
  const std::int64_t plane = set.height * set.width;
  for (std::int64_t i = 0; i < set.count * set.channels; ++i)
    place_patches(set.pixels.data() + i * plane, shuffled.data() + i * plane, set.width, patch,
                  order);
  set.pixels = std::move(shuffled);
}

ImageSet first_pictures(const ImageSet& set, std::int64_t count) {
  const std::int64_t taken = std::min(count, set.count);
  ImageSet first{set.name, taken, set.channels, set.height, set.width, set.classes, {}, {}};
  first.pixels.assign(set.pixels.begin(), set.pixels.begin() + taken * set.image_elements());
  first.labels.assign(set.labels.begin(), set.labels.begin() + taken);
  return first;
}

}  // namespace ffn::inline v0
