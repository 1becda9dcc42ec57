// Whole layers as one operation, where nobody looks inside.
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

// dense_layer() of x's rows, or at a site of experts expert_layer(); nothing where its composition
// must run instead: where one of `taps` is set, where a map is more than one plain matrix, with so
// few rows that threads would be left without work, and at a site of experts while recording.
std::optional<Value> one_pass(Executor& ex, const Value& x, const TokenRows& rows,
                              const LayerMaps& maps, std::span<const std::string_view> taps);

}  // namespace ffn::inline v0
