// The fused small network against the chain of operations it stands for; what it keeps and counts.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "ffn/base/philox.h"
#include "ffn/ops/activation.h"
#include "ffn/ops/linear.h"
#include "ffn/ops/tiny_network.h"
#include "ffn/tensor/host.h"
#include "support/op_run.h"

namespace ffn::test {
namespace {

std::vector<double> random_values(std::string_view name, std::int64_t count, float scale) {
  const RandomStream stream(3, name);
  std::vector<double> values;
  for (std::int64_t i = 0; i < count; ++i) {
    const float value = 2 * stream.uniform(0, static_cast<std::uint64_t>(i)) - 1;
    values.push_back(static_cast<double>(scale * value));
  }
  return values;
}

Tensor tensor_of(Executor& ex, const Shape& shape, const std::vector<double>& values) {
  const Tensor tensor = ex.allocate({shape, DType::f32});
  set_host_values(tensor, values);
  return tensor;
}

struct Results {
  std::vector<double> y, dx, dweights;
};

struct Problem {
  TinyNetworkShape shape;
  std::int64_t rows;
  std::vector<double> x, weights, dy;

  Problem(const TinyNetworkShape& network, std::int64_t N)
      : shape(network),
        rows(N),
        x(random_values("x", N * network.in, 1)),
        weights(random_values("weights", network.weights(),
                              std::sqrt(6.0f / static_cast<float>(network.width)))),
        dy(random_values("dy", N * network.out, 1)) {}
};

Results run_fused(const Device& device, const Problem& problem) {
  Executor ex(device);
  const Value x = ex.leaf(tensor_of(ex, {problem.rows, problem.shape.in}, problem.x));
  const Value weights = ex.leaf(tensor_of(ex, {problem.shape.weights()}, problem.weights));
  const Value y = tiny_network(ex, x, weights, problem.shape);
  ex.backward(y, tensor_of(ex, y.shape(), problem.dy));
  return {host_values(y.tensor), host_values(ex.gradient(x)), host_values(ex.gradient(weights))};
}

Results run_chain(const Device& device, const Problem& problem) {
  const TinyNetworkShape& shape = problem.shape;
  Executor ex(device);
  const Value x = ex.leaf(tensor_of(ex, {problem.rows, shape.in}, problem.x));
  std::vector<Value> weights;
  Value h = x;
  for (std::int64_t l = 0; l <= shape.hidden_layers; ++l) {
    const auto first = problem.weights.begin() + shape.offset(l);
    const std::int64_t count = shape.out_of(l) * shape.in_of(l);
    weights.push_back(
        ex.leaf(tensor_of(ex, {shape.out_of(l), shape.in_of(l)}, {first, first + count})));
    h = linear(ex, h, weights.back());
    if (l < shape.hidden_layers) h = activation(ex, h, shape.activation, shape.beta);
  }
  ex.backward(h, tensor_of(ex, h.shape(), problem.dy));
  Results results{host_values(h.tensor), host_values(ex.gradient(x)), {}};
  for (const Value& weight : weights) {
    const std::vector<double> gradient = host_values(ex.gradient(weight));
    results.dweights.insert(results.dweights.end(), gradient.begin(), gradient.end());
  }
  return results;
}

void expect_near(const std::vector<double>& got, const std::vector<double>& expected,
                 double tolerance, const std::string& what) {
  ASSERT_EQ(got.size(), expected.size()) << what;
  double largest = 0;
  for (const double value : expected) largest = std::max(largest, std::abs(value));
  for (std::size_t i = 0; i < got.size(); ++i)
    ASSERT_NEAR(got[i], expected[i], tolerance * largest) << what << "[" << i << "]";
}

class TinyNetworkChain : public testing::TestWithParam<TinyNetworkShape> {};

// Both sides carry the error that op_cases_tiny_network.cpp derives: 3·(L + 1) steps of (K + 16)·u
// of the largest entry.
TEST_P(TinyNetworkChain, EqualsLinearAndActivation) {
  const auto threads = make_thread_pool(2);
  for (const NamedDevice& named : cpu_devices(*threads)) {
    for (const std::int64_t N : {1, 50, 300}) {
      const Problem problem(GetParam(), N);
      const Results fused = run_fused(named.device, problem);
      const Results chain = run_chain(named.device, problem);
      const TinyNetworkShape& shape = problem.shape;
      const std::int64_t sum = std::max({shape.in, shape.out, shape.width, N});
      const auto steps = static_cast<double>(3 * (shape.hidden_layers + 1) * (sum + 16));
      const double tolerance = 2 * steps * 0x1p-24;
      const std::string where = named.name + ", " + std::to_string(N) + " rows, ";
      expect_near(fused.y, chain.y, tolerance, where + "y");
      expect_near(fused.dx, chain.dx, tolerance, where + "dx");
      expect_near(fused.dweights, chain.dweights, tolerance, where + "dweights");
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Shapes, TinyNetworkChain,
                         testing::Values(TinyNetworkShape{64, 64, 64, 4},
                                         TinyNetworkShape{3, 4, 64, 2},
                                         TinyNetworkShape{33, 17, 128, 4},
                                         TinyNetworkShape{16, 16, 16, 8},
                                         TinyNetworkShape{32, 3, 64, 4, Activation::gelu},
                                         TinyNetworkShape{20, 20, 256, 2, Activation::silu}),
                         [](const testing::TestParamInfo<TinyNetworkShape>& tested) {
                           return std::string(to_string(tested.param.activation)) + "_" +
                                  std::to_string(tested.param.width) + "_" +
                                  std::to_string(tested.param.hidden_layers);
                         });

// Nothing of [N, width] is held between forward and backward, nor ever at inference.
TEST(TinyNetwork, KeepsXAndTheWeightsAlone) {
  Executor ex(dry_device(reference_device()));
  const TinyNetworkShape shape{32, 16, 64, 4};
  const std::int64_t N = 4096;
  const auto value = [&](const Shape& of) { return ex.leaf(ex.allocate({of, DType::f32})); };
  tiny_network(ex, value({N, shape.in}), value({shape.weights()}), shape);
  EXPECT_EQ(ex.ledger().live_bytes(Tag::activations), (N * shape.in + shape.weights()) * 4);
}

TEST(TinyNetwork, CountsTheFlopsItExecutes) {
  Executor ex(dry_device(reference_device()));
  const TinyNetworkShape shape{32, 16, 64, 2};
  const std::int64_t N = 8, first = 64 * 32, middle = 64 * 64, last = 16 * 64;
  const auto value = [&](const Shape& of) { return ex.leaf(ex.allocate({of, DType::f32})); };
  const Value y = tiny_network(ex, value({N, shape.in}), value({shape.weights()}), shape);
  EXPECT_EQ(ex.report().forward_flops, 2 * N * (first + middle + last));
  ex.backward(y, ex.allocate({y.shape(), DType::f32}));
  EXPECT_EQ(ex.report().backward_flops,
            2 * N * (2 * (first + middle + last) + (first + middle)));  // dx, dW; hidden again
}

}  // namespace
}  // namespace ffn::test
