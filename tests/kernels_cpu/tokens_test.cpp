// Depthwise convolution, patches, means over tokens, dropped rows and soft targets on every ISA
// against the reference, at sizes that several threads share.
//
// Bounds. A sum of d terms in a chain, each below t, errs by at most (d + 1)·2^-24·d·t; where lines
// are summed first, d is the longest chain instead of the number of terms. One unit more where the
// old value is added.
#include <gtest/gtest.h>

#include <cmath>

#include "kernels_cpu/kernel_check.h"

namespace ffn::test {
namespace {

std::mt19937_64& generator() {
  static std::mt19937_64 random(6);
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

struct ConvSize {
  std::int64_t B;
  kernels::TokenGrid grid;
  std::int64_t k, C;

  Size rows() const { return {B * grid.rows(), C}; }
  // Terms of a weight's gradient, and their longest chain: a line, the lines of a sequence, the
  // sequences of a chunk, the chunks.
  double terms() const { return static_cast<double>(B * grid.height * grid.width); }
  double chain() const {
    return static_cast<double>(grid.width + grid.height + (B + 15) / 16 + 16);
  }
};
constexpr ConvSize kConvSizes[] = {{0, {2, 2, 1}, 3, 5},    {1, {1, 1, 0}, 1, 1},
                                   {2, {1, 1, 1}, 5, 9},    {2, {3, 5, 1}, 3, 7},
                                   {1, {8, 8, 0}, 5, 33},   {5, {4, 4, 1}, 5, 130},
                                   {40, {7, 5, 1}, 3, 64},  {3, {14, 14, 1}, 7, 65},
                                   {2, {6, 6, 2}, 3, 1030}, {17, {2, 3, 0}, 3, 16}};

TEST(CpuConv, Forward) {
  for (const ConvSize& s : kConvSizes) {
    for (const std::vector<DType>& types : storage_types(3, s.rows())) {
      for (const bool has_bias : {false, true}) {
        const auto taps = static_cast<double>(s.k * s.k + 1);
        KernelCase c;
        c.name = describe("depthwise conv", s.rows(), types);
        c.operands = {input(types[0], s.rows()), input(types[1], {s.C, s.k * s.k}),
                      input(types[1], {1, s.C}),
                      output(types[2], s.rows(), within(taps + 1, taps * 4))};
        c.run = [&](const auto& table, const auto& ctx, auto m) {
          kernels::DepthwiseConvForwardArgs args{m[0], m[1], {}, m[3], s.grid, s.k};
          if (has_bias) args.bias = m[2];
          table.depthwise_conv_forward(ctx, args);
        };
        c.workspace_bytes = [&](const auto& table) {
          return table.depthwise_conv_forward_workspace(s.C, s.k);
        };
        check_kernel(c);
      }
    }
  }
}

TEST(CpuConv, Backward) {
  for (const ConvSize& s : kConvSizes) {
    for (const std::vector<DType>& types : storage_types(3, s.rows())) {
      for (const int wanted : {1, 2, 4, 7, 15}) {  // bits: dx, dweight, dbias, accumulate
        const auto taps = static_cast<double>(s.k * s.k);
        const auto sums = within(s.chain() + 2, 4 * s.terms() + 2);
        KernelCase c;
        c.name = describe("depthwise conv backward " + std::to_string(wanted), s.rows(), types);
        c.operands = {input(types[0], s.rows()),
                      input(types[1], {s.C, s.k * s.k}),
                      input(types[0], s.rows()),
                      output(types[2], s.rows(), within(taps + 2, taps * 4 + 2)),
                      output(types[1], {s.C, s.k * s.k}, sums),
                      output(types[1], {1, s.C}, sums)};
        c.run = [&](const auto& table, const auto& ctx, auto m) {
          const bool accumulate = (wanted & 8) != 0;
          kernels::DepthwiseConvBackwardArgs args{{}, {}, m[2], {}, {}, {}, s.grid, s.k};
          if ((wanted & 1) != 0) args.weight = m[1], args.dx = {m[3], accumulate};
          if ((wanted & 2) != 0) args.x = m[0], args.dweight = {m[4], accumulate};
          if ((wanted & 4) != 0) args.dbias = {m[5], accumulate};
          table.depthwise_conv_backward(ctx, args);
        };
        c.workspace_bytes = [&](const auto& table) {
          return table.depthwise_conv_backward_workspace(s.B, s.C, s.k);
        };
        check_kernel(c);
      }
    }
  }
}

struct Pictures {
  std::int64_t B;
  kernels::PatchGrid grid;

  Size images() const { return {B, grid.picture()}; }
  Size patches() const { return {B * grid.tokens(), grid.token()}; }
};
constexpr Pictures kPictures[] = {{0, {3, 4, 4, 2}},       {1, {1, 1, 1, 1}},
                                  {3, {2, 6, 9, 3}},       {5, {3, 64, 48, 16}},
                                  {1, {1, 600, 600, 600}}, {2, {3, 17, 34, 17}}};

TEST(CpuTokens, Patchify) {
  for (const Pictures& p : kPictures) {
    for (const std::vector<DType>& types : storage_types(2, p.images())) {
      KernelCase c;
      c.name = describe("patchify", p.images(), types);
      c.operands = {input(types[0], p.images()), output(types[1], p.patches(), within(0, 0))};
      c.run = [&](const auto& table, const auto& ctx, auto m) {
        table.patchify_forward(ctx, {m[0], m[1], p.grid});
      };
      check_kernel(c);
      for (const bool accumulate : {false, true}) {
        KernelCase back;
        back.name = describe("patchify backward", p.images(), types);
        back.operands = {input(types[0], p.patches()),
                         output(types[1], p.images(), within(accumulate ? 1 : 0, 0))};
        back.run = [&](const auto& table, const auto& ctx, auto m) {
          table.patchify_backward(ctx, {m[0], {m[1], accumulate}, p.grid});
        };
        check_kernel(back);
      }
    }
  }
}

struct Sequences {
  std::int64_t B, T, D, first, count;
};
constexpr Sequences kSequences[] = {{0, 5, 7, 1, 4},      {1, 1, 1, 0, 1},    {3, 5, 7, 1, 4},
                                    {40, 50, 70, 1, 49},  {2, 3, 1030, 0, 2}, {5, 4, 16, 3, 1},
                                    {2, 200, 33, 10, 190}};

TEST(CpuTokens, MeanForward) {
  for (const auto& [B, T, D, first, count] : kSequences) {
    for (const std::vector<DType>& types : storage_types(2, {B * T, D})) {
      // Runs of 64 rows, then their sums; each value below 2, divided by count.
      const auto chain = static_cast<double>(std::min<std::int64_t>(count, 64) + count / 64 + 2);
      KernelCase c;
      c.name = describe("mean of tokens", {B * T, D}, types);
      c.operands = {input(types[0], {B * T, D}), output(types[1], {B, D}, within(chain + 1, 2))};
      c.run = [from = first, n = count](const auto& table, const auto& ctx, auto m) {
        table.mean_tokens_forward(ctx, {m[0], m[1], from, n});
      };
      check_kernel(c);
    }
  }
}

TEST(CpuTokens, MeanBackward) {
  for (const auto& [B, T, D, first, count] : kSequences) {
    for (const std::vector<DType>& types : storage_types(2, {B * T, D})) {
      for (const bool accumulate : {false, true}) {
        KernelCase c;
        c.name = describe("mean of tokens backward", {B * T, D}, types);
        c.operands = {input(types[0], {B, D}), output(types[1], {B * T, D}, within(2, 2))};
        c.run = [from = first, n = count, accumulate](const auto& table, const auto& ctx, auto m) {
          table.mean_tokens_backward(ctx, {m[0], {m[1], accumulate}, from, n});
        };
        check_kernel(c);
      }
    }
  }
}

TEST(CpuTokens, GateForward) {
  for (const auto& [B, T, D, first, count] : kSequences) {
    for (const std::vector<DType>& types : storage_types(3, {B * T, D})) {
      KernelCase c;
      c.name = describe("gated tokens", {B * T, D}, types);
      c.operands = {input(types[0], {B * T, D}), input(types[1], {B, D}),
                    output(types[2], {B * T, D}, within(1, 0))};
      c.run = [from = first, n = count](const auto& table, const auto& ctx, auto m) {
        table.gate_tokens_forward(ctx, {m[0], m[1], m[2], from, n});
      };
      if (types[0] == types[2]) c.alias_output = 2, c.alias_input = 0;
      check_kernel(c);
    }
  }
}

TEST(CpuTokens, GateBackward) {
  for (const auto& [B, T, D, first, count] : kSequences) {
    for (const std::vector<DType>& types : storage_types(3, {B * T, D})) {
      for (const int wanted : {1, 2, 3, 7}) {  // bits: dx, dgate, accumulate
        const bool accumulate = (wanted & 4) != 0;
        const auto chain = static_cast<double>(std::min<std::int64_t>(count, 64) + count / 64 + 2);
        KernelCase c;
        c.name = describe("gated tokens backward", {B * T, D}, types);
        c.operands = {
            input(types[0], {B * T, D}), input(types[1], {B, D}), input(types[2], {B * T, D}),
            output(types[2], {B * T, D}, within(3, 4)),
            output(types[1], {B, D}, within(chain + 3, 4 * static_cast<double>(count) + 2))};
        c.run = [=, from = first, n = count](const auto& table, const auto& ctx, auto m) {
          kernels::GateTokensBackwardArgs args{{}, {}, m[2], {}, {}, from, n};
          if ((wanted & 1) != 0) args.gate = m[1], args.dx = {m[3], accumulate};
          if ((wanted & 2) != 0) args.x = m[0], args.dgate = {m[4], accumulate};
          table.gate_tokens_backward(ctx, args);
        };
        if (wanted == 3) c.alias_output = 3, c.alias_input = 2;
        check_kernel(c);
      }
    }
  }
}

TEST(CpuTokens, DroppedRows) {
  for (const auto& [B, T, D, first, count] : kSequences) {
    for (const std::vector<DType>& types : storage_types(2, {B * T, D})) {
      for (const bool accumulate : {false, true}) {
        KernelCase c;
        c.name = describe("dropped rows", {B * T, D}, types);
        c.operands = {input(types[0], {B * T, D}), output(types[1], {B * T, D}, within(3, 4))};
        c.run = [accumulate, rows = T](const auto& table, const auto& ctx, auto m) {
          table.dropout(ctx, {m[0], m[1], 0.375f, 77, 5, accumulate, rows});
        };
        if (types[0] == types[1] && !accumulate) c.alias_output = 1, c.alias_input = 0;
        check_kernel(c);
      }
    }
  }
}

// Every third row has no weight; elsewhere weights in [0, 2), a third of them 0.
OperandSpec soft_targets(Size size) {
  OperandSpec targets = input(DType::f32, size);
  for (std::int64_t row = 0; row < size.rows; ++row) {
    for (std::int64_t col = 0; col < size.cols; ++col) {
      double& t = targets.values[static_cast<std::size_t>(row * size.cols + col)];
      t = row % 3 == 1 || generator()() % 3 == 0 ? 0 : std::abs(t);
    }
  }
  return targets;
}

// Of V weights below 2, and of the sum of V terms of 2 times a distance below 2·2 + ln V + 1.
double soft_sum_error(std::int64_t V) {
  const double distance = 5 + std::log(static_cast<double>(V));
  return 2 * row_sum_error(V, 2 * distance) + 16 * kUnit * 2 * distance * static_cast<double>(V);
}

TEST(CpuSoftCrossEntropy, Forward) {
  for (const Size size : usual_sizes()) {
    if (size.cols == 0) continue;
    for (const std::vector<DType>& types : storage_types(1, size)) {
      for (const float smoothing : {0.0f, 0.125f}) {
        const double error = soft_sum_error(size.cols);
        const auto bound = [=](double e) { return error + kUnit * std::abs(e); };
        KernelCase c;
        c.name = describe("soft cross-entropy", size, types);
        c.operands = {input(types[0], size), soft_targets(size), output(DType::f32, {1, 1}, bound),
                      output(DType::f32, {size.rows, 1}, bound),
                      output(DType::f32, {1, 1}, [](double) { return 0.0; })};
        c.run = [=](const auto& table, const auto& ctx, auto m) {
          table.soft_cross_entropy_forward(ctx, {m[0], m[1], m[2], m[3], m[4], smoothing});
        };
        c.workspace_bytes = [=](const auto& table) {
          return table.cross_entropy_workspace(size.rows);
        };
        check_kernel(c);
      }
    }
  }
}

TEST(CpuSoftCrossEntropy, Backward) {
  for (const Size size : usual_sizes()) {
    if (size.cols == 0) continue;
    for (const std::vector<DType>& types : storage_types(2, size)) {
      for (const bool accumulate : {false, true}) {
        OperandSpec lse{DType::f32, size.rows, 1, Role::input, {}};
        // Far above every logit's own share: probabilities e^(x − lse) below e^-8.
        lse.values.assign(static_cast<std::size_t>(size.rows), 10);
        const OperandSpec count{DType::f32, 1, 1, Role::input, {7}};
        const OperandSpec dloss{DType::f32, 1, 1, Role::input, {1.5}};
        // 1.5/7·(s·p − t), s < 2·V with its summing error, p < e^-8 within 2.4 + 24 units, |t| <
        // 2 + 2/8; added to at most 2.
        const double p = std::exp(-8.0), s = 2 * static_cast<double>(size.cols);
        const double inner = p * (row_sum_error(size.cols, 2) + 30 * kUnit * s) + 8 * kUnit * 3;
        const auto bound = [=](double e) {
          return 1.5 / 7 * inner + 3 * kUnit * std::abs(e) + 2 * kUnit;
        };
        KernelCase c;
        c.name = describe("soft cross-entropy backward", size, types);
        c.operands = {input(types[0], size),        soft_targets(size), lse, count, dloss,
                      output(types[1], size, bound)};
        c.run = [=](const auto& table, const auto& ctx, auto m) {
          table.soft_cross_entropy_backward(
              ctx, {m[0], m[1], m[2], m[3], m[4], {m[5], accumulate}, 0.125f});
        };
        if (types[0] == types[1] && !accumulate) c.alias_output = 5, c.alias_input = 0;
        check_kernel(c);
      }
    }
  }
}

}  // namespace
}  // namespace ffn::test
