#include "ffn/feedforward/moe/one_pass.h"

#include <algorithm>

#include "ffn/ops/expert_layer.h"

namespace ffn::inline v0 {
namespace {

// In the mean, of an expert. Below, products read weights more than they compute, and the
// composition splits those over the threads.
constexpr std::int64_t kLeastRows = 8;

}  // namespace

std::optional<Value> one_pass(Executor& ex, const Value& x, const TokenRows& rows,
                              const LayerMaps& maps, std::span<const std::string_view> taps) {
  if (!rows.expert_offsets.defined() || ex.recording()) return std::nullopt;
  if (std::ranges::any_of(taps, [&](std::string_view name) { return ex.tapped(name); }))
    return std::nullopt;
  if (!maps.up.whole() || !maps.down.whole() || (maps.gate != nullptr && !maps.gate->whole()))
    return std::nullopt;
  const std::int64_t E = rows.expert_offsets.shape().count() - 1;
  if (x.rows() < kLeastRows * E) return std::nullopt;
  ExpertLayerWeights weights;
  weights.up = maps.up.weight(ex);
  weights.up_bias = maps.up.bias(ex);
  weights.down = maps.down.weight(ex);
  weights.down_bias = maps.down.bias(ex);
  if (maps.gate != nullptr) {
    weights.gate = maps.gate->weight(ex);
    weights.gate_bias = maps.gate->bias(ex);
  }
  return expert_layer(ex, x, weights, rows.expert_offsets, E, maps.activation);
}

}  // namespace ffn::inline v0
