#include "ffn/inference/sampler.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "ffn/base/error.h"

namespace ffn::inline v0 {
namespace {

void check_options(const SamplerOptions& o) {
  const auto require = [](bool good, const char* name, double value, const char* expected) {
    check(good, ErrorKind::config, "sampling", name, " is ", value, "; it must be ", expected);
  };
  require(o.temperature >= 0 && std::isfinite(o.temperature), "temperature",
          static_cast<double>(o.temperature), "a number from 0 on");
  require(o.top_k >= 0, "top_k", static_cast<double>(o.top_k), "0 (all) or more");
  require(o.top_p > 0 && o.top_p <= 1, "top_p", static_cast<double>(o.top_p),
          "above 0 and at most 1");
  require(o.min_p >= 0 && o.min_p <= 1, "min_p", static_cast<double>(o.min_p), "from 0 to 1");
}

}  // namespace

Sampler::Sampler(const SamplerOptions& options)
    : options_(options), stream_(options.seed, "sample") {
  check_options(options);
}

std::int32_t Sampler::choose(std::span<const float> logits, std::uint64_t step) {
  std::size_t likeliest = 0;
  for (std::size_t i = 0; i < logits.size(); ++i) {
    check(!std::isnan(logits[i]), ErrorKind::io, "sampling", "the model's logit of id ", i,
          " is not a number; its weights are damaged");
    if (logits[i] > logits[likeliest]) likeliest = i;
  }
  check(!logits.empty() && std::isfinite(logits[likeliest]), ErrorKind::io, "sampling",
        "the model's logits have no finite maximum; its weights are damaged");
  if (options_.temperature == 0) return static_cast<std::int32_t>(likeliest);
  const float largest = logits[likeliest] / options_.temperature;
  // Below the threshold of min_p nothing survives, whatever comes before.
  const float least = options_.min_p > 0 && options_.top_p == 1
                          ? largest + std::log(options_.min_p)
                          : -std::numeric_limits<float>::infinity();
  candidates_.clear();
  for (std::size_t i = 0; i < logits.size(); ++i) {
    const float logit = logits[i] / options_.temperature;
    if (logit >= least) candidates_.push_back({logit, static_cast<std::int32_t>(i)});
  }
  return draw(largest, step);
}

void Sampler::order_first(std::size_t count) {
  const auto likelier = [](const Candidate& a, const Candidate& b) {
    return a.logit != b.logit ? a.logit > b.logit : a.id < b.id;
  };
  const auto middle = candidates_.begin() + static_cast<std::ptrdiff_t>(count);
  std::partial_sort(candidates_.begin(), middle, candidates_.end(), likelier);
}

// Twice as many are put in order until they reach p: mostly a few dozen of a vocabulary do.
void Sampler::keep_top_p(float largest) {
  double total = 0;
  for (const Candidate& c : candidates_) total += std::exp(static_cast<double>(c.logit - largest));
  const double wanted = static_cast<double>(options_.top_p) * total;
  for (std::size_t ordered = 64;; ordered *= 2) {
    ordered = std::min(ordered, candidates_.size());
    order_first(ordered);
    double sum = 0;
    for (std::size_t i = 0; i < ordered; ++i) {
      sum += std::exp(static_cast<double>(candidates_[i].logit - largest));
      if (sum >= wanted) return candidates_.resize(i + 1);
    }
    if (ordered == candidates_.size()) return;
  }
}

std::int32_t Sampler::draw(float largest, std::uint64_t step) {
  if (options_.top_k > 0 && static_cast<std::size_t>(options_.top_k) < candidates_.size()) {
    order_first(static_cast<std::size_t>(options_.top_k));
    candidates_.resize(static_cast<std::size_t>(options_.top_k));
  }
  if (options_.top_p < 1) keep_top_p(largest);
  if (options_.min_p > 0) {
    const float least = largest + std::log(options_.min_p);
    std::erase_if(candidates_, [least](const Candidate& c) { return c.logit < least; });
  }
  double total = 0;
  for (const Candidate& c : candidates_) total += std::exp(static_cast<double>(c.logit - largest));
  double left = static_cast<double>(stream_.uniform(step, 0)) * total;
  for (const Candidate& c : candidates_) {
    left -= std::exp(static_cast<double>(c.logit - largest));
    if (left <= 0) return c.id;
  }
  return candidates_.back().id;  // what rounding left over
}

}  // namespace ffn::inline v0
