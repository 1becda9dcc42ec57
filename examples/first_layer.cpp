// A feed-forward layer from its text form: what it costs, and its output. README.md shows the part
// between the marks (tools/check_readme compares them).
#include <cstdio>

#include "ffn/autograd/initialize.h"
#include "ffn/base/philox.h"
#include "ffn/feedforward/registry.h"
#include "ffn/tensor/host.h"

int main() {
  using namespace ffn;
  const auto threads = make_thread_pool(available_threads());
  Executor ex(cpu_device(*threads));
  const EvalScope inference(ex);
  const Tensor x =
      ex.allocate_persistent({{64, 192}, DType::f32, Role::activation}, Tag::data);  // [N, D]
  const RandomStream numbers(1, "x");
  std::uint64_t i = 0;
  for (float& value : host_span<float>(x)) value = numbers.uniform(0, i++) - 0.5f;

  // readme: begin
  const DesignRegistry& designs = standard_designs();
  FeedForwardSite site;
  site.width = x.cols();
  site.weight_init = {Init::Kind::truncated_normal, 0, 0.02};
  const FeedForwardSpec spec = designs.with_hidden(designs.parse("glu(silu)"), site.width);
  const FeedForwardCosts costs = designs.costs(spec, site);  // parameters, flops, bytes a token

  ParameterSet parameters;
  const auto layer = designs.build(spec, site, parameters);
  parameters.finalize(ex, DType::f32);
  initialize_all(ex, parameters, /*seed=*/1);
  const Tensor y = layer->forward(ex, ex.constant(x), /*sequences=*/1).tensor;  // [N, D]
  // readme: end
  std::printf("%s: %lld parameters, %lld flops per token, first output %g, peak %lld bytes\n",
              to_string(spec).c_str(), static_cast<long long>(costs.parameters),
              static_cast<long long>(costs.flops_per_token), host_values(y)[0],
              static_cast<long long>(ex.report().peak_bytes));
}
