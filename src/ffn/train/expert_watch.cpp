#include "ffn/train/expert_watch.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "ffn/base/error.h"
#include "ffn/base/faults.h"
#include "ffn/tensor/host.h"

namespace ffn::inline v0 {
namespace {

std::vector<float> floats_of(const Tensor& tensor) {
  const std::vector<double> values = host_values(tensor);
  return {values.begin(), values.end()};
}

std::int32_t argmax(std::span<const float> values) {
  return static_cast<std::int32_t>(std::ranges::max_element(values) - values.begin());
}

}  // namespace

std::vector<std::string> feed_forward_taps(const ModelConfig& config,
                                           const DesignRegistry& designs) {
  const FeedForwardSite site = feed_forward_site(config);
  ParameterSet weights;  // declared, never allocated
  const auto layer =
      designs.build(designs.with_hidden(feed_forward_of(config), site.width), site, weights);
  return {layer->taps().begin(), layer->taps().end()};
}

ExpertWatch::ExpertWatch(Executor& ex, std::span<const std::string> taps) : ex_(ex) {
  const auto has = [&](const std::string& name) {
    return std::ranges::find(taps, name) != taps.end();
  };
  constexpr std::string_view kName = "router";
  for (const std::string& tap : taps) {
    const std::string prefix = tap.substr(0, tap.size() - std::min(tap.size(), kName.size()));
    if (tap != prefix + std::string(kName) || (!prefix.empty() && prefix.back() != '.')) continue;
    Router& router = routers_.emplace_back();
    router.part = prefix.empty() ? "" : prefix.substr(0, prefix.size() - 1);
    router.has_choice = has(prefix + "choice");
    router.has_dispatch = has(prefix + "dispatch");
  }
  // Their places are final: taps hold them.
  for (Router& router : routers_) watch(router, router.part.empty() ? "" : router.part + ".");
}

ExpertWatch::~ExpertWatch() {
  for (const std::string& name : set_taps_) ex_.taps().set(name, {});
}

void ExpertWatch::watch(Router& router, const std::string& prefix) {
  using Read = void (ExpertWatch::*)(Router&, const Tensor&);
  const auto set = [&](const char* name, Read read) {
    ex_.taps().set(prefix + name, {[this, read, &router](const Tensor& tensor) {
                                     if (!ex_.dry()) (this->*read)(router, tensor);
                                   },
                                   nullptr});
    set_taps_.push_back(prefix + name);
  };
  set("router", &ExpertWatch::read_router);
  if (router.has_choice) set("choice", &ExpertWatch::read_choice);
  if (router.has_dispatch) set("dispatch", &ExpertWatch::read_dispatch);
}

void ExpertWatch::begin_pass(const Tensor& labels) {
  labels_.clear();
  if (labels.defined() && !ex_.dry()) {
    const std::span<const std::int32_t> values = host_span<std::int32_t>(labels);
    labels_.assign(values.begin(), values.end());
  }
  for (Router& router : routers_) router.passed = 0;
}

void ExpertWatch::keep_choices(std::int64_t tokens) { kept_tokens_ = tokens; }

void ExpertWatch::count_rows(std::int64_t rows) {
  counts_.assign(static_cast<std::size_t>(rows), 1);
  if (labels_.empty() || fault(617)) return;
  check(counts_.size() % labels_.size() == 0, ErrorKind::shape, "router", rows, " rows for ",
        labels_.size(), " labels");
  const std::size_t each = counts_.size() / labels_.size();
  for (std::size_t row = 0; row < counts_.size(); ++row) counts_[row] = labels_[row / each] >= 0;
}

RouterLoad& ExpertWatch::next_layer(Router& router, std::int64_t experts) {
  const auto layer = static_cast<std::size_t>(router.passed++);
  if (layer == router.layers.size()) {
    router.layers.emplace_back().place = {static_cast<std::int64_t>(layer), router.part};
    router.choices.emplace_back();
  }
  RouterLoad& load = router.layers[layer];
  load.load.slots.resize(static_cast<std::size_t>(experts));
  return load;
}

void ExpertWatch::keep_choice(Router& router, std::int32_t expert) const {
  std::vector<std::int32_t>& kept = router.choices[static_cast<std::size_t>(router.passed - 1)];
  if (std::cmp_less(kept.size(), kept_tokens_)) kept.push_back(expert);
}

void ExpertWatch::read_router(Router& router, const Tensor& values) {
  count_rows(values.rows());
  ExpertLoad& load = next_layer(router, values.cols()).load;
  const auto E = static_cast<std::size_t>(values.cols());
  const bool plain = values.dtype() == DType::f32 && values.contiguous();
  const std::vector<float> copied = plain ? std::vector<float>() : floats_of(values);
  const std::span<const float> all =
      plain ? std::span<const float>(host_span<float>(values)) : copied;
  for (std::size_t row = 0; row < counts_.size(); ++row) {
    if (counts_[row] == 0) continue;
    const std::span<const float> one = all.subspan(row * E, E);
    ++load.tokens;
    load.entropy_sum += router.has_dispatch ? softmax_entropy(one) : weights_entropy(one);
    if (!router.has_choice) keep_choice(router, argmax(one));
    if (router.has_dispatch) continue;
    for (std::size_t e = 0; e < E; ++e)
      if (one[e] > 0) load.slots[e] += static_cast<double>(one[e]);
  }
}

void ExpertWatch::read_choice(Router& router, const Tensor& expert) {
  RouterLoad& layer = router.layers[static_cast<std::size_t>(router.passed - 1)];
  layer.top = expert.cols();
  const auto K = static_cast<std::size_t>(expert.cols());
  const std::span<const std::int32_t> chosen = host_span<std::int32_t>(expert);
  for (std::size_t row = 0; row < counts_.size(); ++row) {
    if (counts_[row] == 0) continue;
    for (std::size_t k = 0; k < K; ++k)
      layer.load.slots.at(static_cast<std::size_t>(chosen[row * K + k])) += 1;
    keep_choice(router, chosen[row * K]);
    layer.load.offered += expert.cols();
    layer.load.dropped += expert.cols();  // until it is seen to be served
  }
}

void ExpertWatch::read_dispatch(Router& router, const Tensor& token) {
  RouterLoad& layer = router.layers[static_cast<std::size_t>(router.passed - 1)];
  const std::span<const std::int32_t> tokens = host_span<std::int32_t>(token);
  if (!router.has_choice) {
    read_tokens_of_experts(layer, tokens);
    return;
  }
  for (const std::int32_t row : tokens)
    if (row >= 0 && counts_[static_cast<std::size_t>(row)] != 0) --layer.load.dropped;
}

// The positions of an expert stand together, as many as of every other.
void ExpertWatch::read_tokens_of_experts(RouterLoad& load,
                                         std::span<const std::int32_t> tokens) const {
  const std::size_t each = tokens.size() / load.load.slots.size();
  std::vector<char> missed = counts_;
  for (std::size_t position = 0; position < tokens.size(); ++position) {
    if (tokens[position] < 0) continue;
    const auto row = static_cast<std::size_t>(tokens[position]);
    load.load.slots.at(position / each) += counts_[row];
    missed[row] = 0;
  }
  load.load.offered += std::accumulate(counts_.begin(), counts_.end(), std::int64_t{0});
  load.load.dropped += std::accumulate(missed.begin(), missed.end(), std::int64_t{0});
}

std::size_t ExpertWatch::depth() const {
  std::size_t layers = 0;
  for (const Router& router : routers_) layers = std::max(layers, router.layers.size());
  return layers;
}

std::vector<RouterLoad> ExpertWatch::loads() const {
  std::vector<RouterLoad> all;
  for (std::size_t layer = 0; layer < depth(); ++layer)
    for (const Router& router : routers_)
      if (layer < router.layers.size()) all.push_back(router.layers[layer]);
  return all;
}

std::vector<RouterHealth> ExpertWatch::take() {
  std::vector<RouterHealth> found;
  for (std::size_t layer = 0; layer < depth(); ++layer) {
    for (Router& router : routers_) {
      if (layer >= router.layers.size()) continue;
      RouterLoad& counted = router.layers[layer];
      if (counted.load.tokens > 0)
        found.push_back({counted.place, counted.top, health_of(counted.load),
                         std::exchange(router.choices[layer], {})});
      counted.load = {};
    }
  }
  kept_tokens_ = 0;
  return found;
}

bool ExpertWatch::first_collapse(const RouterPlace& place) {
  for (Router& router : routers_)
    for (RouterLoad& layer : router.layers)
      if (layer.place == place) return !std::exchange(layer.warned, true);
  return false;
}

void ExpertWatch::restore(const std::vector<RouterLoad>& loads) {
  for (Router& router : routers_) {
    router.layers.clear();
    for (const RouterLoad& load : loads)
      if (load.place.part == router.part) router.layers.push_back(load);
    router.choices.assign(router.layers.size(), {});
  }
}

}  // namespace ffn::inline v0
