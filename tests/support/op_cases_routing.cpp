// The choice of experts and tokens, slots, loads: no operation here has a gradient of its own, so
// each case shows what the indices are for.
#include "ffn/base/philox.h"
#include "ffn/ops/arithmetic.h"
#include "ffn/ops/grouped_linear.h"
#include "ffn/ops/indexing.h"
#include "ffn/ops/routing.h"
#include "ffn/ops/view.h"
#include "support/op_case_builder.h"

namespace ffn::test {
namespace {

// Numbers on a grid of 1/4 from `least` on, all different within a row, so that no rounding makes a
// tie.
std::vector<double> distinct_in_rows(std::int64_t N, std::int64_t E, double least) {
  const RandomStream stream(13, "logits");
  std::vector<double> values;
  for (std::int64_t n = 0; n < N; ++n) {
    const auto shift = static_cast<std::int64_t>(
        stream.below(static_cast<std::uint32_t>(E), 0, static_cast<std::uint64_t>(n)));
    for (std::int64_t e = 0; e < E; ++e) {
      const std::int64_t rank = n % 2 == 0 ? (e + shift) % E : (shift + E - e) % E;
      values.push_back(0.25 * static_cast<double>(rank) + least);
    }
  }
  return values;
}

// Scores as regrouped columns must be contiguous: chosen_scores() reshapes them.
void add_packed(std::vector<OpCase>& cases, OpCase added) {
  added.any_stride = false;
  add_case(cases, std::move(added));
}

void add_choices(std::vector<OpCase>& cases) {
  struct Sizes {
    std::int64_t N, E, K;
  };
  for (const auto& [N, E, K] : {Sizes{5, 4, 2}, {3, 8, 1}, {6, 5, 5}, {9, 17, 3}, {0, 4, 2}}) {
    OpCase added{"choose_experts",
                 "route_top_k_" + sizes({N, E, K}),
                 {{"logits", InputKind::number, {N, E}, true, distinct_in_rows(N, E, -0.5)}},
                 [k = K](CaseRun& c) { return route_top_k(c.ex, std::move(c.in[0]), k).weights; }};
    added.accuracy = Accuracy::function;
    added.units = 4;  // as softmax
    added.bf16_inside = 3;
    add_packed(cases, std::move(added));
  }
  const auto add = [&](std::string name, std::int64_t N, std::int64_t E,
                       const ChooseOptions& options, bool with_bias) {
    std::vector<CaseInput> inputs{number("scores", {N, E})};
    if (with_bias) inputs.push_back(without_gradient(statistic("bias", {1, E})));
    add_packed(cases, {"choose_experts", std::move(name), std::move(inputs), [=](CaseRun& c) {
                         const Tensor bias = with_bias ? c.in[1].tensor : Tensor();
                         const Chosen chosen = choose_experts(c.ex, c.in[0].tensor, bias, options);
                         return chosen_scores(c.ex, std::move(c.in[0]), chosen);
                       }});
  };
  add("bias", 7, 9, {.k = 2}, true);
  add("groups", 6, 15, {.k = 4, .groups = 5, .top_groups = 2}, false);
  add("groups_of_two_terms_and_bias", 33, 16, {4, 4, 2, 2}, true);
  add("one", 1, 1, {}, true);
  add("no_rows", 0, 8, {3, 4, 2, 2}, true);
}

// Σ_k w[n, k]·W_e·x[n]: rows sorted by expert, multiplied and brought back; W is [E·3, 9].
Value mixture(CaseRun& c, std::int64_t experts, std::int64_t capacity) {
  const std::int64_t N = c.in[0].rows();
  const Slots slots = sort_slots(c.ex, c.in[3].tensor, experts, capacity);
  Value rows = gather_rows(c.ex, std::move(c.in[0]), slots.token);
  rows = grouped_linear(c.ex, std::move(rows), c.in[1], slots.offsets, experts);
  Value weights = reshape(c.ex, std::move(c.in[2]), {c.in[3].tensor.shape().count(), 1});
  weights = gather_rows(c.ex, std::move(weights), slots.order);
  return scatter_add_rows(c.ex, scale_rows(c.ex, std::move(rows), weights), slots.token, N);
}

void add_slots(std::vector<OpCase>& cases) {
  struct Case {
    std::string name;
    std::int64_t N, K, E, C;
    std::vector<double> expert;
  };
  const std::vector<double> six_by_two{1, 0, 1, 3, 3, 1, 0, 1, 1, 0, 3, 1};  // none to expert 2
  for (const Case& of : {Case{"dropless", 6, 2, 4, 0, six_by_two},
                         {"capacity_3", 6, 2, 4, 3, six_by_two},
                         {"capacity_1", 6, 2, 4, 1, six_by_two},
                         {"one_expert", 5, 1, 1, 0, {0, 0, 0, 0, 0}},
                         {"every_expert", 4, 3, 3, 4, {2, 1, 0, 0, 1, 2, 1, 0, 2, 2, 0, 1}},
                         {"no_rows", 0, 2, 4, 0, {}},
                         {"no_rows_capacity", 0, 2, 4, 2, {}}}) {
    OpCase added{"sort_slots",
                 of.name,
                 {number("x", {of.N, 9}), number("experts", {of.E * 3, 9}),
                  number("weights", {of.N, of.K}), index("expert", {of.N, of.K}, of.expert)},
                 [E = of.E, C = of.C](CaseRun& c) { return mixture(c, E, C); }};
    added.bf16_inside = 3;  // the product, its weighted rows, their gradients
    add_packed(cases, std::move(added));
  }
}

// Rows that experts chose, times the scores that chose them.
void add_token_choices(std::vector<OpCase>& cases) {
  struct Sizes {
    std::int64_t N, E, S, C;
  };
  for (const auto& [N, E, S, C] :
       {Sizes{6, 3, 2, 2}, {5, 7, 1, 5}, {9, 2, 9, 1}, {33, 5, 1, 4}, {0, 3, 2, 0}, {0, 3, 0, 0}}) {
    // Positive: |scores| choose the same rows.
    OpCase added{"choose_tokens",
                 sizes({N, E, S, C}),
                 {number("x", {N, 9}),
                  {"scores", InputKind::number, {N, E}, true, distinct_in_rows(N, E, 0.25)}},
                 [=, s = S, capacity = C](CaseRun& c) {
                   const Tensor scores = c.in[1].tensor;
                   const Slots slots = choose_tokens(c.ex, scores, s, capacity);
                   Value weights = reshape(c.ex, c.in[1], {scores.shape().count(), 1});
                   weights = gather_rows(c.ex, std::move(weights), slots.order);
                   return scale_rows(c.ex, gather_rows(c.ex, c.in[0], slots.token), weights);
                 }};
    added.bf16_inside = 1;  // gradients of the gathered rows
    add_packed(cases, std::move(added));
  }
}

// x ⊙ load, and x ⊙ the bias that the load moves.
void add_loads(std::vector<OpCase>& cases) {
  struct Case {
    std::string name;
    std::int64_t N, S, E;
    std::vector<double> expert;  // [N, 2]
  };
  for (const Case& of : {Case{"two_sequences", 4, 2, 5, {4, 0, 4, 1, 2, 4, 4, 2}},
                         {"whole", 4, 1, 17, {16, 0, 16, 1, 2, 8, 16, 2}},
                         {"no_rows", 0, 2, 5, {}},
                         {"no_sequences", 0, 0, 5, {}}}) {
    const CaseInput expert = index("expert", {of.N, 2}, of.expert);
    const auto load_of = [S = of.S, E = of.E](CaseRun& c) {
      return expert_load(c.ex, c.in[1].tensor, E, S, c.in[0].dtype());
    };
    add_case(cases,
             {"expert_load", of.name, {statistic("x", {of.S, of.E}), expert}, [=](CaseRun& c) {
                return multiply(c.ex, c.in[0], c.ex.constant(load_of(c)));
              }});
    add_case(cases,
             {"move_bias",
              of.name,
              {statistic("x", {1, of.E}), expert, without_gradient(statistic("bias", {1, of.E}))},
              [=](CaseRun& c) {
                const Tensor moved = move_bias(c.ex, c.in[2].tensor, load_of(c), 0.25f);
                return multiply(c.ex, c.in[0], c.ex.constant(moved));
              }});
  }
}

}  // namespace

void add_routing_cases(std::vector<OpCase>& cases) {
  add_choices(cases);
  add_slots(cases);
  add_token_choices(cases);
  add_loads(cases);
}

}  // namespace ffn::test
