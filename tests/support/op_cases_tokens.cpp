// Tokens on a grid, patches, means and whole sequences; losses for rows of weights.
#include "ffn/ops/causal_conv.h"
#include "ffn/ops/cross_entropy.h"
#include "ffn/ops/depthwise_conv.h"
#include "ffn/ops/drop_path.h"
#include "ffn/ops/mix_tokens.h"
#include "ffn/ops/patchify.h"
#include "ffn/ops/rope.h"
#include "ffn/ops/tokens.h"
#include "support/op_case_builder.h"

namespace ffn::test {
namespace {

void add_depthwise_conv(std::vector<OpCase>& cases) {
  const auto run = [](const TokenGrid& grid) {
    return [grid](CaseRun& c) {
      const Value bias = c.in.size() > 2 ? c.in[2] : Value();
      return depthwise_conv(c.ex, std::move(c.in[0]), c.in[1], bias, grid);
    };
  };
  struct Sizes {
    std::int64_t B, h, w, prefix, k, C;
  };
  for (const auto& [B, h, w, prefix, k, C] : {Sizes{2, 1, 1, 0, 1, 1},
                                              {2, 1, 1, 1, 3, 7},
                                              {1, 1, 1, 0, 5, 9},
                                              {3, 3, 5, 0, 3, 7},
                                              {2, 3, 5, 1, 5, 17},
                                              {2, 3, 5, 1, 1, 16},
                                              {1, 8, 8, 0, 3, 33},
                                              {1, 8, 8, 1, 5, 3},
                                              {1, 8, 8, 1, 1, 8},
                                              {19, 2, 1, 1, 3, 70},
                                              {0, 3, 5, 1, 3, 7}}) {
    const TokenGrid grid{h, w, prefix};
    const CaseInput x = number("x", {B * grid.rows(), C}), weight = number("weight", {C, k * k});
    const std::string name = sizes({B, h, w, prefix, k, C});
    add_case(cases, {"depthwise_conv", name, {x, weight, number("bias", {C})}, run(grid)});
  }
  const TokenGrid grid{3, 2, 1};
  const CaseInput x = number("x", {14, 9}), weight = number("weight", {9, 9});
  const CaseInput bias = number("bias", {9});
  add_case(cases, {"depthwise_conv", "no_bias", {x, weight}, run(grid)});
  add_case(cases, {"depthwise_conv",
                   "only_x",
                   {x, without_gradient(weight), without_gradient(bias)},
                   run(grid)});
  add_case(cases, {"depthwise_conv",
                   "only_weight",
                   {without_gradient(x), weight, without_gradient(bias)},
                   run(grid)});
  add_case(cases, {"depthwise_conv",
                   "only_bias",
                   {without_gradient(x), without_gradient(weight), bias},
                   run(grid)});
}

// exp of numbers up to 1.5: its relative error is that of its argument's absolute one.
constexpr double kLossUnits = 4;

void add_smoothing(std::vector<OpCase>& cases) {
  const auto add = [&](std::string name, std::int64_t V, float smoothing,
                       std::vector<double> targets) {
    const auto rows = static_cast<std::int64_t>(targets.size());
    OpCase added{"cross_entropy",
                 std::move(name),
                 {number("logits", {rows, V}), index("targets", std::move(targets))},
                 [smoothing](CaseRun& c) {
                   return cross_entropy(c.ex, std::move(c.in[0]), c.in[1].tensor, smoothing);
                 }};
    added.accuracy = Accuracy::function;
    added.units = kLossUnits;
    add_case(cases, std::move(added));
  };
  add("smoothed", 7, 0.125f, {0, 6, 3, 3, 1});
  add("smoothed_ignored", 17, 0.25f, {16, -1, 0});
  add("smoothed_away", 9, 1.0f, {8, 0});
}

// Rows of weights ≥ 0: at most two classes in a row, as mixup makes them; every fourth row none.
std::vector<double> mixed_targets(std::int64_t N, std::int64_t V) {
  std::vector<double> targets(static_cast<std::size_t>(N * V), 0.0);
  for (std::int64_t n = 0; n < N; ++n) {
    if (n % 4 == 3) continue;
    targets[static_cast<std::size_t>(n * V + n % V)] += 0.625;
    targets[static_cast<std::size_t>(n * V + (3 * n + 1) % V)] += n % 2 == 0 ? 0.375 : 0.75;
  }
  return targets;
}

void add_soft_targets(std::vector<OpCase>& cases) {
  const auto add = [&](std::string name, std::int64_t N, std::int64_t V, float smoothing,
                       bool recorded, std::vector<double> targets) {
    const CaseInput weights{"targets", InputKind::statistic, {N, V}, false, std::move(targets)};
    OpCase added{"soft_cross_entropy",
                 std::move(name),
                 {number("logits", {N, V}), weights},
                 [smoothing](CaseRun& c) {
                   return soft_cross_entropy(c.ex, std::move(c.in[0]), c.in[1].tensor, smoothing);
                 }};
    added.accuracy = Accuracy::function;
    added.units = kLossUnits;
    added.recorded = recorded;
    add_case(cases, std::move(added));
  };
  add("5_7", 5, 7, 0, true, mixed_targets(5, 7));
  add("3_17", 3, 17, 0.125f, true, mixed_targets(3, 17));
  add("9_33", 9, 33, 0.25f, true, mixed_targets(9, 33));
  add("one_class", 2, 1, 0.5f, true, {1, 0.25});
  add("all_ignored", 2, 5, 0.125f, true, std::vector<double>(10, 0.0));
  add("no_rows", 0, 5, 0.125f, true, {});
  add("without_tape", 4, 9, 0.125f, false, mixed_targets(4, 9));
}

void add_mean_tokens(std::vector<OpCase>& cases) {
  struct Sizes {
    std::int64_t B, T, D, first, count;
  };
  for (const auto& [B, T, D, first, count] : {Sizes{1, 1, 1, 0, 1},
                                              {3, 5, 7, 0, 5},
                                              {2, 6, 17, 1, 5},
                                              {2, 4, 16, 1, 2},
                                              {0, 0, 9, 1, 3}}) {
    add_case(cases, {"mean_tokens",
                     sizes({B, T, D, first, count}),
                     {number("x", {B * T, D})},
                     [b = B, from = first, n = count](CaseRun& c) {
                       return mean_tokens(c.ex, std::move(c.in[0]), b, from, n);
                     }});
  }
}

void add_drop_path(std::vector<OpCase>& cases) {
  struct Sizes {
    std::int64_t B, T, D;
  };
  for (const auto& [B, T, D] : {Sizes{1, 1, 1}, {4, 3, 7}, {9, 1, 33}, {2, 5, 16}, {0, 0, 9}}) {
    add_case(cases, {"drop_path", sizes({B, T, D}), {number("x", {B * T, D})}, [b = B](CaseRun& c) {
                       const RandomStream stream(3, "drop_path");
                       return drop_path(c.ex, std::move(c.in[0]), 0.375f, stream, b);
                     }});
  }
}

void add_patches(std::vector<OpCase>& cases) {
  struct Sizes {
    std::int64_t B, C, H, W, p;
  };
  for (const auto& [B, C, H, W, p] :
       {Sizes{1, 1, 1, 1, 1}, {2, 3, 4, 6, 2}, {1, 2, 3, 3, 3}, {2, 1, 5, 3, 1}, {0, 3, 4, 2, 2}}) {
    add_case(cases, {"patchify",
                     sizes({B, C, H, W, p}),
                     {number("images", {B, C * H * W})},
                     [channels = C, height = H, width = W, patch = p](CaseRun& c) {
                       return patchify(c.ex, std::move(c.in[0]), channels, height, width, patch);
                     }});
  }
}

void add_prepend_token(std::vector<OpCase>& cases) {
  struct Sizes {
    std::int64_t B, T, D;
  };
  for (const auto& [B, T, D] : {Sizes{1, 1, 1}, {3, 2, 7}, {2, 5, 16}, {0, 0, 9}}) {
    OpCase added{
        "prepend_token",
        sizes({B, T, D}),
        {number("token", {1, D}), number("x", {B * T, D})},
        [b = B](CaseRun& c) { return prepend_token(c.ex, c.in[0], std::move(c.in[1]), b); }};
    added.any_stride = false;  // sequences are regrouped as rows
    add_case(cases, std::move(added));
  }
}

// The last two: several chunks of sequences, pieces of channels and runs of rows.
void add_causal_conv(std::vector<OpCase>& cases) {
  struct Sizes {
    std::int64_t B, T, k, C;
  };
  const auto run = [](std::int64_t sequences) {
    return [sequences](CaseRun& c) {
      const Value bias = c.in.size() > 2 ? c.in[2] : Value();
      return causal_conv(c.ex, std::move(c.in[0]), c.in[1], bias, sequences);
    };
  };
  for (const auto& [B, T, k, C] : {Sizes{1, 1, 1, 1},
                                   {2, 1, 4, 5},
                                   {3, 5, 4, 17},
                                   {2, 3, 7, 9},
                                   {1, 9, 3, 33},
                                   {2, 6, 1, 16},
                                   {0, 0, 4, 7},
                                   {19, 3, 4, 70},
                                   {2, 70, 5, 135}}) {
    add_case(cases, {"causal_conv",
                     sizes({B, T, k, C}),
                     {number("x", {B * T, C}), number("weight", {C, k}), number("bias", {C})},
                     run(B)});
  }
  const CaseInput x = number("x", {14, 9}), weight = number("weight", {9, 4});
  const CaseInput bias = number("bias", {9});
  add_case(cases, {"causal_conv", "no_bias", {x, weight}, run(2)});
  add_case(
      cases,
      {"causal_conv", "only_x", {x, without_gradient(weight), without_gradient(bias)}, run(2)});
  add_case(cases, {"causal_conv",
                   "only_weight",
                   {without_gradient(x), weight, without_gradient(bias)},
                   run(2)});
  add_case(
      cases,
      {"causal_conv", "only_bias", {without_gradient(x), without_gradient(weight), bias}, run(2)});
}

// Accuracy::function: the largest entry of x or dy bounds both terms of every result, which the
// cosines' rounding, two products and a sum make err by 4 roundings at most.
void add_rope(std::vector<OpCase>& cases) {
  const auto add = [&](std::string name, std::int64_t B, std::int64_t T, std::int64_t W,
                       const RopeOptions& options) {
    OpCase added{
        "rope", std::move(name), {number("x", {B * T, options.heads * W})}, [=](CaseRun& c) {
          return rope(c.ex, std::move(c.in[0]), B, options);
        }};
    added.accuracy = Accuracy::function;
    add_case(cases, std::move(added));
  };
  for (const RopeStyle style : {RopeStyle::half, RopeStyle::interleaved}) {
    const std::string prefix = style == RopeStyle::half ? "half_" : "interleaved_";
    add(prefix + "1_1_1_2", 1, 1, 2, {.style = style});
    add(prefix + "2_5_3_8", 2, 5, 8, {.heads = 3, .style = style});
    add(prefix + "3_2_2_34", 3, 2, 34, {.heads = 2, .theta = 500.5, .style = style});
    add(prefix + "part", 2, 3, 19, {.heads = 2, .rotary_width = 10, .style = style});
    add(prefix + "late", 2, 4, 16, {.heads = 2, .first_position = 1000003, .style = style});
    add(prefix + "steps", 2, 70, 6, {.first_position = 9, .style = style});
    add(prefix + "wide", 1, 2, 1100, {.style = style});
    const RopeScaling llama3{RopeScaling::Kind::llama3, 8, 1, 4, 64};
    RopeOptions scaled{.heads = 2, .style = style};
    scaled.frequencies =
        std::make_shared<const std::vector<double>>(rope_frequencies(30, 12, llama3));
    add(prefix + "scaled", 2, 40, 12, scaled);
    add(prefix + "no_rows", 0, 0, 8, {.style = style});
  }
}

// Gradients of weight and bias sum over all sequences and channels. To be no longer than the
// longest axis, as Accuracy::sums wants, several sequences have no more channels than tokens.
void add_mix_tokens(std::vector<OpCase>& cases) {
  struct Sizes {
    std::int64_t B, T, C;
  };
  const auto inputs = [](std::int64_t B, std::int64_t T, std::int64_t C) {
    return std::vector<CaseInput>{number("x", {B * T, C}), number("weight", {T, T}),
                                  number("bias", {T})};
  };
  const auto run = [](std::int64_t B) {
    return [B](CaseRun& c) { return mix_tokens(c.ex, std::move(c.in[0]), c.in[1], c.in[2], B); };
  };
  const auto add = [&](std::string name, std::int64_t B, std::vector<CaseInput> given) {
    OpCase added{"mix_tokens", std::move(name), std::move(given), run(B)};
    added.bf16_inside = 1;  // the bias is stored before the product is added
    add_case(cases, std::move(added));
  };
  for (const auto& [B, T, C] :
       {Sizes{1, 1, 1}, {1, 3, 33}, {1, 17, 8}, {2, 7, 7}, {3, 9, 5}, {2, 16, 15}, {0, 4, 9}})
    add(sizes({B, T, C}), B, inputs(B, T, C));
  for (const std::size_t wanted : {0u, 1u, 2u}) {
    std::vector<CaseInput> given = inputs(2, 5, 3);
    for (std::size_t i = 0; i < given.size(); ++i) given[i].wants = i == wanted;
    add("only_" + given[wanted].name, 2, given);
  }
}

struct Rows {
  std::int64_t B, T, D, first, count;
};

void add_parts_of_sequences(std::vector<OpCase>& cases) {
  for (const auto& [B, T, D, first, count] : {Rows{1, 2, 1, 1, 1},
                                              {3, 5, 7, 1, 4},
                                              {2, 6, 16, 2, 3},
                                              {2, 3, 33, 0, 2},
                                              {0, 4, 9, 1, 3}}) {
    OpCase taken{"take_tokens",
                 sizes({B, T, D, first, count}),
                 {number("x", {B * T, D})},
                 [b = B, from = first, n = count](CaseRun& c) {
                   return take_tokens(c.ex, std::move(c.in[0]), b, from, n);
                 }};
    taken.any_stride = false;  // sequences are regrouped as rows
    add_case(cases, std::move(taken));
    OpCase padded{"pad_tokens",
                  sizes({B, T, D, first, count}),
                  {number("x", {B * count, D})},
                  [b = B, before = first, after = T - first - count](CaseRun& c) {
                    return pad_tokens(c.ex, std::move(c.in[0]), b, before, after);
                  }};
    padded.any_stride = false;
    add_case(cases, std::move(padded));
  }
}

void add_gate_tokens(std::vector<OpCase>& cases) {
  const auto run = [](const Rows& r) {
    return [r](CaseRun& c) {
      return gate_tokens(c.ex, std::move(c.in[0]), std::move(c.in[1]), r.B, r.first, r.count);
    };
  };
  for (const Rows& r : {Rows{1, 1, 1, 0, 1},
                        {3, 5, 7, 1, 4},
                        {2, 6, 16, 0, 6},
                        {2, 4, 33, 0, 1},
                        {2, 3, 8, 1, 0},
                        {0, 4, 9, 1, 3}}) {
    add_case(cases, {"gate_tokens",
                     sizes({r.B, r.T, r.D, r.first, r.count}),
                     {number("x", {r.B * r.T, r.D}), number("gate", {r.B, r.D})},
                     run(r)});
  }
  const Rows r{2, 5, 9, 1, 3};
  const CaseInput x = number("x", {10, 9}), gate = number("gate", {2, 9});
  add_case(cases, {"gate_tokens", "only_x", {x, without_gradient(gate)}, run(r)});
  add_case(cases, {"gate_tokens", "only_gate", {without_gradient(x), gate}, run(r)});
}

}  // namespace

void add_token_cases(std::vector<OpCase>& cases) {
  add_depthwise_conv(cases);
  add_causal_conv(cases);
  add_rope(cases);
  add_smoothing(cases);
  add_soft_targets(cases);
  add_mean_tokens(cases);
  add_mix_tokens(cases);
  add_drop_path(cases);
  add_patches(cases);
  add_prepend_token(cases);
  add_parts_of_sequences(cases);
  add_gate_tokens(cases);
}

}  // namespace ffn::test
