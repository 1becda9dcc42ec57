// Softmax and cross-entropy on every ISA against the reference.
//
// Bounds. exp errs by 1.2 ulp (2.4 units of 2^-24) plus its argument's rounding |s·x − max| ≤ 16
// units; the sum's relative error is that of a row sum of positive terms divided by their sum. A
// probability p errs by p times all of it.
#include <gtest/gtest.h>

#include <cmath>

#include "kernels_cpu/kernel_check.h"

namespace ffn::test {
namespace {

std::mt19937_64& generator() {
  static std::mt19937_64 random(5);
  return random;
}

OperandSpec input(DType dtype, Size size, double limit) {
  return {dtype, size.rows, size.cols, Role::input,
          random_values(generator(), dtype, size.rows * size.cols, limit)};
}
OperandSpec output(DType dtype, Size size, std::function<double(double)> bound) {
  OperandSpec spec = input(dtype, size, 2);
  spec.role = Role::output;
  spec.bound = std::move(bound);
  return spec;
}

// Relative error of exp(v)/Σ exp(v) with |v| ≤ 16.
double probability_error(std::int64_t cols) {
  const double count = static_cast<double>(std::max<std::int64_t>(cols, 1));
  return 2 * (2.4 + 16 + 2) * kUnit + row_sum_error(cols, 1) / count;
}

struct Mask {
  bool causal;
  std::int64_t offset, period;
};

TEST(CpuSoftmax, Forward) {
  for (const Size size : usual_sizes()) {
    for (const std::vector<DType>& types : storage_types(2, size)) {
      for (const Mask& mask :
           {Mask{false, 0, 0}, Mask{true, 0, 2}, Mask{true, 600, 50}, Mask{true, -1, 3}}) {
        for (const float scale : {1.0f, -0.37f}) {
          const double relative = probability_error(size.cols);
          KernelCase c;
          c.name = describe("softmax causal " + std::to_string(mask.causal), size, types);
          c.operands = {input(types[0], size, 8),
                        output(types[1], size, [=](double e) { return relative * e; })};
          c.run = [=](const auto& table, const auto& ctx, auto m) {
            table.softmax_forward(ctx, {m[0], m[1], scale, mask.causal, mask.offset, mask.period});
          };
          if (types[0] == types[1]) c.alias_output = 1, c.alias_input = 0;
          check_kernel(c);
        }
      }
    }
  }
}

TEST(CpuSoftmax, MaskedLogitsAreZeroAndHugeOnesDoNotOverflow) {
  for (const Isa isa : supported_isas()) {
    const float infinity = HUGE_VALF;
    float x[5] = {3e38f, -infinity, 3e38f, -3e38f, -infinity}, y[5];
    kernels::cpu_table(isa).softmax_forward({},
                                            {{x, DType::f32, 1, 5, 5}, {y, DType::f32, 1, 5, 5}});
    EXPECT_EQ(std::vector<float>(y, y + 5), (std::vector<float>{0.5f, 0, 0.5f, 0, 0}));
  }
}

TEST(CpuSoftmax, Backward) {
  for (const Size size : usual_sizes()) {
    for (const std::vector<DType>& types : storage_types(3, size)) {
      for (const bool accumulate : {false, true}) {
        OperandSpec y = input(types[0], size, 2);
        for (double& value : y.values) value = std::abs(value);
        // s·y·(dy − Σ dy·y): |s·y| ≤ 1, the dot product and |dy| ≤ 2 within its error.
        const double dot = row_sum_error(size.cols, 4) + 8 * kUnit;
        const auto terms = static_cast<double>(size.cols);
        const auto bound = [=](double e) {
          return dot + 4 * kUnit * (4 * terms + 4) + kUnit * std::abs(e);
        };
        KernelCase c;
        c.name = describe("softmax backward", size, types);
        c.operands = {y, input(types[1], size, 2), output(types[2], size, bound)};
        c.run = [=](const auto& table, const auto& ctx, auto m) {
          table.softmax_backward(ctx, {m[0], m[1], {m[2], accumulate}, 0.5f});
        };
        if (types[1] == types[2] && !accumulate) c.alias_output = 2, c.alias_input = 1;
        check_kernel(c);
      }
    }
  }
}

std::vector<std::int32_t> random_targets(Size size, bool ignore_all) {
  std::vector<std::int32_t> targets;
  for (std::int64_t row = 0; row < size.rows; ++row) {
    const bool ignored = ignore_all || row % 3 == 1;
    const auto V = static_cast<std::uint64_t>(size.cols);
    targets.push_back(ignored ? -100 : static_cast<std::int32_t>(generator()() % V));
  }
  return targets;
}

TEST(CpuCrossEntropy, Forward) {
  for (const Size size : usual_sizes()) {
    if (size.cols == 0) continue;
    for (const std::vector<DType>& types : storage_types(1, size)) {
      for (const bool ignore_all : {false, true}) {
        const std::vector<std::int32_t> targets = random_targets(size, ignore_all);
        // ln Σ errs absolutely by the relative error of Σ.
        const double error = probability_error(size.cols);
        const auto bound = [=](double e) { return error + kUnit * std::abs(e); };
        KernelCase c;
        c.name = describe("cross-entropy", size, types);
        c.operands = {input(types[0], size, 8), output(DType::f32, {1, 1}, bound),
                      output(DType::f32, {size.rows, 1}, bound),
                      output(DType::f32, {1, 1}, [](double) { return 0.0; })};
        c.run = [&](const auto& table, const auto& ctx, auto m) {
          table.cross_entropy_forward(ctx, {m[0], targets.data(), m[1], m[2], m[3]});
        };
        c.workspace_bytes = [=](const auto& table) {
          return table.cross_entropy_workspace(size.rows);
        };
        check_kernel(c);
      }
    }
  }
}

TEST(CpuCrossEntropy, NotANumberIsNotHidden) {
  for (const Isa isa : supported_isas()) {
    float x[4] = {1, std::nanf(""), 2, 3}, loss = 0, lse = 0, count = 0;
    const std::int32_t target = 0;
    alignas(64) std::byte workspace[64];
    kernels::cpu_table(isa).cross_entropy_forward({nullptr, workspace, sizeof workspace},
                                                  {{x, DType::f32, 1, 4, 4},
                                                   &target,
                                                   {&loss, DType::f32, 1, 1, 1},
                                                   {&lse, DType::f32, 1, 1, 1},
                                                   {&count, DType::f32, 1, 1, 1}});
    EXPECT_TRUE(std::isnan(loss) && std::isnan(lse));
  }
}

TEST(CpuCrossEntropy, Backward) {
  for (const Size size : usual_sizes()) {
    if (size.cols == 0) continue;
    for (const std::vector<DType>& types : storage_types(2, size)) {
      for (const bool accumulate : {false, true}) {
        for (const bool ignore_all : {false, true}) {
          const std::vector<std::int32_t> targets = random_targets(size, ignore_all);
          OperandSpec lse{DType::f32, size.rows, 1, Role::input, {}};
          lse.values.assign(static_cast<std::size_t>(size.rows), 8.25);
          const OperandSpec count{DType::f32, 1, 1, Role::input, {ignore_all ? 0.0 : 7.0}};
          const OperandSpec dloss{DType::f32, 1, 1, Role::input, {1.5}};
          // |exp| ≤ 1 within 2.4 + 16 units, times 1.5/7 with its two roundings, added to at
          // most 2.
          KernelCase c;
          c.name = describe("cross-entropy backward", size, types);
          c.operands = {input(types[0], size, 8), lse, count, dloss,
                        output(types[1], size, within((2.4 + 16 + 4) * 1.5 / 7 + 2, 2))};
          c.run = [&](const auto& table, const auto& ctx, auto m) {
            table.cross_entropy_backward(
                ctx, {m[0], targets.data(), m[1], m[2], m[3], {m[4], accumulate}});
          };
          if (types[0] == types[1] && !accumulate) c.alias_output = 4, c.alias_input = 0;
          check_kernel(c);
        }
      }
    }
  }
}

}  // namespace
}  // namespace ffn::test
