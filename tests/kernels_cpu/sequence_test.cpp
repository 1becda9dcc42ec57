// Causal convolution and rotary positions on every ISA against the reference, at sizes that several
// threads share. Bounds as in tokens_test.cpp.
#include <gtest/gtest.h>

#include <cmath>

#include "kernels_cpu/kernel_check.h"

namespace ffn::test {
namespace {

std::mt19937_64& generator() {
  static std::mt19937_64 random(8);
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
  std::int64_t B, T, k, C;

  Size rows() const { return {B * T, C}; }
  // Terms of a weight's gradient, and their longest chain: a run of 64 rows, the runs of a
  // sequence, the sequences of a chunk, the chunks.
  double terms() const { return static_cast<double>(B * T); }
  double chain() const { return static_cast<double>(64 + (T + 63) / 64 + (B + 15) / 16 + 16); }
};
constexpr ConvSize kConvSizes[] = {
    {0, 0, 4, 5},    {1, 1, 1, 1},   {2, 3, 4, 7},    {3, 2, 9, 17},    {1, 130, 4, 33},
    {5, 16, 5, 130}, {40, 9, 4, 64}, {2, 200, 3, 65}, {2, 7, 64, 1030}, {17, 3, 8, 16}};

TEST(CpuCausalConv, Forward) {
  for (const ConvSize& s : kConvSizes) {
    for (const std::vector<DType>& types : storage_types(3, s.rows())) {
      for (const bool has_bias : {false, true}) {
        const auto taps = static_cast<double>(s.k + 1);
        KernelCase c;
        c.name = describe("causal conv", s.rows(), types);
        c.operands = {input(types[0], s.rows()), input(types[1], {s.C, s.k}),
                      input(types[1], {1, s.C}),
                      output(types[2], s.rows(), within(taps + 1, taps * 4))};
        c.run = [&](const auto& table, const auto& ctx, auto m) {
          kernels::CausalConvForwardArgs args{m[0], m[1], {}, m[3], s.T, s.k};
          if (has_bias) args.bias = m[2];
          table.causal_conv_forward(ctx, args);
        };
        c.workspace_bytes = [&](const auto& table) {
          return table.causal_conv_forward_workspace(s.C, s.k);
        };
        check_kernel(c);
      }
    }
  }
}

TEST(CpuCausalConv, Backward) {
  for (const ConvSize& s : kConvSizes) {
    for (const std::vector<DType>& types : storage_types(3, s.rows())) {
      for (const int wanted : {1, 2, 4, 7, 15}) {  // bits: dx, dweight, dbias, accumulate
        const auto taps = static_cast<double>(s.k);
        const auto sums = within(s.chain() + 2, 4 * s.terms() + 2);
        KernelCase c;
        c.name = describe("causal conv backward " + std::to_string(wanted), s.rows(), types);
        c.operands = {input(types[0], s.rows()),
                      input(types[1], {s.C, s.k}),
                      input(types[0], s.rows()),
                      output(types[2], s.rows(), within(taps + 2, taps * 4 + 2)),
                      output(types[1], {s.C, s.k}, sums),
                      output(types[1], {1, s.C}, sums)};
        c.run = [&](const auto& table, const auto& ctx, auto m) {
          const bool accumulate = (wanted & 8) != 0;
          kernels::CausalConvBackwardArgs args{{}, {}, m[2], {}, {}, {}, s.T, s.k};
          if ((wanted & 1) != 0) args.weight = m[1], args.dx = {m[3], accumulate};
          if ((wanted & 2) != 0) args.x = m[0], args.dweight = {m[4], accumulate};
          if ((wanted & 4) != 0) args.dbias = {m[5], accumulate};
          table.causal_conv_backward(ctx, args);
        };
        c.workspace_bytes = [&](const auto& table) {
          return table.causal_conv_backward_workspace(s.B, s.C, s.k);
        };
        check_kernel(c);
      }
    }
  }
}

struct RopeSize {
  std::int64_t B, T, heads, W, R, first;

  Size rows() const { return {B * T, heads * W}; }
};
constexpr RopeSize kRopeSizes[] = {
    {0, 0, 1, 4, 4, 0},         {1, 1, 1, 2, 2, 7},       {2, 3, 3, 8, 8, 0},
    {3, 5, 2, 9, 6, 1},         {2, 33, 2, 34, 34, 0},    {5, 65, 4, 64, 64, 100},
    {1, 100, 3, 66, 32, 40000}, {2, 3, 1, 1300, 1280, 0}, {40, 2, 2, 130, 130, 0}};

// Numbers below 2: the rounding of cosine and sine, two products, a sum, and a sum with what was
// there.
TEST(CpuRope, EveryStyle) {
  for (const RopeSize& s : kRopeSizes) {
    for (const std::vector<DType>& types : storage_types(2, s.rows())) {
      for (const int bits : {0, 1, 2, 3, 4, 6}) {  // interleaved, back, accumulate
        KernelCase c;
        c.name = describe("rope " + std::to_string(bits), s.rows(), types);
        c.operands = {input(types[0], s.rows()), output(types[1], s.rows(), within(5, 4))};
        const bool accumulate = (bits & 4) != 0;
        c.run = [=](const auto& table, const auto& ctx, auto m) {
          const auto style =
              (bits & 1) != 0 ? kernels::RopeStyle::interleaved : kernels::RopeStyle::half;
          table.rope(ctx, {m[0], m[1], s.T, s.heads, s.R, s.first, 500, nullptr, style,
                           (bits & 2) != 0, accumulate});
        };
        c.workspace_bytes = [&](const auto& table) { return table.rope_workspace(s.T, s.R); };
        if (types[0] == types[1] && !accumulate) c.alias_output = 1, c.alias_input = 0;
        check_kernel(c);
      }
    }
  }
}

}  // namespace
}  // namespace ffn::test
