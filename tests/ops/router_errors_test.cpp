// Wrong inputs of a router's losses and of the small operations around experts.
#include "ffn/ops/grouped_linear.h"
#include "ffn/ops/jitter.h"
#include "ffn/ops/normalise_rows.h"
#include "ffn/ops/rearrange.h"
#include "ffn/ops/router_losses.h"
#include "ops/wrong_input.h"

namespace ffn::test {
namespace {

constexpr ErrorKind kShape = ErrorKind::shape, kDType = ErrorKind::dtype,
                    kConfig = ErrorKind::config;

void add_balance_loss(std::vector<WrongInput>& all) {
  const auto add = [&](ErrorKind kind, std::vector<std::string> named, const Shape& scores,
                       const Shape& load, std::int64_t k, float coefficient = 1,
                       DType dtype = DType::f32, DType load_dtype = DType::f32) {
    all.push_back({"balance_loss", kind, std::move(named), [=](Executor& ex) {
                     const Tensor counts = v(ex, load, load_dtype).tensor;
                     balance_loss(ex, v(ex, scores, dtype), counts, k, false, coefficient);
                   }});
  };
  add(kShape, {"[2, 3, 4]", "[N, E]"}, {2, 3, 4}, {1, 4}, 1);
  add(kShape, {"load", "[1, 5]", "[6, 4]"}, {6, 4}, {1, 5}, 1);
  add(kShape, {"load", "[4]", "[S, 4]"}, {6, 4}, {4}, 1);
  add(kShape, {"[6, 4]", "4 equal sequences"}, {6, 4}, {4, 4}, 1);
  add(kConfig, {"top 5", "[6, 4]"}, {6, 4}, {1, 4}, 5);
  add(kConfig, {"top 0", "[6, 4]"}, {6, 4}, {1, 4}, 0);
  add(kConfig, {"coefficient", "-1", "[6, 4]"}, {6, 4}, {1, 4}, 1, -1);
  add(kDType, {"scores", "i32"}, {6, 4}, {1, 4}, 1, 1, DType::i32);
  add(kDType, {"load", "bf16", "f32"}, {6, 4}, {1, 4}, 1, 1, DType::bf16, DType::bf16);
}

void add_other_losses(std::vector<WrongInput>& all) {
  all.push_back(
      {"z_loss", kShape, {"[8]", "[N, E]"}, [](Executor& ex) { z_loss(ex, v(ex, {8}), 1); }});
  all.push_back(
      {"z_loss", kShape, {"[3, 0]", "[N, E]"}, [](Executor& ex) { z_loss(ex, v(ex, {3, 0}), 1); }});
  all.push_back({"z_loss", kConfig, {"coefficient", "-0.5", "[3, 8]"}, [](Executor& ex) {
                   z_loss(ex, v(ex, {3, 8}), -0.5f);
                 }});
  all.push_back({"z_loss", kDType, {"i32", "[3, 8]"}, [](Executor& ex) {
                   z_loss(ex, v(ex, {3, 8}, DType::i32), 1);
                 }});
  const auto importance = [&](ErrorKind kind, std::vector<std::string> named, const Shape& shape,
                              std::int64_t sequences, float delta, DType dtype = DType::f32) {
    all.push_back({"importance_loss", kind, std::move(named), [=](Executor& ex) {
                     importance_loss(ex, v(ex, shape, dtype), {}, sequences, delta, 1);
                   }});
  };
  importance(kShape, {"[2, 2, 3]", "[N, E]"}, {2, 2, 3}, 1, 0);
  importance(kShape, {"[6, 4]", "4 equal sequences"}, {6, 4}, 4, 0);
  importance(kShape, {"[6, 4]", "0 equal sequences"}, {6, 4}, 0, 0);
  importance(kConfig, {"delta", "1.5", "[6, 4]"}, {6, 4}, 2, 1.5f);
  importance(kConfig, {"delta", "-0.5", "[6, 4]"}, {6, 4}, 2, -0.5f);
  importance(kDType, {"weights", "i32"}, {6, 4}, 2, 0, DType::i32);
  all.push_back({"importance_loss", kShape, {"types", "[3]", "needs 2"}, [](Executor& ex) {
                   importance_loss(ex, v(ex, {6, 4}), ids(ex, {0, 1, 1}), 2, 0, 1);
                 }});
  all.push_back({"importance_loss", kDType, {"types", "f32"}, [](Executor& ex) {
                   importance_loss(ex, v(ex, {6, 4}), v(ex, {2}).tensor, 2, 0, 1);
                 }});
  all.push_back({"importance_loss", kConfig, {"coefficient", "-1"}, [](Executor& ex) {
                   importance_loss(ex, v(ex, {6, 4}), {}, 2, 0, -1);
                 }});
  all.push_back({"importance_loss",
                 kShape,
                 {"types", "entry 1", "2"},
                 [](Executor& ex) { importance_loss(ex, v(ex, {6, 4}), ids(ex, {0, 2}), 2, 0, 1); },
                 false});
}

void add_small(std::vector<WrongInput>& all) {
  all.push_back({"normalise_rows", kDType, {"i32", "[3, 8]"}, [](Executor& ex) {
                   normalise_rows(ex, v(ex, {3, 8}, DType::i32));
                 }});
  all.push_back({"normalise_rows", kConfig, {"eps", "-1", "[3, 8]"}, [](Executor& ex) {
                   normalise_rows(ex, v(ex, {3, 8}), 1, -1);
                 }});
  for (const float amount : {1.0f, -0.25f}) {
    all.push_back({"jitter", kConfig, {"amount", "[0, 1)"}, [amount](Executor& ex) {
                     jitter(ex, v(ex, {3, 8}), amount, RandomStream(1));
                   }});
  }
  all.push_back({"jitter", kDType, {"i32", "[3, 8]"}, [](Executor& ex) {
                   jitter(ex, v(ex, {3, 8}, DType::i32), 0.5f, RandomStream(1));
                 }});
  all.push_back({"repeat_rows", kConfig, {"[3, 8]", "0 times"}, [](Executor& ex) {
                   repeat_rows(ex, v(ex, {3, 8}), 0);
                 }});
  all.push_back({"repeat_rows", kDType, {"i32", "[3, 8]"}, [](Executor& ex) {
                   repeat_rows(ex, v(ex, {3, 8}, DType::i32), 2);
                 }});
  all.push_back({"swap_blocks", kShape, {"[8, 3]", "2 times 3"}, [](Executor& ex) {
                   swap_blocks(ex, v(ex, {8, 3}), 2, 3);
                 }});
  all.push_back({"swap_blocks", kConfig, {"[8, 3]", "0 times 3"}, [](Executor& ex) {
                   swap_blocks(ex, v(ex, {8, 3}), 0, 3);
                 }});
  all.push_back({"swap_blocks", kConfig, {"[8, 3]", "2 times 0"}, [](Executor& ex) {
                   swap_blocks(ex, v(ex, {8, 3}), 2, 0);
                 }});
  all.push_back({"swap_blocks", kDType, {"i32", "[6, 3]"}, [](Executor& ex) {
                   swap_blocks(ex, v(ex, {6, 3}, DType::i32), 2, 3);
                 }});
}

void add_grouped_bias(std::vector<WrongInput>& all) {
  const auto add = [&](ErrorKind kind, std::vector<std::string> named, const Shape& bias,
                       DType dtype) {
    all.push_back({"grouped_linear", kind, std::move(named), [=](Executor& ex) {
                     grouped_linear(ex, v(ex, {3, 8}), v(ex, {6, 8}), ids(ex, {0, 1, 3}), 2,
                                    v(ex, bias, dtype));
                   }});
  };
  add(kShape, {"bias", "[2, 4]", "[6, 8]", "[2, 3]"}, {2, 4}, DType::f32);
  add(kShape, {"bias", "[6]", "[2, 3]"}, {6}, DType::f32);
  add(kDType, {"bias", "f64", "f32"}, {2, 3}, DType::f64);
}

}  // namespace

void add_router(std::vector<WrongInput>& all) {
  add_balance_loss(all);
  add_other_losses(all);
  add_small(all);
  add_grouped_bias(all);
}

}  // namespace ffn::test
