// Layer, RMS and batch norm on every ISA against the reference.
//
// Bounds. Statistics of a row of C values below 2 carry the error of a mean, row_sum_error(C, ·)/C,
// in the mean and relatively in r; a result y = (x − μ)·r·w + b then errs by a few times that,
// scaled by r ≤ kLargestInverse = 1/√eps and |w|, |x̂| ≤ 4. Gradients of weights sum over rows:
// column_sum_error.
#include <gtest/gtest.h>

#include <cmath>

#include "kernels_cpu/kernel_check.h"

namespace ffn::test {
namespace {

constexpr float kEps = 0.25f;
constexpr double kLargestInverse = 2;  // 1/√eps

std::mt19937_64& generator() {
  static std::mt19937_64 random(4);
  return random;
}

OperandSpec input(DType dtype, Size size) {
  return {dtype, size.rows, size.cols, Role::input,
          random_values(generator(), dtype, size.rows * size.cols)};
}
OperandSpec output(DType dtype, Size size, std::function<double(double)> bound) {
  OperandSpec spec = input(dtype, size);
  spec.role = Role::output;
  spec.bound = std::move(bound);
  return spec;
}

// Alternating signs, a shift of 1/4 and noise, all exact in bf16.
OperandSpec spread_input(DType dtype, Size size) {
  OperandSpec spec{dtype, size.rows, size.cols, Role::input,
                   random_values(generator(), dtype, size.rows * size.cols, 0.5)};
  for (std::int64_t row = 0; row < size.rows; ++row) {
    for (std::int64_t col = 0; col < size.cols; ++col) {
      double& value = spec.values[static_cast<std::size_t>(row * size.cols + col)];
      value = ((row + col) % 2 == 0 ? 1.25 : -0.75) + std::round(value * 64) / 128;
    }
  }
  return spec;
}

// Mean and 1/√(variance + eps) of `count` values, value(i).
template <class Value>
std::pair<double, double> statistics(std::int64_t count, double eps, const Value& value) {
  double mean = 0, variance = 0;
  for (std::int64_t i = 0; i < count; ++i) mean += value(i) / static_cast<double>(count);
  for (std::int64_t i = 0; i < count; ++i) {
    variance += (value(i) - mean) * (value(i) - mean) / static_cast<double>(count);
  }
  return {mean, 1 / std::sqrt(variance + eps)};
}

double mean_error(std::int64_t cols) {
  return row_sum_error(cols, 2) / static_cast<double>(std::max<std::int64_t>(cols, 1)) + 2 * kUnit;
}

TEST(CpuNorm, LayerNormForward) {
  for (const Size size : usual_sizes()) {
    if (size.cols == 0) continue;  // the mean of nothing is not a number
    for (const std::vector<DType>& types : storage_types(2, size)) {
      for (const bool plain : {false, true}) {  // without weight, bias and statistics
        const double error = 16 * mean_error(size.cols);
        KernelCase c;
        c.name = describe("layer norm", size, types);
        c.operands = {spread_input(types[0], size), input(DType::f32, {1, size.cols}),
                      input(DType::f32, {1, size.cols}),
                      output(types[1], size, [=](double) { return error; }),
                      output(DType::f32, {size.rows, 2}, [=](double) { return error; })};
        c.run = [plain](const auto& table, const auto& ctx, auto m) {
          kernels::LayerNormForwardArgs args{m[0], {}, {}, m[3], {}, kEps};
          if (!plain) args.weight = m[1], args.bias = m[2], args.stats = m[4];
          table.layer_norm_forward(ctx, args);
        };
        if (types[0] == types[1]) c.alias_output = 3, c.alias_input = 0;
        check_kernel(c);
      }
    }
  }
}

OperandSpec layer_norm_statistics(const OperandSpec& x) {
  OperandSpec stats{DType::f32, x.rows, 2};
  for (std::int64_t row = 0; row < x.rows; ++row) {
    const auto [mean, inverse] = statistics(
        x.cols, static_cast<double>(kEps),
        [&](std::int64_t col) { return x.values[static_cast<std::size_t>(row * x.cols + col)]; });
    EXPECT_LE(inverse, kLargestInverse);
    stats.values.push_back(mean);
    stats.values.push_back(inverse);
  }
  return stats;
}

std::function<std::int64_t(const kernels::KernelTable&)> norm_workspace(Size size) {
  return [size](const kernels::KernelTable& table) {
    return table.norm_workspace(size.rows, size.cols);
  };
}

TEST(CpuNorm, LayerNormBackward) {
  for (const Size size : usual_sizes()) {
    if (size.cols == 0) continue;
    for (const std::vector<DType>& types : storage_types(3, size)) {
      for (const int wanted : {1, 2, 4, 7, 15}) {  // bits: dx, dweight, dbias, accumulate
        const OperandSpec x = spread_input(types[0], size);
        const double dx_error = kLargestInverse * 16 * mean_error(size.cols);
        const auto sum_error = [=](double e) {
          return column_sum_error(size.rows, 8) + 8 * kUnit + kUnit * std::abs(e);
        };
        KernelCase c;
        c.name = describe("layer norm backward " + std::to_string(wanted), size, types);
        c.operands = {x,
                      input(DType::f32, {1, size.cols}),
                      layer_norm_statistics(x),
                      input(types[1], size),
                      output(types[2], size, [=](double) { return dx_error; }),
                      output(DType::f32, {1, size.cols}, sum_error),
                      output(DType::f32, {1, size.cols}, sum_error)};
        c.run = [wanted](const auto& table, const auto& ctx, auto m) {
          const bool accumulate = (wanted & 8) != 0;
          kernels::LayerNormBackwardArgs args{m[0], m[1], m[2], m[3], {}, {}, {}};
          if ((wanted & 1) != 0) args.dx = {m[4], accumulate};
          if ((wanted & 2) != 0) args.dweight = {m[5], accumulate};
          if ((wanted & 4) != 0) args.dbias = {m[6], accumulate};
          table.layer_norm_backward(ctx, args);
        };
        c.workspace_bytes = norm_workspace(size);
        if (types[1] == types[2] && wanted == 7) c.alias_output = 4, c.alias_input = 3;
        check_kernel(c);
      }
    }
  }
}

TEST(CpuNorm, RmsNormForward) {
  for (const Size size : usual_sizes()) {
    if (size.cols == 0) continue;
    for (const std::vector<DType>& types : storage_types(2, size)) {
      for (const int form : {0, 1, 2}) {  // no weight; weight; 1 + weight
        const double error = 16 * mean_error(size.cols);
        KernelCase c;
        c.name = describe("rms norm", size, types);
        c.operands = {spread_input(types[0], size), input(DType::f32, {1, size.cols}),
                      output(types[1], size, [=](double) { return error; }),
                      output(DType::f32, {size.rows, 1}, [=](double) { return error; })};
        c.run = [form](const auto& table, const auto& ctx, auto m) {
          kernels::RmsNormForwardArgs args{m[0], {}, m[2], m[3], kEps, form == 2 ? 1.0f : 0.0f};
          if (form != 0) args.weight = m[1];
          table.rms_norm_forward(ctx, args);
        };
        if (types[0] == types[1]) c.alias_output = 2, c.alias_input = 0;
        check_kernel(c);
      }
    }
  }
}

TEST(CpuNorm, RmsNormBackward) {
  for (const Size size : usual_sizes()) {
    if (size.cols == 0) continue;
    for (const std::vector<DType>& types : storage_types(3, size)) {
      for (const int wanted : {1, 2, 3, 7}) {  // bits: dx, dweight, accumulate
        const OperandSpec x = spread_input(types[0], size);
        OperandSpec stats{DType::f32, size.rows, 1};
        for (std::int64_t row = 0; row < size.rows; ++row) stats.values.push_back(0.75);
        const double dx_error = kLargestInverse * 16 * mean_error(size.cols);
        const auto sum_error = [=](double e) {
          return column_sum_error(size.rows, 4) + 4 * kUnit + kUnit * std::abs(e);
        };
        KernelCase c;
        c.name = describe("rms norm backward " + std::to_string(wanted), size, types);
        c.operands = {x,
                      input(DType::f32, {1, size.cols}),
                      stats,
                      input(types[1], size),
                      output(types[2], size, [=](double) { return dx_error; }),
                      output(DType::f32, {1, size.cols}, sum_error)};
        c.run = [wanted](const auto& table, const auto& ctx, auto m) {
          const bool accumulate = (wanted & 4) != 0;
          kernels::RmsNormBackwardArgs args{m[0], m[1], m[2], m[3], {}, {}, 1};
          if ((wanted & 1) != 0) args.dx = {m[4], accumulate};
          if ((wanted & 2) != 0) args.dweight = {m[5], accumulate};
          table.rms_norm_backward(ctx, args);
        };
        c.workspace_bytes = norm_workspace(size);
        if (types[1] == types[2] && wanted == 3) c.alias_output = 4, c.alias_input = 3;
        check_kernel(c);
      }
    }
  }
}

double column_mean_error(std::int64_t rows) {
  return column_sum_error(rows, 2) / static_cast<double>(std::max<std::int64_t>(rows, 1)) +
         2 * kUnit;
}

TEST(CpuNorm, BatchNormForward) {
  for (const Size size : usual_sizes()) {
    for (const std::vector<DType>& types : storage_types(2, size)) {
      for (const bool training : {false, true}) {
        const double error = 16 * column_mean_error(size.rows);
        const auto bound = [=](double) { return error; };
        OperandSpec running = input(DType::f32, {2, size.cols});
        for (double& value : running.values) value = std::abs(value) + 0.5;
        KernelCase c;
        c.name = describe("batch norm", size, types);
        c.operands = {spread_input(types[0], size),
                      input(DType::f32, {1, size.cols}),
                      input(DType::f32, {1, size.cols}),
                      running,
                      output(types[1], size, bound),
                      output(DType::f32, {2, size.cols}, bound),
                      output(DType::f32, {2, size.cols}, bound)};
        c.run = [training](const auto& table, const auto& ctx, auto m) {
          kernels::BatchNormForwardArgs args{m[0], m[1], m[2], m[3], m[4], {}, {}, kEps, 0.1f};
          if (training) args.stats = m[5], args.new_running = m[6];
          table.batch_norm_forward(ctx, args);
        };
        c.workspace_bytes = norm_workspace(size);
        if (types[0] == types[1]) c.alias_output = 4, c.alias_input = 0;
        check_kernel(c);
      }
    }
  }
}

TEST(CpuNorm, BatchNormBackward) {
  for (const Size size : usual_sizes()) {
    for (const std::vector<DType>& types : storage_types(3, size)) {
      for (const int wanted : {1, 2, 4, 7, 15}) {  // bits: dx, dweight, dbias, accumulate
        const OperandSpec x = spread_input(types[0], size);
        OperandSpec stats{DType::f32, 2, size.cols, Role::input,
                          std::vector<double>(static_cast<std::size_t>(2 * size.cols))};
        for (std::int64_t col = 0; col < size.cols; ++col) {
          const auto [mean, inverse] =
              statistics(size.rows, static_cast<double>(kEps), [&](std::int64_t row) {
                return x.values[static_cast<std::size_t>(row * size.cols + col)];
              });
          stats.values[static_cast<std::size_t>(col)] = mean;
          stats.values[static_cast<std::size_t>(size.cols + col)] = inverse;
        }
        const double dx_error = kLargestInverse * 16 * column_mean_error(size.rows);
        const auto sum_error = [=](double e) {
          return column_sum_error(size.rows, 8) + 8 * kUnit + kUnit * std::abs(e);
        };
        KernelCase c;
        c.name = describe("batch norm backward " + std::to_string(wanted), size, types);
        c.operands = {x,
                      input(DType::f32, {1, size.cols}),
                      stats,
                      input(types[1], size),
                      output(types[2], size, [=](double) { return dx_error; }),
                      output(DType::f32, {1, size.cols}, sum_error),
                      output(DType::f32, {1, size.cols}, sum_error)};
        c.run = [wanted](const auto& table, const auto& ctx, auto m) {
          const bool accumulate = (wanted & 8) != 0;
          kernels::BatchNormBackwardArgs args{m[0], m[1], m[2], m[3], {}, {}, {}};
          if ((wanted & 1) != 0) args.dx = {m[4], accumulate};
          if ((wanted & 2) != 0) args.dweight = {m[5], accumulate};
          if ((wanted & 4) != 0) args.dbias = {m[6], accumulate};
          table.batch_norm_backward(ctx, args);
        };
        c.workspace_bytes = norm_workspace(size);
        check_kernel(c);
      }
    }
  }
}

}  // namespace
}  // namespace ffn::test
