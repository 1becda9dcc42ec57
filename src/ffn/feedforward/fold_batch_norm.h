// Batch norms multiplied into the maps before them: fewer passes over memory in inference.
//   y = (W·x + b − μ)·g + β with g = γ/√(σ² + eps)  =  (g·W)·x + ((b − μ)·g + β),
// g per output of the map; a depthwise convolution likewise, per channel. It is exact because each
// norm stands behind its map: a convolution pads its input with zeros before the norm sees
// anything.
#pragma once

#include "ffn/feedforward/registry.h"

namespace ffn::inline v0 {

// The design, or a design inside it, has batch norms that norm=none leaves out.
bool can_fold(const FeedForwardSpec& spec, const DesignRegistry& designs = standard_designs());

// The same design with norm=none. Errors: config when it cannot be folded.
FeedForwardSpec folded(const FeedForwardSpec& spec,
                       const DesignRegistry& designs = standard_designs());

// Fills the weights of a model `to` from one, `from`, that is the same but for the batch norms
// "m_norm" of maps "m" (running statistics "m_norm.running_mean", "m_norm.running_var"): weights m
// by the equation above, in double; all other weights and states equal. A map without bias counts
// as b = 0. Errors: config naming what `to` lacks, as the bias of a map, when it was built in a
// site without biases.
void copy_folded(Executor& ex, ParameterSet& from, ParameterSet& to);

}  // namespace ffn::inline v0
