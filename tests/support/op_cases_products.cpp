// linear, matmul, grouped_linear.
#include "ffn/ops/grouped_linear.h"
#include "ffn/ops/linear.h"
#include "support/op_case_builder.h"

namespace ffn::test {
namespace {

Value run_linear(CaseRun& c) { return linear(c.ex, std::move(c.in[0]), c.in[1], c.in[2]); }
Value run_linear_without_bias(CaseRun& c) { return linear(c.ex, std::move(c.in[0]), c.in[1]); }

// Prepares the weight for the device first.
Value run_linear_packed(CaseRun& c) {
  const kernels::KernelTable& kernels = *c.ex.device().kernels;
  const Tensor& weight = c.in[1].tensor;
  const DType x = c.in[0].tensor.dtype();
  const std::int64_t bytes = kernels.packed_b_bytes(ProductForm::nt, weight.matrix(), x);
  const Tensor packed = c.ex.allocate_persistent({{bytes}, DType::u8}, Tag::prepared);
  if (!c.ex.dry()) {
    kernels.pack_b({c.ex.device().threads, nullptr, 0},
                   {ProductForm::nt, weight.matrix(), packed.data(), 0, weight.rows(), x});
  }
  return linear(c.ex, std::move(c.in[0]), c.in[1], {}, packed);
}

void add_linear(std::vector<OpCase>& cases) {
  struct Sizes {
    std::int64_t N, D, H;
  };
  for (const auto& [N, D, H] : {Sizes{1, 1, 1},
                                {3, 7, 5},
                                {5, 8, 9},
                                {2, 9, 8},
                                {17, 16, 15},
                                {4, 15, 17},
                                {9, 33, 16},
                                {0, 8, 5}}) {
    add_case(cases, {"linear",
                     sizes({N, D, H}),
                     {number("x", {N, D}), number("weight", {H, D}), number("bias", {H})},
                     run_linear});
  }
  add_case(cases, {"linear",
                   "without_bias",
                   {number("x", {3, 8}), number("weight", {7, 8})},
                   run_linear_without_bias});
  add_case(cases, {"linear",
                   "three_axes",
                   {number("x", {2, 3, 8}), number("weight", {5, 8}), number("bias", {5})},
                   run_linear});
  add_case(cases, {"linear",
                   "only_x",
                   {number("x", {5, 7}), without_gradient(number("weight", {9, 7})),
                    without_gradient(number("bias", {9}))},
                   run_linear});
  add_case(cases, {"linear",
                   "only_weight",
                   {without_gradient(number("x", {5, 7})), number("weight", {9, 7}),
                    without_gradient(number("bias", {9}))},
                   run_linear});
  add_case(cases, {"linear",
                   "only_bias",
                   {without_gradient(number("x", {5, 7})),
                    without_gradient(number("weight", {9, 7})), number("bias", {9})},
                   run_linear});
  add_case(cases, {"linear",
                   "frozen_f16",
                   {number("x", {3, 9}), frozen("weight", InputKind::f16, {5, 9})},
                   run_linear_without_bias});
  add_case(cases,
           {"linear",
            "frozen_q8_0",
            {number("x", {3, 32}), frozen("weight", InputKind::q8_0, {7, 32}), number("bias", {7})},
            run_linear});
  add_case(cases, {"linear",
                   "frozen_q4_0",
                   {number("x", {5, 64}), frozen("weight", InputKind::q4_0, {9, 64})},
                   run_linear_without_bias});
  for (const auto& [N, D, H] : {Sizes{1, 9, 17}, {5, 16, 8}, {0, 8, 3}}) {
    add_case(cases, {"linear",
                     "packed_" + sizes({N, D, H}),
                     {number("x", {N, D}), frozen("weight", InputKind::f16, {H, D})},
                     run_linear_packed});
  }
}

void add_matmul(std::vector<OpCase>& cases) {
  struct Sizes {
    std::int64_t M, N, K;
  };
  for (const auto& [M, N, K] :
       {Sizes{1, 1, 1}, {3, 5, 7}, {8, 9, 16}, {17, 15, 8}, {0, 3, 5}, {4, 7, 0}}) {
    add_case(cases, {"matmul",
                     "nt_" + sizes({M, N, K}),
                     {number("a", {M, K}), number("b", {N, K})},
                     [](CaseRun& c) {
                       return matmul(c.ex, std::move(c.in[0]), std::move(c.in[1]), ProductForm::nt);
                     }});
    add_case(cases, {"matmul",
                     "nn_" + sizes({M, N, K}),
                     {number("a", {M, K}), number("b", {K, N})},
                     [](CaseRun& c) {
                       return matmul(c.ex, std::move(c.in[0]), std::move(c.in[1]), ProductForm::nn);
                     }});
    add_case(cases, {"matmul",
                     "tn_" + sizes({M, N, K}),
                     {number("a", {K, M}), number("b", {K, N})},
                     [](CaseRun& c) {
                       return matmul(c.ex, std::move(c.in[0]), std::move(c.in[1]), ProductForm::tn);
                     }});
  }
  OpCase gram{"matmul", "with_itself", {number("a", {5, 9})}, [](CaseRun& c) {
                return matmul(c.ex, c.in[0], c.in[0], ProductForm::nt);
              }};
  gram.bf16_inside = 1;  // two gradients are rounded, then added
  add_case(cases, std::move(gram));
  add_case(cases, {"matmul",
                   "only_b",
                   {without_gradient(number("a", {5, 9})), number("b", {9, 8})},
                   [](CaseRun& c) {
                     return matmul(c.ex, std::move(c.in[0]), std::move(c.in[1]), ProductForm::nn);
                   }});
}

void add_grouped_linear(std::vector<OpCase>& cases) {
  const auto add = [&](std::string name, std::int64_t D, std::int64_t H,
                       std::vector<double> offsets, InputKind kind) {
    const auto experts = static_cast<std::int64_t>(offsets.size()) - 1;
    const auto rows = static_cast<std::int64_t>(offsets.back());
    const CaseInput weights{"weights", kind, {experts * H, D}, kind == InputKind::number, {}};
    add_case(cases, {"grouped_linear",
                     std::move(name),
                     {number("x", {rows, D}), weights, index("offsets", std::move(offsets))},
                     [experts](CaseRun& c) {
                       return grouped_linear(c.ex, std::move(c.in[0]), c.in[1], c.in[2].tensor,
                                             experts);
                     }});
  };
  add("one_expert", 7, 5, {0, 3}, InputKind::number);
  add("empty_expert", 5, 3, {0, 2, 2, 7}, InputKind::number);
  add("lanes", 9, 8, {0, 5, 5, 16, 17}, InputKind::number);
  add("wide", 16, 17, {0, 0, 8, 15}, InputKind::number);
  add("zero_rows", 8, 4, {0, 0, 0}, InputKind::number);
  add("frozen_q8_0", 32, 3, {0, 1, 6}, InputKind::q8_0);
}

void add_grouped_bias(std::vector<OpCase>& cases) {
  const auto run = [](CaseRun& c) {
    const std::int64_t experts = c.in[3].rows();
    return grouped_linear(c.ex, std::move(c.in[0]), c.in[1], c.in[2].tensor, experts, c.in[3]);
  };
  const auto add = [&](std::string name, std::int64_t D, std::int64_t H,
                       std::vector<double> offsets, InputKind bias) {
    const auto experts = static_cast<std::int64_t>(offsets.size()) - 1;
    const auto rows = static_cast<std::int64_t>(offsets.back());
    add_case(cases, {"grouped_linear",
                     std::move(name),
                     {number("x", {rows, D}),
                      number("weights", {experts * H, D}),
                      index("offsets", std::move(offsets)),
                      {"bias", bias, {experts, H}, true, {}}},
                     run});
  };
  add("bias_one_row_each", 5, 3, {0, 1, 2, 3}, InputKind::number);
  add("bias_empty_experts", 9, 17, {0, 0, 2, 2, 13, 13}, InputKind::number);
  add("bias_statistic", 7, 8, {0, 9, 12}, InputKind::statistic);
  add("bias_zero_rows", 8, 4, {0, 0, 0}, InputKind::number);
  add_case(cases,
           {"grouped_linear",
            "only_bias",
            {without_gradient(number("x", {6, 9})), without_gradient(number("weights", {10, 9})),
             index("offsets", {0, 2, 6}), number("bias", {2, 5})},
            run});
}

}  // namespace

void add_product_cases(std::vector<OpCase>& cases) {
  add_linear(cases);
  add_matmul(cases);
  add_grouped_linear(cases);
  add_grouped_bias(cases);
}

}  // namespace ffn::test
