// Products, sums, copies, dropout, row scaling and AdamW on every ISA against the reference. A
// bound of k·2^-24 counts k f32 roundings of values that are at most the floor or the result.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "kernels_cpu/kernel_check.h"

namespace ffn::test {
namespace {

std::mt19937_64& generator() {
  static std::mt19937_64 random(3);
  return random;
}

OperandSpec input(DType dtype, Size size) {
  return {dtype, size.rows, size.cols, Role::input,
          random_values(generator(), dtype, size.rows * size.cols)};
}
// With values to add to.
OperandSpec output(DType dtype, Size size, std::function<double(double)> bound) {
  OperandSpec spec = input(dtype, size);
  spec.role = Role::output;
  spec.bound = std::move(bound);
  return spec;
}

TEST(CpuPointwise, MultiplyForward) {
  for (const Size size : usual_sizes()) {
    for (const std::vector<DType>& types : storage_types(3, size)) {
      for (const int alias : {0, 1}) {
        KernelCase c;
        c.name = describe("multiply", size, types);
        c.operands = {input(types[0], size), input(types[1], size),
                      output(types[2], size, within(1, 0))};
        c.run = [](const auto& table, const auto& ctx, auto m) {
          table.multiply_forward(ctx, {m[0], m[1], m[2]});
        };
        if (types[static_cast<std::size_t>(alias)] == types[2]) {
          c.alias_output = 2, c.alias_input = alias;
        }
        check_kernel(c);
      }
    }
  }
}

TEST(CpuPointwise, MultiplyBackward) {
  for (const Size size : usual_sizes()) {
    for (const std::vector<DType>& types : storage_types(4, size)) {
      for (const int wanted : {1, 2, 3, 7}) {  // bits: da, db, accumulate
        KernelCase c;
        c.name = describe("multiply backward " + std::to_string(wanted), size, types);
        c.operands = {input(types[0], size), input(types[1], size), input(types[2], size),
                      output(types[3], size, within(2, 4)), output(types[0], size, within(2, 4))};
        c.run = [wanted](const auto& table, const auto& ctx, auto m) {
          const bool accumulate = (wanted & 4) != 0;
          kernels::MultiplyBackwardArgs args{m[0], m[1], m[2], {}, {}};
          if ((wanted & 1) != 0) args.da = {m[3], accumulate};
          if ((wanted & 2) != 0) args.db = {m[4], accumulate};
          table.multiply_backward(ctx, args);
        };
        if (types[2] == types[3] && wanted == 3) c.alias_output = 3, c.alias_input = 2;
        check_kernel(c);
      }
    }
  }
}

TEST(CpuPointwise, AddForward) {
  for (const Size size : usual_sizes()) {
    for (const std::vector<DType>& types : storage_types(3, size)) {
      for (const std::int64_t b_rows : {size.rows, std::int64_t{1}}) {
        if (size.rows == 0 && b_rows != 0) continue;
        KernelCase c;
        c.name = describe("add", size, types);
        c.operands = {input(types[0], size), input(types[1], {b_rows, size.cols}),
                      output(types[2], size, within(1, 0))};
        c.run = [](const auto& table, const auto& ctx, auto m) {
          table.add_forward(ctx, {m[0], m[1], m[2]});
        };
        if (types[0] == types[2]) c.alias_output = 2, c.alias_input = 0;
        check_kernel(c);
      }
    }
  }
}

TEST(CpuPointwise, AddRepeatsPeriodicRows) {
  KernelCase c;
  c.name = "add of three rows to twelve";
  c.operands = {input(DType::f32, {12, 37}), input(DType::bf16, {3, 37}),
                output(DType::f32, {12, 37}, within(1, 0))};
  c.run = [](const auto& table, const auto& ctx, auto m) {
    table.add_forward(ctx, {m[0], m[1], m[2]});
  };
  check_kernel(c);
}

TEST(CpuPointwise, CopyBetweenAllFloatTypes) {
  const DType all[] = {DType::f32, DType::bf16, DType::f16};
  for (const Size size : usual_sizes()) {
    for (const DType from : all) {
      for (const DType to : all) {
        for (const bool accumulate : {false, true}) {
          for (const float alpha : {1.0f, -0.7f}) {
            KernelCase c;
            c.name = describe("copy", size, {from, to});
            c.operands = {input(from, size), output(to, size, within(accumulate ? 2 : 1, 2))};
            c.run = [=](const auto& table, const auto& ctx, auto m) {
              table.copy(ctx, {m[0], m[1], alpha, accumulate});
            };
            if (from == to && !accumulate) c.alias_output = 1, c.alias_input = 0;
            check_kernel(c);
          }
        }
      }
    }
  }
}

TEST(CpuPointwise, Fill) {
  for (const Size size : usual_sizes()) {
    for (const DType dtype : {DType::f32, DType::bf16, DType::f16}) {
      KernelCase c;
      c.name = describe("fill", size, {dtype});
      c.operands = {output(dtype, size, [](double) { return 0.0; })};
      c.run = [](const auto& table, const auto& ctx, auto m) { table.fill(ctx, {m[0], -1.1f}); };
      check_kernel(c);
    }
  }
}

TEST(CpuPointwise, DropoutHasTheMaskOfTheStream) {
  for (const Size size : usual_sizes()) {
    for (const std::vector<DType>& types : storage_types(2, size)) {
      for (const float p : {0.0f, 0.1f, 0.5f, 1.0f}) {
        for (const bool accumulate : {false, true}) {
          KernelCase c;
          c.name = describe("dropout " + std::to_string(p), size, types);
          // One rounding of 1/(1 − p) ≤ 2, one of the product, one of the sum.
          c.operands = {input(types[0], size), output(types[1], size, within(3, 4))};
          c.run = [=](const auto& table, const auto& ctx, auto m) {
            table.dropout(
                ctx, {m[0], m[1], p, 0x123456789abcdefu, (std::uint64_t{7} << 33) + 5, accumulate});
          };
          if (types[0] == types[1] && !accumulate) c.alias_output = 1, c.alias_input = 0;
          check_kernel(c);
        }
      }
    }
  }
}

TEST(CpuPointwise, DroppedInfinityIsZero) {
  for (const Isa isa : supported_isas()) {
    std::vector<float> x(40, HUGE_VALF), y(40, 1.0f);
    kernels::cpu_table(isa).dropout(
        {},
        {{x.data(), DType::f32, 1, 40, 40}, {y.data(), DType::f32, 1, 40, 40}, 0.5f, 1, 2, false});
    int zeros = 0;
    for (const float value : y) zeros += value == 0 ? 1 : 0;
    EXPECT_GT(zeros, 8);
    for (const float value : y) EXPECT_TRUE(value == 0 || value == HUGE_VALF);
  }
}

TEST(CpuPointwise, ScaleRowsForward) {
  for (const Size size : usual_sizes()) {
    for (const std::vector<DType>& types : storage_types(3, size)) {
      KernelCase c;
      c.name = describe("scale rows", size, types);
      c.operands = {input(types[0], size), input(types[1], {size.rows, 1}),
                    output(types[2], size, within(1, 0))};
      c.run = [](const auto& table, const auto& ctx, auto m) {
        table.scale_rows_forward(ctx, {m[0], m[1], m[2]});
      };
      if (types[0] == types[2]) c.alias_output = 2, c.alias_input = 0;
      check_kernel(c);
    }
  }
}

TEST(CpuPointwise, ScaleRowsBackward) {
  for (const Size size : usual_sizes()) {
    for (const std::vector<DType>& types : storage_types(4, size)) {
      for (const int wanted : {1, 2, 3, 7}) {  // bits: dx, dw, accumulate
        const double sum_error = row_sum_error(size.cols, 4) + 4 * kUnit;
        KernelCase c;
        c.name = describe("scale rows backward " + std::to_string(wanted), size, types);
        c.operands = {input(types[0], size), input(types[1], {size.rows, 1}), input(types[2], size),
                      output(types[3], size, within(2, 4)),
                      output(types[1], {size.rows, 1},
                             [=](double e) { return sum_error + kUnit * std::abs(e); })};
        c.run = [wanted](const auto& table, const auto& ctx, auto m) {
          const bool accumulate = (wanted & 4) != 0;
          kernels::ScaleRowsBackwardArgs args{m[0], m[1], m[2], {}, {}};
          if ((wanted & 1) != 0) args.dx = {m[3], accumulate};
          if ((wanted & 2) != 0) args.dw = {m[4], accumulate};
          table.scale_rows_backward(ctx, args);
        };
        check_kernel(c);
      }
    }
  }
}

TEST(CpuPointwise, AdamW) {
  for (const std::int64_t count : {0, 1, 7, 8, 9, 16, 17, 513, 40000}) {
    for (const bool shadowed : {false, true}) {
      const Size size{1, count};
      KernelCase c;
      c.name = describe("adamw", size, {});
      OperandSpec second = output(DType::f32, size, within(4, 1));
      for (double& v : second.values) v = v * v;
      // Step: lr/c1·m/(√(v/c2) + eps) with |m/√v| up to about 1e3 where v is small: relative to the
      // step a dozen roundings, so bounded through lr = 0.01 by 12·0.01·1e3 units.
      const double step = 12 * 0.01 * 1e3;
      c.operands = {output(DType::f32, size, within(step, 2)),
                    output(DType::f32, size, within(4, 2)), second, input(DType::f32, size),
                    output(DType::bf16, size, within(step, 2))};
      c.run = [shadowed](const auto& table, const auto& ctx, auto m) {
        kernels::AdamWArgs args;
        args.weight = m[0], args.first_moment = m[1], args.second_moment = m[2];
        args.gradient = m[3];
        if (shadowed) args.shadow = m[4];
        args.learning_rate = 0.01, args.weight_decay = 0.1, args.gradient_scale = 0.5;
        args.correction1 = 1 - std::pow(0.9, 3), args.correction2 = 1 - std::pow(0.999, 3);
        table.adamw(ctx, args);
      };
      check_kernel(c);
    }
  }
}

}  // namespace
}  // namespace ffn::test
