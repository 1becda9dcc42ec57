// The choice of experts and of tokens, and the mixtures that are made of them.
#include "ffn/ops/activation.h"
#include "ffn/ops/arithmetic.h"
#include "ffn/ops/grouped_linear.h"
#include "ffn/ops/indexing.h"
#include "ffn/ops/linear.h"
#include "ffn/ops/routing.h"
#include "ffn/ops/softmax.h"
#include "ffn/ops/view.h"
#include "runners.h"

namespace ffn::parity {
namespace {

Routing route(CaseRun& run, Value logits) {
  Routing routing = route_top_k(run.ex, std::move(logits), run.fixture.integer("k"));
  run.output("expert", routing.expert);
  run.output("order", routing.order);
  run.output("token", routing.token);
  run.output("offsets", routing.offsets);
  return routing;
}

Value run_route_top_k(CaseRun& run) { return route(run, run.input("logits")).weights; }

// Dropless: rows sorted by expert, one grouped product per matrix, weighted and summed back.
Value run_mixture(CaseRun& run) {
  Executor& ex = run.ex;
  const Shape up = run.fixture.at("in.up").shape;  // [E, H, D]
  const std::int64_t E = up[0], H = up[1], D = up[2];
  const Value x = run.input("x");  // [N, D]
  const std::int64_t N = x.rows();
  const Routing routing = route(run, linear(ex, x, run.input("router")));
  const Value rows = gather_rows(ex, x, routing.token);  // [N·K, D]
  const auto expert_rows = [&](Value from, const std::string& name, std::int64_t out,
                               std::int64_t in) {
    return grouped_linear(ex, std::move(from), run.input(name, {E * out, in}), routing.offsets, E);
  };
  Value hidden = multiply(ex, silu(ex, expert_rows(rows, "gate", H, D)),
                          expert_rows(rows, "up", H, D));    // [N·K, H]
  Value out = expert_rows(std::move(hidden), "down", D, H);  // [N·K, D]
  const Value slots = reshape(ex, routing.weights, {out.rows(), 1});
  out = scale_rows(ex, std::move(out), gather_rows(ex, slots, routing.order));
  return scatter_add_rows(ex, std::move(out), routing.token, N);  // [N, D]
}

// One weight for every position: values at the flat places of `index`, as [R, 1].
Value at_places(Executor& ex, const Value& values, const Tensor& index) {
  return gather_rows(ex, reshape(ex, values, {values.shape().count(), 1}), index);
}

// DeepSeek-V3's router: sigmoid scores, chosen with a bias in groups, weighed without; the load of
// the choice and where it moves the bias.
Value run_group_limited_router(CaseRun& run) {
  Executor& ex = run.ex;
  const Fixture& fixture = run.fixture;
  const Value scores = sigmoid(ex, run.input("logits"));  // [N, E]
  const Tensor bias = run.input("bias").tensor;           // [1, E]
  const Chosen chosen =
      choose_experts(ex, scores.tensor, bias,
                     {fixture.integer("k"), fixture.integer("groups"),
                      fixture.integer("top_groups"), fixture.integer("group_terms")});
  const Tensor load =
      expert_load(ex, chosen.expert, scores.cols(), fixture.integer("sequences"), scores.dtype());
  run.output("expert", chosen.expert);
  run.output("load", load);
  run.output("bias", move_bias(ex, bias, load, static_cast<float>(fixture.number("rate"))));
  return chosen_scores(ex, scores, chosen);
}

// Switch Transformer's dispatch: rows beyond an expert's capacity get nothing.
Value run_capacity(CaseRun& run) {
  Executor& ex = run.ex;
  const Value x = run.input("x");
  const Value scores = softmax(ex, run.input("logits"));  // [N, E]
  const Chosen chosen = choose_experts(ex, scores.tensor, {}, {.k = run.fixture.integer("k")});
  const Slots slots = sort_slots(ex, chosen.expert, scores.cols(), run.fixture.integer("capacity"));
  run.output("token", slots.token);
  const Value weights = chosen_scores(ex, scores, chosen);  // [N, K]
  Value rows = gather_rows(ex, x, slots.token);             // [E·C, D]
  rows = scale_rows(ex, std::move(rows), at_places(ex, weights, slots.order));
  return scatter_add_rows(ex, std::move(rows), slots.token, x.rows());
}

// Zhou et al. 2022: every expert takes its best rows of every sequence.
Value run_expert_choice(CaseRun& run) {
  Executor& ex = run.ex;
  const Value x = run.input("x");
  const Value scores = softmax(ex, run.input("logits"));  // [N, E]
  const Slots slots = choose_tokens(ex, scores.tensor, run.fixture.integer("sequences"),
                                    run.fixture.integer("capacity"));
  run.output("token", slots.token);
  run.output("offsets", slots.offsets);
  Value rows = gather_rows(ex, x, slots.token);  // [E·S·C, D]
  rows = scale_rows(ex, std::move(rows), at_places(ex, scores, slots.order));
  return scatter_add_rows(ex, std::move(rows), slots.token, x.rows());
}

}  // namespace

std::vector<Runner> routing_runners() {
  return {
      {"route_top_k", {"choose_experts", "sort_slots"}, run_route_top_k},
      {"moe_top_k_swiglu", {}, run_mixture},
      {"group_limited_router",
       {"choose_experts", "expert_load", "move_bias"},
       run_group_limited_router},
      {"capacity", {"sort_slots"}, run_capacity},
      {"expert_choice", {"choose_tokens"}, run_expert_choice},
  };
}

}  // namespace ffn::parity
