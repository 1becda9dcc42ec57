// The weights of a feed-forward layer as the operations that compute it whole take them.
#pragma once

#include "ffn/autograd/executor.h"

namespace ffn::inline v0 {

// One layer, or E of them one below the other: gate and up [E·H, D], down [E·D, H], biases [E, H],
// [E, H] and [E, D]. No gate: a plain layer. Biases may be undefined.
struct LayerWeights {
  Value gate, up, down;
  Value gate_bias, up_bias, down_bias = {};
  // What PreparedWeights::packed_layer made of them; without a tape only, and may be undefined.
  Tensor packed = {};
};

// Which of the optional ones there are, in the order in which they follow up and down as inputs.
struct OptionalWeights {
  bool gate, gate_bias, up_bias, down_bias;

  explicit OptionalWeights(const LayerWeights& weights)
      : gate(weights.gate.defined()),
        gate_bias(weights.gate_bias.defined()),
        up_bias(weights.up_bias.defined()),
        down_bias(weights.down_bias.defined()) {}
  std::int64_t maps() const { return gate ? 3 : 2; }
};
inline void push_weights(Values& inputs, const LayerWeights& weights) {
  inputs.push_back(weights.up);
  inputs.push_back(weights.down);
  for (const Value* value :
       {&weights.gate, &weights.gate_bias, &weights.up_bias, &weights.down_bias})
    if (value->defined()) inputs.push_back(*value);
}

}  // namespace ffn::inline v0
