#include "ffn/autograd/initialize.h"

#include <cmath>
#include <vector>

#include "ffn/base/philox.h"
#include "ffn/tensor/host.h"

namespace ffn::inline v0 {
namespace {

// The first of the element's draws, one per step of the stream, that lies within ±2.
double truncated_normal(const RandomStream& stream, std::uint64_t element) {
  for (std::uint64_t attempt = 0;; ++attempt) {
    const double z = stream.normal(attempt, element);
    if (std::abs(z) <= 2) return z;
  }
}

double unit_value(Init::Kind kind, const RandomStream& stream, std::uint64_t element) {
  switch (kind) {
    case Init::Kind::constant: return 0;
    case Init::Kind::normal: return stream.normal(0, element);
    case Init::Kind::truncated_normal: return truncated_normal(stream, element);
    case Init::Kind::uniform: return 2 * static_cast<double>(stream.uniform(0, element)) - 1;
  }
  return 0;
}

void initialize_parts(Executor& executor, Parameter& parameter, std::uint64_t seed,
                      std::span<const InitPart> parts) {
  if (executor.dry()) return;
  const RandomStream stream(seed, parameter.name);
  std::vector<double> values;
  for (const auto& [elements, init] : parts)
    for (std::int64_t i = 0; i < elements; ++i)
      values.push_back(init.mean + init.std * unit_value(init.kind, stream, values.size()));
  set_host_values(parameter.stored(), values);
}

}  // namespace

void initialize(Executor& executor, Parameter& parameter, std::uint64_t seed, const Init& init) {
  const InitPart whole[] = {{parameter.shape.count(), init}};
  initialize_parts(executor, parameter, seed, whole);
}

void initialize_all(Executor& executor, ParameterSet& parameters, std::uint64_t seed) {
  for (Parameter& parameter : parameters.all()) {
    if (!parameter.trainable() && !parameter.options.frozen) continue;
    const ParameterOptions& options = parameter.options;
    if (options.parts.empty()) {
      initialize(executor, parameter, seed, options.init);
    } else {
      initialize_parts(executor, parameter, seed, options.parts);
    }
  }
  parameters.weights_changed(executor);
}

void initialize_normal(Executor& executor, Parameter& parameter, std::uint64_t seed, double std,
                       double mean) {
  initialize(executor, parameter, seed, {Init::Kind::normal, mean, std});
}

void initialize_constant(Executor& executor, Parameter& parameter, double value) {
  initialize(executor, parameter, 0, {Init::Kind::constant, value, 0});
}

}  // namespace ffn::inline v0
