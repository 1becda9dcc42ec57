#include "ffn/feedforward/one_pass.h"

#include <algorithm>

#include "ffn/autograd/prepared.h"
#include "ffn/ops/expert_layer.h"
#include "ffn/ops/fused/dense_layer.h"

namespace ffn::inline v0 {
namespace {

// Of an expert in the mean, and of a dense layer. Below, products read weights more than they
// compute, and the composition splits those over the threads.
constexpr std::int64_t kLeastRows = 8;

LayerWeights weights_of(Executor& ex, const LayerMaps& maps) {
  LayerWeights weights;
  weights.up = maps.up.weight(ex);
  weights.up_bias = maps.up.bias(ex);
  weights.down = maps.down.weight(ex);
  weights.down_bias = maps.down.bias(ex);
  if (maps.gate != nullptr) {
    weights.gate = maps.gate->weight(ex);
    weights.gate_bias = maps.gate->bias(ex);
  }
  return weights;
}

bool is_plain(const Value& weight) {
  return weight.tensor.dtype() != DType::f16 && !is_block(weight.tensor.dtype());
}

bool all_plain(const LayerWeights& weights) {
  return is_plain(weights.up) && is_plain(weights.down) &&
         (!weights.gate.defined() || is_plain(weights.gate));
}

// The weights once more, in the kernels' order, where the executor keeps such forms.
Tensor packed_weights(Executor& ex, const LayerMaps& maps, std::int64_t experts, DType x) {
  if (ex.prepared() == nullptr) return {};
  return ex.prepared()->packed_layer(
      ex, {maps.gate != nullptr ? &maps.gate->weight_parameter() : nullptr,
           &maps.up.weight_parameter(), &maps.down.weight_parameter(), experts, x});
}

std::optional<Value> dense_pass(Executor& ex, const Value& x, const LayerMaps& maps) {
  if (x.rows() <= kLeastRows) return std::nullopt;
  LayerWeights weights = weights_of(ex, maps);
  if (!all_plain(weights)) return std::nullopt;
  weights.packed = packed_weights(ex, maps, 1, x.tensor.dtype());
  const bool store = ex.memory_mode() == MemoryMode::store;
  return dense_layer(ex, x, weights, maps.activation, 1,
                     store ? HiddenMemory::store : HiddenMemory::recompute);
}

}  // namespace

std::optional<Value> one_pass(Executor& ex, const Value& x, const TokenRows& rows,
                              const LayerMaps& maps, std::span<const std::string_view> taps) {
  if (std::ranges::any_of(taps, [&](std::string_view name) { return ex.tapped(name); }))
    return std::nullopt;
  if (!maps.up.whole() || !maps.down.whole() || (maps.gate != nullptr && !maps.gate->whole()))
    return std::nullopt;
  if (!rows.expert_offsets.defined()) return dense_pass(ex, x, maps);
  const std::int64_t E = rows.expert_offsets.shape().count() - 1;
  if (ex.recording() || x.rows() < kLeastRows * E) return std::nullopt;
  LayerWeights weights = weights_of(ex, maps);
  if (!all_plain(weights)) return std::nullopt;
  weights.packed = packed_weights(ex, maps, E, x.tensor.dtype());
  return expert_layer(ex, x, weights, rows.expert_offsets, E, maps.activation);
}

}  // namespace ffn::inline v0
