#include "ffn/autograd/initialize.h"

#include <vector>

#include "ffn/base/philox.h"
#include "ffn/tensor/host.h"

namespace ffn::inline v0 {

void initialize_normal(Executor& executor, Parameter& parameter, std::uint64_t seed, double std,
                       double mean) {
  if (executor.dry()) return;
  const RandomStream stream(seed, parameter.name);
  std::vector<double> values(static_cast<std::size_t>(parameter.shape.count()));
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = mean + std * stream.normal(0, i);
  set_host_values(parameter.master, values);
}

void initialize_constant(Executor& executor, Parameter& parameter, double value) {
  if (executor.dry()) return;
  const std::vector<double> values(static_cast<std::size_t>(parameter.shape.count()), value);
  set_host_values(parameter.master, values);
}

}  // namespace ffn::inline v0
