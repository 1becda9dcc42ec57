// Activations on every ISA against the reference. Bounds: those of activation.h, times |dy| < 2 for
// the gradients.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include "kernels_cpu/kernel_check.h"

namespace ffn::test {
namespace {

using kernels::Activation;

constexpr Activation kKinds[] = {
    Activation::relu, Activation::gelu,      Activation::gelu_tanh,   Activation::quick_gelu,
    Activation::silu, Activation::swish,     Activation::relu2,       Activation::sigmoid,
    Activation::tanh, Activation::hardswish, Activation::hardsigmoid, Activation::identity};

// Random values in ±10, where the functions bend, then kinks and tails.
std::vector<double> arguments(std::mt19937_64& random, DType dtype, Size size) {
  constexpr double special[] = {0, 3, -3, 40, -40, 200, -200, 0.001, 100000, -100000};
  std::vector<double> values = random_values(random, dtype, size.rows * size.cols, 10);
  for (std::size_t i = 0; i < std::min(values.size() / 2, std::size(special)); ++i) {
    values[values.size() - 1 - i] = special[i];
  }
  return values;
}

// What is stored as bf16 may be wrong by 2^-12 of its size, of slopes at least of `floor`, before
// it is rounded.
std::function<double(double)> within_stored(DType stored, double k, double floor, bool slope) {
  const auto exact = within(k, floor);
  if (stored != DType::bf16) return exact;
  const double least = slope ? floor : 0;
  return [=](double value) { return exact(value) + 0x1p-12 * std::max(least, std::abs(value)); };
}

TEST(CpuActivation, Forward) {
  std::mt19937_64 random(1);
  for (const Activation kind : kKinds) {
    for (const Size size : usual_sizes()) {
      for (const std::vector<DType>& types : storage_types(2, size)) {
        KernelCase c;
        c.name = describe("activation " + std::to_string(static_cast<int>(kind)), size, types);
        c.operands = {
            {types[0], size.rows, size.cols, Role::input, arguments(random, types[0], size)},
            {types[1],
             size.rows,
             size.cols,
             Role::output,
             {},
             within_stored(types[1], 4, 1, false)}};
        c.run = [=](const auto& table, const auto& ctx, auto m) {
          table.activation_forward(ctx, {kind, 1.3f, m[0], m[1]});
        };
        if (types[0] == types[1]) c.alias_output = 1, c.alias_input = 0;
        check_kernel(c);
      }
    }
  }
}

TEST(CpuActivation, Backward) {
  std::mt19937_64 random(2);
  for (const Activation kind : kKinds) {
    for (const Size size : usual_sizes()) {
      for (const std::vector<DType>& types : storage_types(3, size)) {
        for (const bool accumulate : {false, true}) {
          const std::int64_t count = size.rows * size.cols;
          KernelCase c;
          c.name =
              describe("activation slope " + std::to_string(static_cast<int>(kind)), size, types);
          c.operands = {
              {types[0], size.rows, size.cols, Role::input, arguments(random, types[0], size)},
              {types[1], size.rows, size.cols, Role::input, random_values(random, types[1], count)},
              {types[2], size.rows, size.cols, Role::output, random_values(random, types[2], count),
               within_stored(types[2], 2 * 8 + 1, 2, true)}};
          c.run = [=](const auto& table, const auto& ctx, auto m) {
            table.activation_backward(ctx, {kind, 1.3f, m[0], m[1], {m[2], accumulate}});
          };
          if (types[1] == types[2] && !accumulate) c.alias_output = 2, c.alias_input = 1;
          check_kernel(c);
        }
      }
    }
  }
}

// The functions are those of the tests above; here it matters how they are put together.
constexpr Activation kNeuronKinds[] = {Activation::gelu, Activation::silu, Activation::swish};

TEST(CpuNeuron, Forward) {
  std::mt19937_64 random(3);
  for (const Activation kind : kNeuronKinds) {
    for (const Size size : usual_sizes()) {
      for (const std::vector<DType>& types : storage_types(3, size)) {
        for (const bool gated : {false, true}) {
          KernelCase c;
          c.name = describe("neuron " + std::to_string(static_cast<int>(kind)), size, types);
          c.operands = {
              {types[0], size.rows, size.cols, Role::input, arguments(random, types[0], size)},
              {types[1], size.rows, size.cols, Role::input,
               random_values(random, types[1], size.rows * size.cols)},
              {types[2],
               size.rows,
               size.cols,
               Role::output,
               {},
               within_stored(types[2], gated ? 9 : 4, 2, false)}};
          c.run = [=](const auto& table, const auto& ctx, auto m) {
            table.neuron_forward(ctx, {kind, 1.3f, m[0], gated ? m[1] : kernels::Matrix{}, m[2]});
          };
          if (types[0] == types[2]) c.alias_output = 2, c.alias_input = 0;
          check_kernel(c);
        }
      }
    }
  }
}

// The three results one after another, each with the others' buffers behind it as inputs; dpre over
// dneuron.
TEST(CpuNeuron, Backward) {
  std::mt19937_64 random(4);
  for (const Activation kind : kNeuronKinds) {
    for (const Size size : usual_sizes()) {
      for (const std::vector<DType>& types : storage_types(3, size)) {
        const std::int64_t count = size.rows * size.cols;
        const auto output = [&](double k, double floor, bool slope) {
          return OperandSpec{types[2],     size.rows, size.cols,
                             Role::output, {},        within_stored(types[2], k, floor, slope)};
        };
        KernelCase c;
        c.name = describe("neurons back " + std::to_string(static_cast<int>(kind)), size, types);
        c.operands = {
            {types[0], size.rows, size.cols, Role::input, arguments(random, types[0], size)},
            {types[1], size.rows, size.cols, Role::input, random_values(random, types[1], count)},
            {types[2], size.rows, size.cols, Role::input, random_values(random, types[2], count)},
            output(9, 2, false),
            output(4 * 8 + 2, 4, true),
            output(9, 2, false)};
        c.run = [=](const auto& table, const auto& ctx, auto m) {
          table.neuron_backward(ctx, {kind, 1.3f, m[0], m[1], m[2], m[3], m[4], m[5]});
        };
        c.alias_output = 4, c.alias_input = 2;
        check_kernel(c);
        c.run = [=](const auto& table, const auto& ctx, auto m) {
          table.neuron_backward(ctx, {kind, 1.3f, m[0], {}, m[2], m[3], m[4], {}});
        };
        c.operands.pop_back();
        check_kernel(c);
      }
    }
  }
}

TEST(CpuActivation, AbsentGradientIsSkipped) {
  for (const Isa isa : supported_isas()) {
    float x[3] = {1, 2, 3};
    const kernels::ConstMatrix m{x, DType::f32, 1, 3, 3};
    kernels::cpu_table(isa).activation_backward({}, {Activation::gelu, 1, m, m, {}});
    EXPECT_EQ(x[0] + x[1] + x[2], 6.0f);
  }
}

}  // namespace
}  // namespace ffn::test
