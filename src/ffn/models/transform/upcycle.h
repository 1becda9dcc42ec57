// Upcycling: a trained dense model becomes one with experts, so that its training is not lost.
#pragma once

#include <string>
#include <vector>

#include "ffn/models/model_config.h"

namespace ffn::inline v0 {

// The design of the new model: `target`, which holds the dense model's own design, with its hidden
// width. Inside it may be written without the width; with one it must be the same. Errors: config.
FeedForwardSpec upcycled_spec(const FeedForwardSpec& target, const FeedForwardSpec& dense,
                              std::int64_t width, const DesignRegistry& designs);

// What went where.
struct Upcycled {
  std::int64_t copied = 0;         // tensors that came from the dense model
  std::vector<std::string> fresh;  // names of those that it has not: routers, slots, low-rank parts
};

// Fills the weights of a model of `target` design from <folder>/model.safetensors of a dense one,
// all names checked as read_weights() does. Every expert is a copy of the dense layer, as is a
// shared expert; where there is one, the routed experts' down projections are 0 instead, so that
// they start by adding nothing. What the dense model has not keeps its first values.
// The new model then computes the same where the experts' weights sum to 1: bit for bit for moe
// with top=1, within 4·K ulp of the largest term for more, bit for bit for deepseek-moe with
// shared=1 and lora-moe. switch weighs by the probability, expert-choice and soft-moe mix: these
// start elsewhere. Errors: config when the shared layer is not as wide as the dense one; io.
// Source: Komatsuzaki et al., Sparse upcycling, 2022; routers there are normal of deviation 0.02,
// here as the design starts them, and the optimizer starts anew.
Upcycled upcycle_weights(Executor& ex, const std::string& folder, const FeedForwardSpec& target,
                         const std::vector<StoredWeight>& stored, ParameterSet& parameters);

// Fills a model's weights from a folder of the same model, or of the dense one that it is the
// upcycled form of, which is said through the event sink. Errors: as both.
void start_weights(Executor& ex, const std::string& folder, const FeedForwardSpec& design,
                   const std::vector<StoredWeight>& stored, ParameterSet& parameters);

}  // namespace ffn::inline v0
