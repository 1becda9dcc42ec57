// Losses of a router, normalised rows and jitter on every ISA against the reference. Scores and
// weights are in [0.05, 2.05), gradients within ±2; u = 2^-24.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "kernels_cpu/kernel_check.h"

namespace ffn::test {
namespace {

std::mt19937_64& generator() {
  static std::mt19937_64 random(9);
  return random;
}

OperandSpec input(DType dtype, Size size, double limit = 2) {
  return {dtype, size.rows, size.cols, Role::input,
          random_values(generator(), dtype, size.rows * size.cols, limit)};
}
OperandSpec output(DType dtype, Size size, std::function<double(double)> bound) {
  OperandSpec spec = input(dtype, size);
  spec.role = Role::output;
  spec.bound = std::move(bound);
  return spec;
}
constexpr double kLeast = 0.05, kMost = 2.05;
OperandSpec positive(DType dtype, Size size) {
  OperandSpec spec = input(dtype, size);
  for (double& value : spec.values) value = std::abs(value) + kLeast;
  return spec;
}
constexpr double kMostLoad = 4;
OperandSpec loads(std::int64_t sequences, std::int64_t experts) {
  OperandSpec spec{DType::f32, sequences, experts, Role::input, {}};
  for (std::int64_t i = 0; i < sequences * experts; ++i)
    spec.values.push_back(static_cast<double>(generator()() % 5));
  return spec;
}

// With columns, and enough rows for several chunks and threads.
std::vector<Size> router_sizes() {
  std::vector<Size> sizes = usual_sizes();
  std::erase_if(sizes, [](const Size& size) { return size.cols == 0; });
  sizes.push_back({300, 8});
  sizes.push_back({4096, 16});
  return sizes;
}
// One, and as many as there are rows, and what lies between.
std::vector<std::int64_t> sequences_of(Size size) {
  std::vector<std::int64_t> all{1};
  if (size.rows > 1) all.push_back(size.rows);
  if (size.rows % 4 == 0 && size.rows > 4) all.push_back(size.rows / 4);
  return all;
}

struct Balance {
  Size size;
  std::int64_t sequences;
  bool normalised;

  static constexpr std::int64_t k = 2;
  static constexpr float coefficient = 0.5f;

