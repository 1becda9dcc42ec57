// E layers of one design, each over its own rows.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "ffn/feedforward/registry.h"
#include "ffn/ops/routing.h"

namespace ffn::inline v0 {

// The design inside `spec` at a site whose linear maps are one per expert: weights "experts.up"
// [E·H, D] and so on as one matrix, in a file "experts.<e>.up". Rows come sorted by expert, so that
// each map is one grouped product without padding. Taps "experts.<name>".
class Experts {
 public:
  // Errors: config for a design whose rows are not independent or whose weights are no linear maps.
  Experts(const FeedForwardSpec& spec, const FeedForwardSite& site, ParameterSet& parameters,
          const DesignRegistry& designs);
  // rows [R, D] sorted by expert → [R, D].
  Value forward(Executor& ex, Value rows, const Tensor& offsets) const;
  const FeedForward& layer() const { return *layer_; }

  // Of one expert. Errors: as the constructor.
  static FeedForwardCosts costs_of_one(const FeedForwardSpec& spec, const FeedForwardSite& site,
                                       const DesignRegistry& designs);

 private:
  std::unique_ptr<FeedForward> layer_;
};

// DesignEntry::build of a layer over a design: one whose constructor takes the registry too.
template <class Layer>
std::unique_ptr<FeedForward> make_outer_layer(const FeedForwardSpec& spec,
                                              const FeedForwardSite& site, ParameterSet& parameters,
                                              const DesignRegistry& designs) {
  return std::make_unique<Layer>(spec, site, parameters, designs);
}

// What a layer over experts shows of the layer inside: "<part>.<name>" for its taps.
void append_taps(std::vector<std::string>& names, std::string_view part, const FeedForward& layer);

// x's rows in the order of `slots`: a zero row at an empty position.
Value dispatch(Executor& ex, Value x, const Slots& slots);
// y[n] = Σ of weight·row over the positions of row n, summed in their order: [N, D]; 0 where there
// is none.
Value merge(Executor& ex, Value rows, const Value& weights, const Slots& slots, std::int64_t N);

}  // namespace ffn::inline v0
