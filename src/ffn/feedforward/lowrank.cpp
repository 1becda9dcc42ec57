// lowrank(DESIGN, rank=R): every linear map of the design inside is W = B·A, A [R, in] without a
// bias and B [out, R] with the map's: y = (x·Aᵀ)·Bᵀ + b.
// The rest is the design inside: its hidden width, its activations, its taps. Each map of
// out × in weights has R·(out + in) instead and as many multiply-adds for a token. Factors are
// drawn so that B·A has entries of the spread that W's would have. A rank above a side of a map
// is refused, since it would save nothing; so is a design with weights that are not such maps.
// Source: Denil et al., Predicting parameters in deep learning, 2013; Sainath et al., Low-rank
// matrix factorization for deep neural network training, 2013; both factor one layer, here all.
#include "ffn/base/error.h"
#include "ffn/feedforward/dense.h"

namespace ffn::inline v0 {
namespace {

// The site of the design inside.
FeedForwardSite inner_site(const FeedForwardSpec& spec, const FeedForwardSite& site,
                           const DesignRegistry& designs) {
  const FeedForwardSpec& inner = spec.nested.at(0);
  check(designs.at(inner.design).takes_rank, ErrorKind::config, "design", "lowrank: the maps of ",
        inner.design, " cannot be factored");
  check(spec.options.contains("rank"), ErrorKind::config, "design",
        "lowrank has no rank; expected rank=R, as in lowrank(mlp(gelu), rank=64)");
  FeedForwardSite made = site;
  made.rank = integer_option(spec, "rank", 0, 1, 1 << 16);
  return made;
}

FeedForwardCosts lowrank_costs(const FeedForwardSpec& spec, const FeedForwardSite& site,
                               const DesignRegistry& designs) {
  return designs.costs(spec.nested.at(0), inner_site(spec, site, designs));
}

std::unique_ptr<FeedForward> build_lowrank(const FeedForwardSpec& spec, const FeedForwardSite& site,
                                           ParameterSet& parameters,
                                           const DesignRegistry& designs) {
  return designs.build(spec.nested.at(0), inner_site(spec, site, designs), parameters);
}

}  // namespace

DesignEntry lowrank_design() {
  return {.name = "lowrank",
          .summary = "the design inside with every linear map a product of two",
          .source = "Denil et al. 2013, Sainath et al. 2013",
          .argument = DesignArgument::design,
          .options = {{"rank", "R, the width between the two factors"}},
          .costs = lowrank_costs,
          .build = build_lowrank};
}

}  // namespace ffn::inline v0
