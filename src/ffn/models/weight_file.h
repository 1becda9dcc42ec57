// Weights of a model in one safetensors file, checked to the last one.
#pragma once

#include <span>
#include <string>

#include "ffn/models/stored_weight.h"

namespace ffn::inline v0 {

// Fills the master (and nothing else: call ParameterSet::weights_changed()) of every weight. The
// file may hold f32, bf16, f16 or f64. On a dry device the names and shapes are still checked.
// Errors: io when a tensor is missing, unused, of another shape or without floats, each named with
// what was expected.
void read_weights(Executor& ex, const std::string& path, std::span<const StoredWeight> weights);

// Writes the masters as f32, with metadata format = pt, which transformers asks for. Errors: io.
void write_weights(const std::string& path, std::span<const StoredWeight> weights);

}  // namespace ffn::inline v0
