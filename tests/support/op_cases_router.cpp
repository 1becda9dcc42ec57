// The losses of a router, and rows divided by their sums.
#include "ffn/base/philox.h"
#include "ffn/ops/normalise_rows.h"
#include "ffn/ops/router_losses.h"
#include "support/op_case_builder.h"

namespace ffn::test {
namespace {

// 0.1 to 1.5, as scores and weights are: sums of a row are no smaller than its entries.
CaseInput positive(std::string_view name, const Shape& shape) {
  CaseInput input = number(std::string(name), shape);
  const RandomStream stream(19, name);
  for (std::int64_t i = 0; i < shape.count(); ++i) {
    const float value = 0.1f + 1.4f * stream.uniform(0, static_cast<std::uint64_t>(i));
    input.values.push_back(static_cast<double>(value));
  }
  return input;
}

// Some count of slots for every sequence and expert, 0 among them.
CaseInput load_of(std::int64_t S, std::int64_t E) {
  CaseInput input = without_gradient(statistic("load", {S, E}));
  for (std::int64_t i = 0; i < S * E; ++i)
    input.values.push_back(static_cast<double>((5 * i + 3) % 4));
  return input;
}

Value keep_loss(CaseRun& c, WithLoss result) {
  c.loss = std::move(result.loss);
  return std::move(result.value);
}

void add_loss(std::vector<OpCase>& cases, OpCase added, double units) {
  added.accuracy = Accuracy::function;
  added.units = units;
  add_case(cases, std::move(added));
}

// The gradient is a seed of magnitude 1 plus a difference of two numbers of that size.
constexpr double kBalanceUnits = 2;

void add_balance_loss(std::vector<OpCase>& cases) {
  struct Sizes {
    std::int64_t N, E, S, K;
  };
  for (const auto& [N, E, S, K] : {Sizes{6, 4, 2, 2},
                                   {5, 7, 1, 1},
                                   {9, 17, 3, 3},
                                   {1, 1, 1, 1},
                                   {8, 33, 2, 4},
                                   {0, 4, 2, 2}}) {
    for (const bool normalised : {false, true}) {
      add_loss(cases,
               {"balance_loss",
                sizes({N, E, S, K}) + (normalised ? "_normalised" : ""),
                {positive("scores", {N, E}), load_of(S, E)},
                [k = K, normalised](CaseRun& c) {
                  return keep_loss(c, balance_loss(c.ex, std::move(c.in[0]), c.in[1].tensor, k,
                                                   normalised, 0.5f));
                }},
               kBalanceUnits);
    }
  }
}

// exp of numbers up to 1.5: its relative error is that of its argument's absolute one.
constexpr double kZUnits = 4;

void add_z_loss(std::vector<OpCase>& cases) {
  for (const Shape& shape : {Shape{5, 7}, Shape{3, 16}, Shape{4, 33}, Shape{1, 1}, Shape{0, 5}}) {
    add_loss(cases,
             {"z_loss",
              sizes({shape[0], shape[1]}),
              {number("logits", shape)},
              [](CaseRun& c) { return keep_loss(c, z_loss(c.ex, std::move(c.in[0]), 0.25f)); }},
             kZUnits);
  }
}

// Z is rounded once, and its distance from the mean is an eighth of it or more.
constexpr double kImportanceUnits = 8;

void add_importance_loss(std::vector<OpCase>& cases) {
  const auto add = [&](std::string name, std::int64_t N, std::int64_t E, std::int64_t S,
                       std::vector<double> types) {
    OpCase added{"importance_loss", std::move(name), {positive("weights", {N, E})}, {}};
    const bool typed = !types.empty();
    if (typed) added.inputs.push_back(index("types", std::move(types)));
    added.run = [S, typed](CaseRun& c) {
      const Tensor kinds = typed ? c.in[1].tensor : Tensor();
      return keep_loss(c, importance_loss(c.ex, std::move(c.in[0]), kinds, S, 0.25f, 0.5f));
    };
    add_loss(cases, std::move(added), kImportanceUnits);
  };
  add("6_4", 6, 4, 1, {});
  add("typed", 6, 5, 3, {1, 0, 1});
  add("lanes", 8, 17, 2, {0, 1});
  add("sequences", 4, 9, 4, {});
  add("single_entry", 4, 1, 1, {});
  add("no_rows", 0, 4, 2, {});
}

// dx = (scale·dy − Σ dy·y)/Σx: both terms exceed their difference, and rows with small sums have
// larger gradients than the others.
constexpr double kNormaliseUnits = 4;

void add_normalise_rows(std::vector<OpCase>& cases) {
  const auto add = [&](std::string name, const Shape& shape, float scale, float eps) {
    OpCase added{
        "normalise_rows", std::move(name), {positive("x", shape)}, [scale, eps](CaseRun& c) {
          return normalise_rows(c.ex, std::move(c.in[0]), scale, eps);
        }};
    added.accuracy = Accuracy::function;
    added.units = kNormaliseUnits;
    added.bf16_inside = 3;  // from the rounded y, as softmax
    add_case(cases, std::move(added));
  };
  add("3_2", {3, 2}, 1, 1e-20f);
  add("5_8", {5, 8}, 1, 1e-20f);
  add("scaled", {4, 33}, 2.5f, 1e-20f);
  add("three_axes", {2, 3, 7}, 0.5f, 0.125f);
  add("one_column", {4, 1}, 1, 0.25f);
  add("no_rows", {0, 4}, 1, 1e-20f);
}

}  // namespace

void add_router_cases(std::vector<OpCase>& cases) {
  add_balance_loss(cases);
  add_z_loss(cases);
  add_importance_loss(cases);
  add_normalise_rows(cases);
}

}  // namespace ffn::test
