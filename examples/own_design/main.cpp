// Registers a design of this program's own beside the library's, matches it to mlp(gelu), and takes
// a step of gradient descent with it.
#include <cstdio>

#include "ffn/autograd/initialize.h"
#include "ffn/feedforward/match.h"
#include "ffn/tensor/host.h"

namespace ffn::inline v0 {
DesignEntry square_gate_design();
}

int main() {
  using namespace ffn;
  DesignRegistry designs = standard_designs();
  designs.add(square_gate_design());

  FeedForwardSite site;
  site.width = 32;
  site.weight_init = {Init::Kind::truncated_normal, 0, 0.1};
  const MatchResult match = match_hidden(designs.parse("square-gate(silu)"),
                                         designs.with_hidden(designs.parse("mlp(gelu)"), 32),
                                         Budget::parameters, site, designs);
  Executor ex(cpu_device(serial_pool()));
  ParameterSet parameters;
  const auto layer = designs.build(match.spec, site, parameters);
  parameters.finalize(ex, DType::f32);
  initialize_all(ex, parameters, 1);

  const TensorSpec rows{{8, 32}, DType::f32, Role::activation};
  const Tensor x = ex.allocate_persistent(rows, Tag::data);
  const Tensor seed = ex.allocate_persistent(rows, Tag::data);
  for (float& value : host_span<float>(x)) value = 0.5f;
  for (float& value : host_span<float>(seed)) value = 1.0f;
  ex.backward(layer->forward(ex, ex.constant(x), /*sequences=*/1), seed);

  double gradient = 0;
  for (const double value : host_values(parameters.gradients())) gradient += value * value;
  std::printf("%s, %.4f of the parameters of mlp(gelu), squared gradient %g\n",
              to_string(match.spec).c_str(), match.ratio, gradient);
  return gradient > 0 && match.ratio > 0.99 && match.ratio < 1.01 ? 0 : 1;
}
