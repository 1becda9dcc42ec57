// Experts in one pass over their rows, where nothing has to be kept.
#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "ffn/feedforward/linear_map.h"
#include "ffn/ops/activation.h"

namespace ffn::inline v0 {

// The maps of a gated (gate not null) or plain layer.
struct LayerMaps {
  const LinearMap* gate;
  const LinearMap& up;
  const LinearMap& down;
  Activation activation;
};

// expert_layer() of x's rows at a site of experts; nothing where its composition must run instead:
// while recording, where one of `taps` is set, where a map is more than one matrix, with so few
// rows that one expert's would leave threads without work, and elsewhere than at such a site.
std::optional<Value> one_pass(Executor& ex, const Value& x, const TokenRows& rows,
                              const LayerMaps& maps, std::span<const std::string_view> taps);

}  // namespace ffn::inline v0