  // What load·p of a row is multiplied by: coefficient·E/(K·T·N).
  double scale() const {
    const auto N = static_cast<double>(size.rows), E = static_cast<double>(size.cols);
    const double T = N / static_cast<double>(sequences);
    return N > 0 ? static_cast<double>(coefficient) * E / (static_cast<double>(k) * T * N) : 0;
  }
  // Errors of Σ load·score and of Σ score of a row.
  double loaded_error() const {
    const auto E = static_cast<double>(size.cols);
    return row_sum_error(size.cols, kMostLoad * kMost) + E * kMostLoad * kMost * kUnit;
  }
  double sum_error() const { return row_sum_error(size.cols, kMost); }
  double least_sum() const { return kLeast * static_cast<double>(size.cols); }
  // Error of Σ load·p; where p = x/Σx it is at most the largest load.
  double row_error() const {
    if (!normalised) return loaded_error();
    return (loaded_error() + kMostLoad * sum_error()) / least_sum();
  }
};

std::vector<Balance> balances() {
  std::vector<Balance> all;
  for (const Size size : router_sizes()) {
    for (const std::int64_t sequences : sequences_of(size)) {
      for (const bool normalised : {false, true}) all.push_back({size, sequences, normalised});
    }
  }
  return all;
}

TEST(CpuRouterLosses, BalanceForward) {
  for (const Balance& b : balances()) {
    for (const std::vector<DType>& types : storage_types(2, b.size)) {
      const double error = b.scale() * static_cast<double>(b.size.rows) * b.row_error();
      KernelCase c;
      c.name = describe("balance " + std::to_string(b.sequences), b.size, types);
      c.operands = {
          positive(types[0], b.size), loads(b.sequences, b.size.cols),
          output(types[1], {1, 1}, [=](double e) { return error + kUnit * std::abs(e); })};
      c.run = [=](const auto& table, const auto& ctx, auto m) {
        table.balance_loss_forward(
            ctx, {m[0], m[1], Balance::k, b.normalised, Balance::coefficient, m[2]});
      };
      check_kernel(c);
    }
  }
}

TEST(CpuRouterLosses, BalanceBackward) {
  for (const Balance& b : balances()) {
    for (const std::vector<DType>& types : storage_types(3, b.size)) {
      for (const bool accumulate : {false, true}) {
        // (w − pull)·inverse: w and pull at most `most`, both rounded, and their difference, the
        // inverse and the product.
        const double most = b.scale() * kMostLoad;
        const double inverse = b.normalised ? 1 / b.least_sum() : 1;
        const double pull_error = b.normalised ? b.scale() * b.row_error() : 0;
        const double relative = b.normalised ? b.sum_error() * inverse : 0;
        const double slope = (pull_error + most * (5 * kUnit + relative)) * inverse;
        // Then dy and, where added, what was there.
        const auto bound = [=](double e) { return slope + 2 * kUnit * (std::abs(e) + 4); };
        KernelCase c;
        c.name = describe("balance backward " + std::to_string(b.sequences), b.size, types);
        c.operands = {positive(types[0], b.size), loads(b.sequences, b.size.cols),
                      input(types[1], b.size), output(types[2], b.size, bound)};
        c.run = [=](const auto& table, const auto& ctx, auto m) {
          table.balance_loss_backward(ctx, {m[0],
                                            m[1],
                                            m[2],
                                            Balance::k,
                                            b.normalised,
                                            Balance::coefficient,
                                            {m[3], accumulate}});
        };
        if (types[1] == types[2] && !accumulate) c.alias_output = 3, c.alias_input = 2;
        check_kernel(c);
      }
    }
  }
}

// Absolute error of log Σ exp of logits within ±8: exp errs by 1.2 ulp and its argument's rounding,
// |v − max| ≤ 16 units; ln Σ errs by the relative error of Σ.
double lse_error(std::int64_t cols) {
  return 2 * (2.4 + 16 + 2) * kUnit + row_sum_error(cols, 1) / static_cast<double>(cols);
}
double most_lse(std::int64_t cols) { return 8 + std::log(static_cast<double>(cols)); }

TEST(CpuRouterLosses, ZForward) {
  for (const Size size : router_sizes()) {
    for (const std::vector<DType>& types : storage_types(2, size)) {
      const double error = 0.5 * 2 * most_lse(size.cols) * lse_error(size.cols);
      KernelCase c;
      c.name = describe("z", size, types);
      c.operands = {input(types[0], size, 8), output(types[1], {1, 1}, [=](double e) {
                      return error + kUnit * std::abs(e);
                    })};
      c.run = [](const auto& table, const auto& ctx, auto m) {
        table.z_loss_forward(ctx, {m[0], 0.5f, m[1]});
      };
      check_kernel(c);
    }
  }
}

TEST(CpuRouterLosses, ZBackward) {
  for (const Size size : router_sizes()) {
    for (const std::vector<DType>& types : storage_types(3, size)) {
      for (const bool accumulate : {false, true}) {
        const double scale = 2 * 0.5 / static_cast<double>(std::max<std::int64_t>(size.rows, 1));
        const double lse = most_lse(size.cols), error = lse_error(size.cols);
        // p = exp(v − lse) from the rounded lse, |v − lse| ≤ 8 + lse.
        const double p_error = error + (2.4 + 2 * (8 + lse) + 2) * kUnit;
        const double slope = scale * (error + lse * (p_error + 2 * kUnit));
        const auto bound = [=](double e) { return slope + 2 * kUnit * (std::abs(e) + 4); };
        KernelCase c;
        c.name = describe("z backward", size, types);
        c.operands = {input(types[0], size, 8), input(types[1], size),
                      output(types[2], size, bound)};
        c.run = [=](const auto& table, const auto& ctx, auto m) {
          table.z_loss_backward(ctx, {m[0], m[1], 0.5f, {m[2], accumulate}});
        };
        if (types[1] == types[2] && !accumulate) c.alias_output = 2, c.alias_input = 1;
        check_kernel(c);
      }
    }
  }
}

TEST(CpuRouterLosses, NotANumberIsNotHidden) {
  for (const Isa isa : supported_isas()) {
    float logits[3] = {1, std::nanf(""), 2}, loss = 0;
    kernels::cpu_table(isa).z_loss_forward(
        {}, {{logits, DType::f32, 1, 3, 3}, 1, {&loss, DType::f32, 1, 1, 1}});
    EXPECT_TRUE(std::isnan(loss));
  }
}

// Types 0 and 1, none where untyped.
std::vector<std::int32_t> random_types(std::int64_t sequences, bool typed) {
  std::vector<std::int32_t> types;
  for (std::int64_t s = 0; typed && s < sequences; ++s)
    types.push_back(static_cast<std::int32_t>(generator()() % 2));
  return types;
}
const std::int32_t* pointer(const std::vector<std::int32_t>& types) {
  return types.empty() ? nullptr : types.data();
}

// var/mean² when every entry of Z is off by a rounding: Σ |Z|·|2(Z − m)/((M − 1)m²) − 2·var/(m³M)|
// with Z ≤ q·m is at most 2M/(M − 1)·q(q + 1) + 2·var/m².
double relative_spread_error(const OperandSpec& weights, std::int64_t sequences, float delta) {
  const std::int64_t E = weights.cols, T = sequences > 0 ? weights.rows / sequences : 0;
  double most = 0, total = 0;
  for (std::int64_t s = 0; s < sequences; ++s) {
    for (std::int64_t e = 0; e < E; ++e) {
      double sum = 0;
      for (std::int64_t row = s * T; row < (s + 1) * T; ++row)
        sum += weights.values[static_cast<std::size_t>(row * E + e)];
      most = std::max(most, sum * (1 + static_cast<double>(delta)));
      total += sum * (1 - static_cast<double>(delta));
    }
  }
  const double M = static_cast<double>(sequences * E);
  if (M < 2 || total == 0) return 0;
  const double q = most / (total / M);
  return (2 * M / (M - 1) * q * (q + 1) + 2 * q * q) * kUnit;
}

TEST(CpuRouterLosses, ImportanceForward) {
  for (const Size size : router_sizes()) {
    for (const std::int64_t sequences : sequences_of(size)) {
      for (const std::vector<DType>& types : storage_types(2, size)) {
        for (const bool typed : {false, true}) {
          const std::vector<std::int32_t> kinds = random_types(sequences, typed);
          const OperandSpec weights = positive(types[0], size);
          const double error = 0.5 * relative_spread_error(weights, sequences, 0.25f);
          KernelCase c;
          c.name = describe("importance " + std::to_string(sequences), size, types);
          // Z is summed in double, in the order of the rows: only its rounding differs.
          c.operands = {
              weights, output(DType::f32, {sequences, size.cols}, [](double) { return 0.0; }),
              output(types[1], {1, 1}, [=](double e) { return error + kUnit * std::abs(e); })};
          c.run = [&](const auto& table, const auto& ctx, auto m) {
            table.importance_loss_forward(
                ctx, {m[0], pointer(kinds), sequences, 0.25f, 0.5f, m[1], m[2]});
          };
          check_kernel(c);
        }
      }
    }
  }
}

TEST(CpuRouterLosses, ImportanceBackward) {
  for (const Size size : router_sizes()) {
    for (const std::int64_t sequences : sequences_of(size)) {
      for (const std::vector<DType>& types : storage_types(2, size)) {
        for (const int variant : {0, 1, 2, 3}) {  // bits: typed, accumulate
          const std::vector<std::int32_t> kinds = random_types(sequences, (variant & 1) != 0);
          const bool accumulate = (variant & 2) != 0;
          // The slope is rounded once; it is the result less dy and what was there.
          const auto bound = [](double e) { return 3 * kUnit * (std::abs(e) + 4); };
          KernelCase c;
          c.name = describe("importance backward " + std::to_string(sequences), size, types);
          c.operands = {positive(DType::f32, {sequences, size.cols}), input(types[0], size),
                        output(types[1], size, bound)};
          c.run = [&](const auto& table, const auto& ctx, auto m) {
            table.importance_loss_backward(
                ctx, {m[0], m[1], pointer(kinds), 0.25f, 0.5f, {m[2], accumulate}});
          };
          if (types[0] == types[1] && !accumulate) c.alias_output = 2, c.alias_input = 1;
          check_kernel(c);
        }
      }
    }
  }
}

// Relative error of a sum of a row, which is at least kLeast·cols.
double relative_sum_error(std::int64_t cols) {
  return cols == 0 ? 0 : row_sum_error(cols, kMost) / (kLeast * static_cast<double>(cols)) + kUnit;
}

TEST(CpuNormaliseRows, Forward) {
  for (const Size size : usual_sizes()) {
    for (const std::vector<DType>& types : storage_types(2, size)) {
      const double relative = relative_sum_error(size.cols) + 3 * kUnit;
      KernelCase c;
      c.name = describe("normalise rows", size, types);
      c.operands = {positive(types[0], size),
                    output(types[1], size, [=](double e) { return relative * std::abs(e); })};
      c.run = [](const auto& table, const auto& ctx, auto m) {
        table.normalise_rows_forward(ctx, {m[0], 2.5f, 0.125f, m[1]});
      };
      check_kernel(c);
    }
  }
}

TEST(CpuNormaliseRows, Backward) {
  for (const Size size : usual_sizes()) {
    for (const std::vector<DType>& types : storage_types(4, size)) {
      for (const bool accumulate : {false, true}) {
        // (2.5·dy − Σ dy·y)/Σx with |dy|, |y| ≤ 2.
        const auto cols = static_cast<double>(size.cols);
        const double dot_error = row_sum_error(size.cols, 4) + 8 * cols * kUnit;
        const double numerator_error = dot_error + 2 * kUnit * (5 + 4 * cols);
        const double relative = relative_sum_error(size.cols) + 2 * kUnit;
        const auto bound = [=](double e) {
          return numerator_error / (kLeast * std::max(cols, 1.0)) +
                 relative * (std::abs(e) + (accumulate ? 2 : 0));
        };
        KernelCase c;
        c.name = describe("normalise rows backward", size, types);
        c.operands = {positive(types[0], size), input(types[1], size), input(types[2], size),
                      output(types[3], size, bound)};
        c.run = [=](const auto& table, const auto& ctx, auto m) {
          table.normalise_rows_backward(ctx, {m[0], m[1], m[2], 2.5f, 0.125f, {m[3], accumulate}});
        };
        if (types[2] == types[3] && !accumulate) c.alias_output = 3, c.alias_input = 2;
        check_kernel(c);
      }
    }
  }
}

TEST(CpuJitter, HasTheNumbersOfTheStream) {
  for (const Size size : usual_sizes()) {
    for (const std::vector<DType>& types : storage_types(2, size)) {
      for (const float amount : {0.0f, 0.01f, 0.5f}) {
        for (const bool accumulate : {false, true}) {
          KernelCase c;
          c.name = describe("jitter " + std::to_string(amount), size, types);
          // Roundings of u, the factor (twice) and the product, at most 3, and of the sum, at
          // most 5.
          c.operands = {input(types[0], size), output(types[1], size, within(5, 5))};
          c.run = [=](const auto& table, const auto& ctx, auto m) {
            table.jitter(ctx, {m[0], m[1], amount, 0x123456789abcdefu, (std::uint64_t{7} << 33) + 5,
                               accumulate});
          };
          if (types[0] == types[1] && !accumulate) c.alias_output = 1, c.alias_input = 0;
          check_kernel(c);
        }
      }
    }
  }
}

}  // namespace
}  // namespace ffn::test
