// A small classifier, y = W₂·gelu(W₁·x), takes one step on the best kernels of this machine. What
// the step needs is predicted by a dry run, then measured: the two are equal to the byte.
#include <cstdlib>
#include <iostream>

#include "ffn/autograd/executor.h"
#include "ffn/autograd/initialize.h"
#include "ffn/autograd/parameters.h"
#include "ffn/base/philox.h"
#include "ffn/ops/activation.h"
#include "ffn/ops/cross_entropy.h"
#include "ffn/ops/linear.h"
#include "ffn/tensor/host.h"

namespace {

constexpr std::int64_t N = 256, D = 64, H = 256, V = 10;  // rows, width, hidden width, classes

ffn::PlanReport take_step(const ffn::Device& device) {
  ffn::Executor ex(device);
  ffn::ParameterSet parameters;
  ffn::Parameter& w1 = parameters.add("w1", {H, D});
  ffn::Parameter& w2 = parameters.add("w2", {V, H});
  parameters.finalize(ex, ffn::DType::f32);
  ffn::initialize_normal(ex, w1, /*seed=*/1, /*std=*/0.125);
  ffn::initialize_normal(ex, w2, /*seed=*/1, /*std=*/0.0625);
  parameters.weights_changed(ex);

  const ffn::Tensor x = ex.allocate_persistent({{N, D}, ffn::DType::f32}, ffn::Tag::data);
  const ffn::Tensor targets = ex.allocate_persistent({{N}, ffn::DType::i32}, ffn::Tag::data);
  if (!ex.dry()) {
    const ffn::RandomStream stream(/*seed=*/1, "x");
    for (std::int64_t row = 0; row < N; ++row) {
      targets.data_as<std::int32_t>()[row] = static_cast<std::int32_t>(row % V);
      for (std::int64_t col = 0; col < D; ++col)
        x.data_as<float>()[row * D + col] =
            stream.uniform(0, static_cast<std::uint64_t>(row * D + col));
    }
  }

  const ffn::StepScope step(ex);
  ffn::Value h = ffn::linear(ex, ex.constant(x), ex.parameter(w1));  // [N, H]
  h = ffn::gelu(ex, std::move(h));
  const ffn::Value y = ffn::linear(ex, std::move(h), ex.parameter(w2));  // [N, V]
  const ffn::Value loss = ffn::cross_entropy(ex, y, targets);            // [1, 1]
  ex.backward(loss);
  if (!ex.dry()) std::cout << "loss " << ffn::host_values(loss.tensor)[0] << '\n';
  return ex.report();
}

}  // namespace

int main() {
  const auto threads = ffn::make_thread_pool(ffn::available_threads());
  const ffn::Device device = ffn::cpu_device(*threads);
  const ffn::PlanReport predicted = take_step(ffn::dry_device(device));
  const ffn::PlanReport measured = take_step(device);
  std::cout << device.name << ": predicted " << predicted.peak_bytes << " bytes, measured "
            << measured.peak_bytes << " bytes (peak in " << measured.peak_where << ")\n";
  return predicted.peak_bytes == measured.peak_bytes ? EXIT_SUCCESS : EXIT_FAILURE;
}
