// Equal budgets: the hidden width at which one design costs what another does.
#pragma once

#include "ffn/feedforward/registry.h"

namespace ffn::inline v0 {

// What is made equal: parameters, those that one token meets, flops of one token, or bytes read for
// a single token.
enum class Budget { parameters, active_parameters, flops, bytes };

// "params", "active", "flops", "bytes". Errors: config.
Budget parse_budget(std::string_view text);

struct MatchResult {
  FeedForwardSpec spec;  // with hidden written out
  double ratio = 0;      // its budget over the wanted one
};

// The multiple of 8 (of 1, or of the design's own unit, below 64) nearest to where `spec` costs
// what `target` does at this site. A hidden width or ratio that `spec` already has is an
// Error{config}: it would be ignored; so is a budget that even one neuron exceeds.
MatchResult match_hidden(const FeedForwardSpec& spec, const FeedForwardSpec& target, Budget budget,
                         const FeedForwardSite& site, const DesignRegistry& designs);

}  // namespace ffn::inline v0
