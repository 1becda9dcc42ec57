#include "ffn/train/mix.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "ffn/base/check.h"
#include "ffn/base/faults.h"

namespace ffn::inline v0 {
namespace {

constexpr std::uint64_t kGammaBlocks = std::uint64_t{1} << 15;
constexpr std::uint64_t kBatchBlocks = std::uint64_t{1} << 17;  // the choice, then one Beta

double unit(std::uint32_t word) { return (static_cast<double>(word) + 0.5) * 0x1p-32; }

std::int64_t below(std::uint32_t word, std::int64_t bound) {
  return static_cast<std::int64_t>(
      (static_cast<std::uint64_t>(word) * static_cast<std::uint64_t>(bound)) >> 32);
}

// ln of a Gamma(alpha) variable. An attempt takes one block: words 0, 1 the normal, 2 the
// acceptance; word 3 of the first the boost. An attempt fails less than one time in 20, so 2^15
// never do.
double log_gamma_variable(const RandomStream& stream, std::uint64_t step, std::uint64_t block,
                          double alpha) {
  const double shape = alpha < 1 ? alpha + 1 : alpha;
  const double d = shape - 1.0 / 3, c = 1 / std::sqrt(9 * d);
  const double boost = alpha < 1 ? std::log(unit(stream.words(step, block)[3])) / alpha : 0;
  for (std::uint64_t attempt = block; attempt < block + kGammaBlocks; ++attempt) {
    const double x = stream.normal(step, 4 * attempt);
    const double root = 1 + c * x;
    if (root <= 0) continue;
    const double v = root * root * root;
    const double u = unit(stream.words(step, attempt)[2]);
    if (std::log(u) < 0.5 * x * x + d - d * v + d * std::log(v)) return std::log(d * v) + boost;
  }
  return std::log(d) + boost;
}

}  // namespace

double beta_variable(const RandomStream& stream, std::uint64_t step, std::uint64_t block,
                     double alpha) {
  FFN_ASSERT(alpha > 0);
  const double first = log_gamma_variable(stream, step, block, alpha);
  const double second = log_gamma_variable(stream, step, block + kGammaBlocks, alpha);
  return 1 / (1 + std::exp(second - first));
}

Mixer::Mixer(const AugmentOptions& options, const PictureShape& shape, std::uint64_t seed)
    : options_(options), shape_(shape), stream_(seed, "mix") {
  check_augment(options);
}

MixDraws Mixer::draw(std::uint64_t epoch, std::uint64_t batch) const {
  MixDraws draws;
  if (!options_.mixes()) return draws;
  const std::uint64_t block = kBatchBlocks * batch;
  const PhiloxWords words = stream_.words(epoch, block);
  const bool both = options_.mixup_alpha > 0 && options_.cutmix_alpha > 0;
  const bool cut = both ? unit(words[0]) < options_.switch_probability : options_.cutmix_alpha > 0;
  const double alpha = cut ? options_.cutmix_alpha : options_.mixup_alpha;
  draws.lambda = beta_variable(stream_, epoch, block + 1, alpha);
  draws.kind = cut ? MixKind::cutmix : MixKind::mixup;
  if (!cut) return draws;
  const double ratio = std::sqrt(1 - draws.lambda);
  const auto side = [&](std::int64_t whole) {
    return static_cast<std::int64_t>(static_cast<double>(whole) * ratio);
  };
  const std::int64_t height = side(shape_.height), width = side(shape_.width);
  const std::int64_t row = below(words[1], shape_.height), col = below(words[2], shape_.width);
  draws.top = std::max<std::int64_t>(row - height / 2, 0);
  draws.left = std::max<std::int64_t>(col - width / 2, 0);
  draws.height = std::min(row - height / 2 + height, shape_.height) - draws.top;
  draws.width = std::min(col - width / 2 + width, shape_.width) - draws.left;
  const auto area = static_cast<double>(draws.height * draws.width);
  if (!fault(610)) draws.lambda = 1 - area / static_cast<double>(shape_.height * shape_.width);
  return draws;
}

void Mixer::mix_pair(const MixDraws& draws, std::span<float> a, std::span<float> b) const {
  FFN_ASSERT(a.size() == b.size());
  if (draws.kind == MixKind::mixup) {
    const auto own = static_cast<float>(draws.lambda), other = static_cast<float>(1 - draws.lambda);
    for (std::size_t i = 0; i < a.size(); ++i) {
      const float x = a[i], y = b[i];
      a[i] = own * x + other * y;
      b[i] = own * y + other * x;
    }
  } else if (draws.kind == MixKind::cutmix) {
    for (std::int64_t plane_row = 0; plane_row < shape_.channels * draws.height; ++plane_row) {
      const std::int64_t c = plane_row / draws.height, row = plane_row % draws.height;
      const std::int64_t start = (c * shape_.height + draws.top + row) * shape_.width + draws.left;
      std::swap_ranges(a.begin() + start, a.begin() + start + draws.width, b.begin() + start);
    }
  }
}

void Mixer::target(const MixDraws& draws, std::int32_t label, std::int32_t partner,
                   std::span<float> row) const {
  const double smoothing = options_.label_smoothing;
  const double rest = smoothing / static_cast<double>(row.size());
  const auto share = [&](std::size_t v, std::int32_t of) {
    return static_cast<std::int32_t>(v) == of ? 1 - smoothing + rest : rest;
  };
  for (std::size_t v = 0; v < row.size(); ++v)
    row[v] =
        static_cast<float>(draws.lambda * share(v, label) + (1 - draws.lambda) * share(v, partner));
}

}  // namespace ffn::inline v0
