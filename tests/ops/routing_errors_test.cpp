// Wrong inputs of the choice of experts and tokens, of slots and of loads.
#include <gtest/gtest.h>

#include "ffn/ops/routing.h"
#include "ffn/ops/view.h"
#include "ops/wrong_input.h"

namespace ffn::test {
namespace {

constexpr ErrorKind kShape = ErrorKind::shape, kDType = ErrorKind::dtype,
                    kConfig = ErrorKind::config;

Tensor choices(Executor& ex, const Shape& shape, const std::vector<double>& values) {
  return ids(ex, values).reshape(shape);
}

void add_choice_options(std::vector<WrongInput>& all) {
  const auto add = [&](std::vector<std::string> named, const ChooseOptions& options) {
    named.push_back("[3, 8]");
    all.push_back({"choose_experts", kConfig, std::move(named), [options](Executor& ex) {
                     choose_experts(ex, v(ex, {3, 8}).tensor, {}, options);
                   }});
  };
  add({"top 9", "8 experts"}, {.k = 9});
  add({"top 0"}, {.k = 0});
  add({"3 groups", "8 experts"}, {1, 3, 1, 1});
  add({"0 groups"}, {1, 0, 1, 1});
  add({"best 5 of 4 groups"}, {1, 4, 5, 1});
  add({"best 0 of 4 groups"}, {1, 4, 0, 1});
  add({"3 terms", "2 experts"}, {1, 4, 2, 3});
  add({"0 terms"}, {1, 4, 2, 0});
  add({"top 5", "best 2 groups", "4 experts"}, {5, 4, 2, 1});
}

void add_choices(std::vector<WrongInput>& all) {
  add_choice_options(all);
  const auto add = [&](ErrorKind kind, std::vector<std::string> named, const Shape& bias,
                       DType dtype) {
    all.push_back({"choose_experts", kind, std::move(named), [=](Executor& ex) {
                     choose_experts(ex, v(ex, {3, 8}).tensor, v(ex, bias, dtype).tensor, {});
                   }});
  };
  add(kShape, {"bias", "[1, 7]", "[3, 8]", "[1, 8]"}, {1, 7}, DType::f32);
  add(kShape, {"bias", "[3, 8]"}, {3, 8}, DType::f32);
  add(kDType, {"bias", "bf16", "f32"}, {1, 8}, DType::bf16);
  all.push_back({"choose_experts", kShape, {"[2, 3, 8]", "[N, E]"}, [](Executor& ex) {
                   route_top_k(ex, v(ex, {2, 3, 8}), 2);
                 }});
  all.push_back({"choose_experts", kDType, {"scores", "i32"}, [](Executor& ex) {
                   choose_experts(ex, v(ex, {3, 8}, DType::i32).tensor, {}, {});
                 }});
  all.push_back({"reshape", kShape, {"[3, 4]", "copy"}, [](Executor& ex) {
                   const Value part = slice_cols(ex, v(ex, {3, 8}), 0, 4);
                   chosen_scores(ex, part, choose_experts(ex, part.tensor, {}, {}));
                 }});
  all.push_back({"chosen_scores", kShape, {"[3, 1]", "[2, 8]"}, [](Executor& ex) {
                   const Chosen chosen = choose_experts(ex, v(ex, {3, 8}).tensor, {}, {});
                   chosen_scores(ex, v(ex, {2, 8}), chosen);
                 }});
}

void add_slots(std::vector<WrongInput>& all) {
  all.push_back({"sort_slots", kShape, {"[4]", "[N, K]"}, [](Executor& ex) {
                   sort_slots(ex, ids(ex, {0, 1, 0, 1}), 2);
                 }});
  all.push_back({"sort_slots", kDType, {"expert", "f32"}, [](Executor& ex) {
                   sort_slots(ex, v(ex, {2, 2}).tensor, 2);
                 }});
  all.push_back({"sort_slots", kConfig, {"0 experts"}, [](Executor& ex) {
                   sort_slots(ex, choices(ex, {1, 1}, {0}), 0);
                 }});
  all.push_back({"sort_slots", kConfig, {"capacity of -1"}, [](Executor& ex) {
                   sort_slots(ex, choices(ex, {1, 1}, {0}), 2, -1);
                 }});
  all.push_back({"sort_slots", kShape, {"65536 times 65536", "i32"}, [](Executor& ex) {
                   sort_slots(ex, choices(ex, {1, 1}, {0}), 65536, 65536);
                 }});
  for (const double wrong : {-1.0, 2.0}) {
    all.push_back(
        {"sort_slots",
         kShape,
         {"entry 2", std::to_string(static_cast<int>(wrong)), "[0, 2)"},
         [wrong](Executor& ex) { sort_slots(ex, choices(ex, {2, 2}, {0, 1, wrong, 0}), 2); },
         false});
  }
}

void add_tokens_by_experts(std::vector<WrongInput>& all) {
  const auto add = [&](ErrorKind kind, std::vector<std::string> named, const Shape& scores,
                       std::int64_t sequences, std::int64_t capacity, DType dtype = DType::f32) {
    all.push_back({"choose_tokens", kind, std::move(named), [=](Executor& ex) {
                     choose_tokens(ex, v(ex, scores, dtype).tensor, sequences, capacity);
                   }});
  };
  add(kShape, {"[2, 3, 8]", "[N, E]"}, {2, 3, 8}, 1, 1);
  add(kShape, {"[6, 8]", "4 equal sequences"}, {6, 8}, 4, 1);
  add(kShape, {"[6, 8]", "0 equal sequences"}, {6, 8}, 0, 0);
  add(kConfig, {"capacity of 4", "[6, 8]", "3 rows"}, {6, 8}, 2, 4);
  add(kConfig, {"capacity of 0", "3 rows"}, {6, 8}, 2, 0);
  add(kConfig, {"capacity of 1", "0 rows"}, {0, 8}, 2, 1);
  add(kDType, {"scores", "i32"}, {6, 8}, 2, 1, DType::i32);
}

void add_loads(std::vector<WrongInput>& all) {
  const auto add = [&](ErrorKind kind, std::vector<std::string> named, std::int64_t experts,
                       std::int64_t sequences, DType dtype = DType::f32) {
    all.push_back({"expert_load", kind, std::move(named), [=](Executor& ex) {
                     expert_load(ex, choices(ex, {3, 1}, {0, 1, 0}), experts, sequences, dtype);
                   }});
  };
  add(kShape, {"[3, 1]", "2 equal sequences"}, 2, 2);
  add(kConfig, {"0 experts"}, 0, 1);
  add(kDType, {"bf16", "f32", "[1, 2]"}, 2, 1, DType::bf16);
  add(kDType, {"i32", "[1, 2]"}, 2, 1, DType::i32);
  add(kDType, {"f64", "reference device"}, 2, 1, DType::f64);
  all.push_back({"expert_load", kShape, {"[3]", "[N, K]"}, [](Executor& ex) {
                   expert_load(ex, ids(ex, {0, 1, 0}), 2, 1, DType::f32);
                 }});
  all.push_back({"expert_load", kDType, {"expert", "f32"}, [](Executor& ex) {
                   expert_load(ex, v(ex, {3, 1}).tensor, 2, 1, DType::f32);
                 }});
  all.push_back(
      {"expert_load",
       kShape,
       {"entry 1", "[0, 1)"},
       [](Executor& ex) { expert_load(ex, choices(ex, {3, 1}, {0, 1, 0}), 1, 1, DType::f32); },
       false});
}

void add_biases(std::vector<WrongInput>& all) {
  const auto add = [&](ErrorKind kind, std::vector<std::string> named, const Shape& bias,
                       DType bias_dtype, DType load_dtype, float rate) {
    all.push_back({"move_bias", kind, std::move(named), [=](Executor& ex) {
                     move_bias(ex, v(ex, bias, bias_dtype).tensor, v(ex, {2, 8}, load_dtype).tensor,
                               rate);
                   }});
  };
  add(kShape, {"[1, 7]", "[2, 8]", "[1, 8]"}, {1, 7}, DType::f32, DType::f32, 1);
  add(kShape, {"[2, 8]", "[1, 8]"}, {2, 8}, DType::f32, DType::f32, 1);
  add(kDType, {"bias", "bf16", "f32"}, {1, 8}, DType::bf16, DType::bf16, 1);
  add(kDType, {"bias", "f32", "load", "bf16"}, {1, 8}, DType::f32, DType::bf16, 1);
  add(kConfig, {"rate of -0.5"}, {1, 8}, DType::f32, DType::f32, -0.5f);
}

// Found by sizes alone: no such tensor needs to exist.
TEST(OpErrors, PlacesAreCountedInI32) {
  const Shape huge{std::int64_t{1} << 28, 16};
  for (const WrongInput& wrong :
       {WrongInput{"choose_experts",
                   kShape,
                   {"[268435456, 16]", "i32"},
                   [&](Executor& ex) { choose_experts(ex, v(ex, huge).tensor, {}, {}); }},
        WrongInput{"choose_tokens",
                   kShape,
                   {"[268435456, 16]", "i32"},
                   [&](Executor& ex) { choose_tokens(ex, v(ex, huge).tensor, 1, 1); }},
        WrongInput{"sort_slots", kShape, {"[268435456, 16]", "i32"}, [&](Executor& ex) {
                     sort_slots(ex, v(ex, huge, DType::i32).tensor, 16);
                   }}}) {
    expect_error(wrong, dry_device(cpu_device(serial_pool())));
  }
}

}  // namespace

void add_routing(std::vector<WrongInput>& all) {
  add_choices(all);
  add_slots(all);
  add_tokens_by_experts(all);
  add_loads(all);
  add_biases(all);
}

}  // namespace ffn::test
