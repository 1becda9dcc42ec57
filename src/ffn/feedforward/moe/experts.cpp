#include "ffn/feedforward/moe/experts.h"

#include <utility>

#include "ffn/base/error.h"
#include "ffn/feedforward/dense.h"
#include "ffn/ops/indexing.h"

namespace ffn::inline v0 {
namespace {

void check_inner(const FeedForwardSpec& spec, const DesignRegistry& designs) {
  check(designs.takes_experts(spec.nested.at(0)), ErrorKind::config, "design", "'",
        spec.nested[0].design, "' cannot be an expert: experts are linear maps that take every ",
        "token by itself, as mlp, glu and lowrank around them are");
}

FeedForwardSite inner_site(const FeedForwardSite& site, std::int64_t experts) {
  FeedForwardSite inner = site;
  inner.experts = experts;
  inner.name = [name = site.name](std::string_view part) {
    return name(std::string("experts.").append(part));
  };
  inner.expert_name = [name = site.name](std::string_view part, std::int64_t e) {
    return name("experts." + std::to_string(e) + "." + std::string(part));
  };
  return inner;
}

}  // namespace

Experts::Experts(const FeedForwardSpec& spec, const FeedForwardSite& site, ParameterSet& parameters,
                 const DesignRegistry& designs) {
  check_inner(spec, designs);
  layer_ = designs.build(spec.nested.at(0), inner_site(site, experts_of(spec)), parameters);
}

Value Experts::forward(Executor& ex, Value rows, const Tensor& offsets) const {
  const TapScope scope(ex.taps(), "experts");
  TokenRows sorted(1);
  sorted.expert_offsets = offsets;
  return layer_->forward(ex, std::move(rows), sorted);
}

FeedForwardCosts Experts::costs_of_one(const FeedForwardSpec& spec, const FeedForwardSite& site,
                                       const DesignRegistry& designs) {
  check_inner(spec, designs);
  return designs.costs(spec.nested.at(0), site);
}

void append_taps(std::vector<std::string>& names, std::string_view part, const FeedForward& layer) {
  for (const std::string_view name : layer.taps())
    names.push_back(std::string(part).append(".").append(name));
}

Value dispatch(Executor& ex, Value x, const Slots& slots) {
  return gather_rows(ex, std::move(x), slots.token);
}

Value merge(Executor& ex, Value rows, const Value& weights, const Slots& slots, std::int64_t N) {
  return scatter_add_rows(ex, scale_rows(ex, std::move(rows), weights), slots.token, N);
}

}  // namespace ffn::inline v0
