// First values of weights, keyed by the parameter's name (see Init in parameters.h).
#pragma once

#include <cstdint>

#include "ffn/autograd/parameters.h"

namespace ffn::inline v0 {

// Writes the master as `init` says. Call ParameterSet::weights_changed() when all are done. Does
// nothing on a dry device.
void initialize(Executor& executor, Parameter& parameter, std::uint64_t seed, const Init& init);
// Every trainable weight by its own options.parts or .init, then weights_changed().
void initialize_all(Executor& executor, ParameterSet& parameters, std::uint64_t seed);

// The two kinds that tests and small programs want most.
void initialize_normal(Executor& executor, Parameter& parameter, std::uint64_t seed, double std,
                       double mean = 0);
// w[i] = value.
void initialize_constant(Executor& executor, Parameter& parameter, double value);

}  // namespace ffn::inline v0
