// First values of weights, keyed by the parameter's name: two models with one seed share every
// weight of equal name and shape, whatever else they contain.
#pragma once

#include <cstdint>

#include "ffn/autograd/parameters.h"

namespace ffn::inline v0 {

// w[i] = mean + std·z, z = the i-th standard normal of the stream (seed, parameter.name). Writes
// the master; call ParameterSet::weights_changed() when all are done. Does nothing on a dry device.
void initialize_normal(Executor& executor, Parameter& parameter, std::uint64_t seed, double std,
                       double mean = 0);
// w[i] = value.
void initialize_constant(Executor& executor, Parameter& parameter, double value);

}  // namespace ffn::inline v0
