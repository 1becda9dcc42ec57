// Norms, softmax, cross-entropy.
#include <cmath>

#include "ffn/ops/batch_norm.h"
#include "ffn/ops/cross_entropy.h"
#include "ffn/ops/norm.h"
#include "ffn/ops/softmax.h"
#include "support/op_case_builder.h"

namespace ffn::test {
namespace {

// Numbers inside a norm's backward exceed its result by up to |x̂|² ≤ C and the cancellation of
// three terms; with C ≤ 33 and x̂ spread over the row a factor of 8 covers both.
constexpr double kNormUnits = 8;

void add_norm(std::vector<OpCase>& cases, OpCase added) {
  added.accuracy = Accuracy::function;
  added.units = kNormUnits;
  add_case(cases, std::move(added));
}

Value run_layer_norm(CaseRun& c) { return layer_norm(c.ex, std::move(c.in[0]), c.in[1], c.in[2]); }
Value run_rms_norm(CaseRun& c) { return rms_norm(c.ex, std::move(c.in[0]), c.in[1]); }

void add_row_norms(std::vector<OpCase>& cases) {
  struct Sizes {
    std::int64_t N, C;
  };
  for (const auto& [N, C] : {Sizes{3, 7}, {1, 16}, {5, 33}, {17, 9}, {0, 8}}) {
    add_norm(cases, {"layer_norm",
                     sizes({N, C}),
                     {number("x", {N, C}), statistic("weight", {C}), statistic("bias", {C})},
                     run_layer_norm});
    add_norm(
        cases,
        {"rms_norm", sizes({N, C}), {number("x", {N, C}), statistic("weight", {C})}, run_rms_norm});
  }
  add_norm(cases, {"layer_norm", "plain", {number("x", {2, 3, 8})}, [](CaseRun& c) {
                     return layer_norm(c.ex, std::move(c.in[0]), {}, {}, 1e-3f);
                   }});
  add_norm(cases, {"layer_norm",
                   "bias_only",
                   {number("x", {3, 15}), statistic("bias", {15})},
                   [](CaseRun& c) { return layer_norm(c.ex, std::move(c.in[0]), {}, c.in[1]); }});
  add_norm(cases, {"layer_norm",
                   "only_x",
                   {number("x", {3, 9}), without_gradient(statistic("weight", {9})),
                    without_gradient(statistic("bias", {9}))},
                   run_layer_norm});
  add_norm(cases, {"layer_norm",
                   "only_weight",
                   {without_gradient(number("x", {3, 9})), statistic("weight", {9}),
                    without_gradient(statistic("bias", {9}))},
                   run_layer_norm});
  add_norm(cases, {"layer_norm",
                   "only_bias",
                   {without_gradient(number("x", {3, 9})),
                    without_gradient(statistic("weight", {9})), statistic("bias", {9})},
                   run_layer_norm});
  OpCase one_column{"layer_norm",
                    "one_column",
                    {number("x", {3, 1}), statistic("weight", {1}), statistic("bias", {1})},
                    run_layer_norm};
  // dx = r·(g − mean(g)) is 0: what is left is the rounding of r·g ≤ 1/√1e-5·1.5².
  one_column.least_scale = 712;
  add_norm(cases, std::move(one_column));
  add_norm(cases, {"rms_norm", "plain", {number("x", {2, 3, 8})}, [](CaseRun& c) {
                     return rms_norm(c.ex, std::move(c.in[0]), {});
                   }});
  add_norm(
      cases,
      {"rms_norm", "offset", {number("x", {3, 17}), statistic("weight", {17})}, [](CaseRun& c) {
         return rms_norm(c.ex, std::move(c.in[0]), c.in[1], 1e-6f, 1.0f);
       }});
  add_norm(cases, {"rms_norm",
                   "only_weight",
                   {without_gradient(number("x", {5, 7})), statistic("weight", {7})},
                   run_rms_norm});
  add_norm(cases, {"rms_norm",
                   "only_x",
                   {number("x", {5, 7}), without_gradient(statistic("weight", {7}))},
                   run_rms_norm});
}

void add_batch_norm(std::vector<OpCase>& cases) {
  const auto running = [](std::int64_t C) {
    CaseInput state{"running", InputKind::state, {2, C}, false, {}};
    for (std::int64_t c = 0; c < C; ++c) state.values.push_back(0.25 * static_cast<double>(c % 3));
    for (std::int64_t c = 0; c < C; ++c)
      state.values.push_back(0.5 + 0.125 * static_cast<double>(c % 5));
    return state;
  };
  const auto run = [](CaseRun& c) {
    return batch_norm(c.ex, std::move(c.in[0]), c.in[1], c.in[2], c.states[3]);
  };
  struct Sizes {
    std::int64_t N, C;
  };
  for (const auto& [N, C] : {Sizes{5, 7}, {17, 9}, {9, 16}, {33, 8}, {1, 4}, {0, 8}}) {
    add_norm(cases,
             {"batch_norm",
              sizes({N, C}),
              {number("x", {N, C}), statistic("weight", {C}), statistic("bias", {C}), running(C)},
              run});
  }
  add_norm(cases, {"batch_norm", "plain", {number("x", {2, 5, 8}), running(8)}, [](CaseRun& c) {
                     return batch_norm(c.ex, std::move(c.in[0]), {}, {}, c.states[1]);
                   }});
  add_norm(cases, {"batch_norm",
                   "only_weight",
                   {without_gradient(number("x", {9, 7})), statistic("weight", {7}),
                    without_gradient(statistic("bias", {7})), running(7)},
                   run});
  for (const bool training : {true, false}) {
    OpCase unrecorded{
        "batch_norm",
        training ? "training_without_tape" : "eval",
        {number("x", {5, 9}), statistic("weight", {9}), statistic("bias", {9}), running(9)},
        run};
    unrecorded.training = training;
    unrecorded.recorded = false;
    add_norm(cases, std::move(unrecorded));
  }
}

// exp of numbers up to 1.5: its relative error is that of its argument's absolute one.
constexpr double kSoftmaxUnits = 4;

void add_softmax(std::vector<OpCase>& cases) {
  const auto add = [&](std::string name, const Shape& shape, const SoftmaxOptions& options) {
    OpCase added{"softmax", std::move(name), {number("x", shape)}, [options](CaseRun& c) {
                   return softmax(c.ex, std::move(c.in[0]), options);
                 }};
    added.accuracy = Accuracy::function;
    added.units = kSoftmaxUnits;
    added.bf16_inside = 3;  // dx = y ⊙ (dy − Σ dy·y) from three uses of the rounded y
    add_case(cases, std::move(added));
  };
  add("1_1", {1, 1}, {});
  add("3_7", {3, 7}, {});
  add("5_16", {5, 16}, {});
  add("4_33", {4, 33}, {});
  add("0_5", {0, 5}, {});
  add("scaled", {2, 3, 9}, {.scale = 0.375f});
  add("causal", {8, 6}, {.scale = 0.5f, .causal = true, .offset = 2, .period = 4});
  add("causal_start", {6, 17}, {.causal = true, .offset = 0, .period = 3});
}

void add_cross_entropy(std::vector<OpCase>& cases) {
  const auto add = [&](std::string name, std::int64_t V, std::vector<double> targets) {
    const auto rows = static_cast<std::int64_t>(targets.size());
    OpCase added{
        "cross_entropy",
        std::move(name),
        {number("logits", {rows, V}), index("targets", std::move(targets))},
        [](CaseRun& c) { return cross_entropy(c.ex, std::move(c.in[0]), c.in[1].tensor); }};
    added.accuracy = Accuracy::function;
    added.units = kSoftmaxUnits;
    add_case(cases, std::move(added));
  };
  add("5_7", 7, {0, 6, 3, 3, 1});
  add("3_17", 17, {16, 0, 8});
  add("9_33", 33, {1, 2, 3, 4, 5, 6, 7, 8, 32});
  add("one_class", 1, {0, 0});
  add("ignored", 8, {-100, 2, -1, 7});
  add("all_ignored", 5, {-1, -1});
  add("no_rows", 5, {});
  OpCase unrecorded{
      "cross_entropy",
      "without_tape",
      {number("logits", {3, 9}), index("targets", {8, -1, 0})},
      [](CaseRun& c) { return cross_entropy(c.ex, std::move(c.in[0]), c.in[1].tensor); }};
  unrecorded.accuracy = Accuracy::function;
  unrecorded.units = kSoftmaxUnits;
  unrecorded.recorded = false;
  add_case(cases, std::move(unrecorded));
}

}  // namespace

void add_row_cases(std::vector<OpCase>& cases) {
  add_row_norms(cases);
  add_batch_norm(cases);
  add_softmax(cases);
  add_cross_entropy(cases);
}

}  // namespace ffn::test
