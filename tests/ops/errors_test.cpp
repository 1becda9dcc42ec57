// Wrong inputs: every operation names itself and what does not fit, before anything runs.
#include <gtest/gtest.h>

#include <array>
#include <set>

#include "ffn/ops/activation.h"
#include "ffn/ops/arithmetic.h"
#include "ffn/ops/attention.h"
#include "ffn/ops/batch_norm.h"
#include "ffn/ops/cache.h"
#include "ffn/ops/cross_entropy.h"
#include "ffn/ops/dropout.h"
#include "ffn/ops/expert_layer.h"
#include "ffn/ops/fused/dense_layer.h"
#include "ffn/ops/grouped_linear.h"
#include "ffn/ops/indexing.h"
#include "ffn/ops/linear.h"
#include "ffn/ops/names.h"
#include "ffn/ops/norm.h"
#include "ffn/ops/softmax.h"
#include "ffn/ops/tiny_network.h"
#include "ffn/ops/view.h"
#include "ops/wrong_input.h"

namespace ffn::test {
namespace {

State state(Executor& ex, const Shape& shape, DType dtype = DType::f32) {
  const Tensor tensor = ex.allocate_persistent({shape, dtype, Role::state}, Tag::state);
  if (!ex.dry())
    set_host_values(tensor, std::vector<double>(static_cast<std::size_t>(shape.count()), 1));
  return {"state", tensor, {}};
}

constexpr ErrorKind kShape = ErrorKind::shape, kDType = ErrorKind::dtype,
                    kConfig = ErrorKind::config;

LayerWeights layer_weights(Executor& ex, const Shape& up, const Shape& down) {
  LayerWeights weights;
  weights.up = v(ex, up);
  weights.down = v(ex, down);
  return weights;
}

void add_expert_layers(std::vector<WrongInput>& all) {
  const auto run = [](Executor& ex, LayerWeights weights, std::int64_t offsets) {
    const NoTape no_tape(ex);
    expert_layer(ex, v(ex, {4, 8}), weights, v(ex, {offsets}, DType::i32).tensor, 2,
                 Activation::gelu);
  };
  all.push_back({"expert_layer", kShape, {"up is [5, 8]", "[2·H, 8]"}, [run](Executor& ex) {
                   run(ex, layer_weights(ex, {5, 8}, {16, 3}), 3);
                 }});
  all.push_back({"expert_layer", kShape, {"down is [15, 3]", "[16, 3]"}, [run](Executor& ex) {
                   run(ex, layer_weights(ex, {6, 8}, {15, 3}), 3);
                 }});
  all.push_back({"expert_layer", kShape, {"offsets"}, [run](Executor& ex) {
                   run(ex, layer_weights(ex, {6, 8}, {16, 3}), 4);
                 }});
  all.push_back({"expert_layer", kDType, {"down", "f64"}, [run](Executor& ex) {
                   LayerWeights weights = layer_weights(ex, {6, 8}, {16, 3});
                   weights.down = v(ex, {16, 3}, DType::f64);
                   run(ex, weights, 3);
                 }});
  all.push_back({"expert_layer", kConfig, {"no backward"}, [](Executor& ex) {
                   LayerWeights weights = layer_weights(ex, {6, 8}, {16, 3});
                   weights.up = ex.leaf(weights.up.tensor);
                   expert_layer(ex, v(ex, {4, 8}), weights, v(ex, {3}, DType::i32).tensor, 2,
                                Activation::gelu);
                 }});
}

void add_dense_layers(std::vector<WrongInput>& all) {
  const auto add = [&](ErrorKind kind, std::vector<std::string> words, const Shape& up,
                       const Shape& down, const Shape& bias, DType dtype = DType::f32) {
    all.push_back({"dense_layer", kind, std::move(words), [=](Executor& ex) {
                     LayerWeights weights = layer_weights(ex, up, down);
                     weights.up_bias = v(ex, bias, dtype);
                     dense_layer(ex, v(ex, {4, 8}), weights, Activation::gelu);
                   }});
  };
  add(kShape, {"[4, 8]", "up is [5, 7]", "[H, 8]"}, {5, 7}, {8, 5}, {5});
  add(kShape, {"down is [8, 6]", "[8, 5]"}, {5, 8}, {8, 6}, {5});
  add(kShape, {"up_bias is [8]", "[5]"}, {5, 8}, {8, 5}, {8});
  add(kDType, {"up_bias", "f16"}, {5, 8}, {8, 5}, {5}, DType::f16);
}

void add_products(std::vector<WrongInput>& all) {
  all.push_back({"linear", kShape, {"[3, 8]", "[5, 7]"}, [](Executor& ex) {
                   linear(ex, v(ex, {3, 8}), v(ex, {5, 7}));
                 }});
  all.push_back({"linear", kShape, {"[4]", "[5, 8]", "bias"}, [](Executor& ex) {
                   linear(ex, v(ex, {3, 8}), v(ex, {5, 8}), v(ex, {4}));
                 }});
  all.push_back({"linear", kShape, {"packed", "[3]", "[5, 8]"}, [](Executor& ex) {
                   const Tensor packed = ex.allocate({{3}, DType::u8});
                   linear(ex, v(ex, {3, 8}), v(ex, {5, 8}), {}, packed);
                 }});
  all.push_back({"linear", kDType, {"i32", "[3, 8]"}, [](Executor& ex) {
                   linear(ex, v(ex, {3, 8}, DType::i32), v(ex, {5, 8}));
                 }});
  all.push_back({"linear", kDType, {"f64", "f32", "[5, 8]"}, [](Executor& ex) {
                   linear(ex, v(ex, {3, 8}), v(ex, {5, 8}, DType::f64));
                 }});
  all.push_back({"linear", kDType, {"f64", "[5]"}, [](Executor& ex) {
                   linear(ex, v(ex, {3, 8}), v(ex, {5, 8}), v(ex, {5}, DType::f64));
                 }});
  all.push_back({"linear", kConfig, {"q8_0", "[5, 32]", "frozen"}, [](Executor& ex) {
                   linear(ex, v(ex, {3, 32}), v(ex, {5, 32}, DType::q8_0));
                 }});
  all.push_back({"matmul", kShape, {"[3, 8]", "[5, 7]"}, [](Executor& ex) {
                   matmul(ex, v(ex, {3, 8}), v(ex, {5, 7}), ProductForm::nt);
                 }});
  all.push_back({"matmul", kShape, {"[3, 8]", "[5, 8]"}, [](Executor& ex) {
                   matmul(ex, v(ex, {3, 8}), v(ex, {5, 8}), ProductForm::nn);
                 }});
  all.push_back({"matmul", kShape, {"[3, 8]", "[5, 8]"}, [](Executor& ex) {
                   matmul(ex, v(ex, {3, 8}), v(ex, {5, 8}), ProductForm::tn);
                 }});
  all.push_back({"matmul", kDType, {"bf16", "f32"}, [](Executor& ex) {
                   matmul(ex, v(ex, {3, 8}), v(ex, {5, 8}, DType::bf16), ProductForm::nt);
                 }});
  all.push_back({"grouped_linear", kShape, {"[3, 8]", "[5, 8]"}, [](Executor& ex) {
                   grouped_linear(ex, v(ex, {3, 8}), v(ex, {5, 8}), ids(ex, {0, 1, 3}), 2);
                 }});
  all.push_back({"grouped_linear", kShape, {"offsets", "[3]", "[6, 8]"}, [](Executor& ex) {
                   grouped_linear(ex, v(ex, {3, 8}), v(ex, {6, 8}), ids(ex, {0, 1, 3}), 3);
                 }});
  all.push_back({"grouped_linear", kConfig, {"0 experts"}, [](Executor& ex) {
                   grouped_linear(ex, v(ex, {3, 8}), v(ex, {6, 8}), ids(ex, {0, 3}), 0);
                 }});
  all.push_back({"grouped_linear",
                 kShape,
                 {"entry 1", "4", "[3]"},
                 [](Executor& ex) {
                   grouped_linear(ex, v(ex, {3, 8}), v(ex, {6, 8}), ids(ex, {0, 4, 3}), 2);
                 },
                 false});
  all.push_back({"grouped_linear",
                 kShape,
                 {"from 0 to 2", "3 rows"},
                 [](Executor& ex) {
                   grouped_linear(ex, v(ex, {3, 8}), v(ex, {6, 8}), ids(ex, {0, 1, 2}), 2);
                 },
                 false});
  all.push_back({"grouped_linear",
                 kShape,
                 {"fall from 2 to 1", "expert 1"},
                 [](Executor& ex) {
                   grouped_linear(ex, v(ex, {3, 8}), v(ex, {6, 8}), ids(ex, {0, 2, 1, 3}), 3);
                 },
                 false});
}

void add_pointwise(std::vector<WrongInput>& all) {
  for (const Activation kind :
       {Activation::relu, Activation::gelu, Activation::gelu_tanh, Activation::quick_gelu,
        Activation::silu, Activation::swish, Activation::relu2, Activation::sigmoid,
        Activation::tanh, Activation::hardswish, Activation::hardsigmoid}) {
    all.push_back({std::string(to_string(kind)), kDType, {"i32", "[3, 8]"}, [kind](Executor& ex) {
                     activation(ex, v(ex, {3, 8}, DType::i32), kind);
                   }});
  }
  all.push_back({"multiply", kShape, {"[3, 8]", "[3, 7]"}, [](Executor& ex) {
                   multiply(ex, v(ex, {3, 8}), v(ex, {3, 7}));
                 }});
  all.push_back({"multiply", kDType, {"f32", "bf16", "[3, 8]"}, [](Executor& ex) {
                   multiply(ex, v(ex, {3, 8}), v(ex, {3, 8}, DType::bf16));
                 }});
  all.push_back({"add", kShape, {"[6, 8]", "[4, 8]"}, [](Executor& ex) {
                   add(ex, v(ex, {6, 8}), v(ex, {4, 8}));
                 }});
  all.push_back({"add", kShape, {"[6, 8]", "[0, 8]"}, [](Executor& ex) {
                   add(ex, v(ex, {6, 8}), v(ex, {0, 8}));
                 }});
  all.push_back(
      {"add", kShape, {"[6, 8]", "[7]"}, [](Executor& ex) { add(ex, v(ex, {6, 8}), v(ex, {7})); }});
  all.push_back({"add", kDType, {"f32", "bf16", "[8]"}, [](Executor& ex) {
                   add(ex, v(ex, {6, 8}), v(ex, {8}, DType::bf16));
                 }});
  all.push_back({"scale", kDType, {"i32", "[3, 8]"}, [](Executor& ex) {
                   scale(ex, v(ex, {3, 8}, DType::i32), 2);
                 }});
  all.push_back({"cast", kDType, {"i32", "f32", "[3, 8]"}, [](Executor& ex) {
                   cast(ex, v(ex, {3, 8}, DType::i32), DType::f32);
                 }});
  all.push_back({"cast", kConfig, {"f16", "[3, 8]"}, [](Executor& ex) {
                   cast(ex, v(ex, {3, 8}), DType::f16);
                 }});
  all.push_back({"dropout", kConfig, {"1"}, [](Executor& ex) {
                   dropout(ex, v(ex, {3, 8}), 1.0f, RandomStream(1));
                 }});
  all.push_back({"dropout", kDType, {"i32", "[3, 8]"}, [](Executor& ex) {
                   dropout(ex, v(ex, {3, 8}, DType::i32), 0.5f, RandomStream(1));
                 }});
}

void add_rows(std::vector<WrongInput>& all) {
  all.push_back({"layer_norm", kShape, {"weight", "[7]", "[3, 8]"}, [](Executor& ex) {
                   layer_norm(ex, v(ex, {3, 8}), v(ex, {7}), v(ex, {8}));
                 }});
  all.push_back({"layer_norm", kShape, {"bias", "[2, 4]", "[3, 8]"}, [](Executor& ex) {
                   layer_norm(ex, v(ex, {3, 8}), v(ex, {8}), v(ex, {2, 4}));
                 }});
  all.push_back({"layer_norm", kDType, {"weight", "bf16", "f32"}, [](Executor& ex) {
                   layer_norm(ex, v(ex, {3, 8}), v(ex, {8}, DType::bf16), {});
                 }});
  all.push_back({"layer_norm", kConfig, {"eps", "-1"}, [](Executor& ex) {
                   layer_norm(ex, v(ex, {3, 8}), {}, {}, -1);
                 }});
  all.push_back({"rms_norm", kShape, {"weight", "[7]", "[3, 8]"}, [](Executor& ex) {
                   rms_norm(ex, v(ex, {3, 8}), v(ex, {7}));
                 }});
  all.push_back({"batch_norm", kShape, {"running", "[1, 8]", "[3, 8]"}, [](Executor& ex) {
                   State running = state(ex, {1, 8});
                   batch_norm(ex, v(ex, {3, 8}), {}, {}, running);
                 }});
  all.push_back({"batch_norm", kDType, {"running", "bf16"}, [](Executor& ex) {
                   State running = state(ex, {2, 8}, DType::bf16);
                   batch_norm(ex, v(ex, {3, 8}), {}, {}, running);
                 }});
  all.push_back({"batch_norm", kConfig, {"momentum", "2"}, [](Executor& ex) {
                   State running = state(ex, {2, 8});
                   batch_norm(ex, v(ex, {3, 8}), {}, {}, running, 1e-5f, 2);
                 }});
  all.push_back({"batch_norm", kConfig, {"eval", "[3, 8]"}, [](Executor& ex) {
                   State running = state(ex, {2, 8});
                   ex.set_training(false);
                   batch_norm(ex, v(ex, {3, 8}), {}, {}, running);
                 }});
  all.push_back({"softmax", kDType, {"i32", "[3, 8]"}, [](Executor& ex) {
                   softmax(ex, v(ex, {3, 8}, DType::i32));
                 }});
  all.push_back({"softmax", kConfig, {"period 0"}, [](Executor& ex) {
                   softmax(ex, v(ex, {3, 8}), {.causal = true});
                 }});
  all.push_back({"softmax", kConfig, {"[3, 8]", "period 2"}, [](Executor& ex) {
                   softmax(ex, v(ex, {3, 8}), {.causal = true, .period = 2});
                 }});
  all.push_back({"cross_entropy", kShape, {"[3, 8]", "[2]"}, [](Executor& ex) {
                   cross_entropy(ex, v(ex, {3, 8}), ids(ex, {1, 2}));
                 }});
  all.push_back({"cross_entropy", kDType, {"f32", "[3]"}, [](Executor& ex) {
                   cross_entropy(ex, v(ex, {3, 8}), v(ex, {3}).tensor);
                 }});
  all.push_back({"cross_entropy",
                 kShape,
                 {"entry 1", "8", "[3]"},
                 [](Executor& ex) { cross_entropy(ex, v(ex, {3, 8}), ids(ex, {1, 8, 0})); },
                 false});
}

void add_indexed(std::vector<WrongInput>& all) {
  all.push_back({"gather_rows",
                 kShape,
                 {"entry 2", "3", "[-1, 3)"},
                 [](Executor& ex) { gather_rows(ex, v(ex, {3, 8}), ids(ex, {0, -1, 3})); },
                 false});
  all.push_back({"gather_rows",
                 kShape,
                 {"entry 0", "-2"},
                 [](Executor& ex) { gather_rows(ex, v(ex, {3, 8}), ids(ex, {-2})); },
                 false});
  all.push_back({"gather_rows", kShape, {"[3, 2, 8]", "[1]"}, [](Executor& ex) {
                   gather_rows(ex, v(ex, {3, 2, 8}), ids(ex, {0}));
                 }});
  all.push_back({"gather_rows", kDType, {"f32", "[3]"}, [](Executor& ex) {
                   gather_rows(ex, v(ex, {3, 8}), v(ex, {3}).tensor);
                 }});
  all.push_back({"scatter_add_rows", kShape, {"[3, 8]", "[2]"}, [](Executor& ex) {
                   scatter_add_rows(ex, v(ex, {3, 8}), ids(ex, {0, 1}), 4);
                 }});
  all.push_back({"scatter_add_rows",
                 kShape,
                 {"entry 1", "4"},
                 [](Executor& ex) { scatter_add_rows(ex, v(ex, {2, 8}), ids(ex, {0, 4}), 4); },
                 false});
  all.push_back({"scale_rows", kShape, {"[3, 8]", "[2, 1]"}, [](Executor& ex) {
                   scale_rows(ex, v(ex, {3, 8}), v(ex, {2, 1}));
                 }});
  all.push_back({"scale_rows", kDType, {"f32", "bf16", "[3, 1]"}, [](Executor& ex) {
                   scale_rows(ex, v(ex, {3, 8}), v(ex, {3, 1}, DType::bf16));
                 }});
}

void add_views(std::vector<WrongInput>& all) {
  all.push_back({"attention", kShape, {"[4, 6]", "[4, 5]"}, [](Executor& ex) {
                   attention(ex, v(ex, {4, 6}), v(ex, {4, 6}), v(ex, {4, 5}), 1, {});
                 }});  // the others: attention_errors_test.cpp
  all.push_back({"reshape", kShape, {"[3, 8]", "[5, 5]"}, [](Executor& ex) {
                   reshape(ex, v(ex, {3, 8}), {5, 5});
                 }});
  all.push_back({"reshape", kShape, {"[3, 4]", "[2, 6]", "copy"}, [](Executor& ex) {
                   reshape(ex, slice_cols(ex, v(ex, {3, 8}), 0, 4), {2, 6});
                 }});
  all.push_back({"slice_rows", kShape, {"[2, 2 + 2)", "[3, 8]"}, [](Executor& ex) {
                   slice_rows(ex, v(ex, {3, 8}), 2, 2);
                 }});
  all.push_back({"slice_cols", kShape, {"[-1, -1 + 2)", "[3, 8]"}, [](Executor& ex) {
                   slice_cols(ex, v(ex, {3, 8}), -1, 2);
                 }});
  all.push_back({"split_cols", kShape, {"7", "[3, 8]"}, [](Executor& ex) {
                   split_cols(ex, v(ex, {3, 8}), std::array<std::int64_t, 2>{3, 4});
                 }});
  all.push_back({"split_cols", kConfig, {"1 parts", "[3, 8]"}, [](Executor& ex) {
                   split_cols(ex, v(ex, {3, 8}), std::array<std::int64_t, 1>{8});
                 }});
  all.push_back({"concat_cols", kShape, {"[3, 8]", "[4, 8]"}, [](Executor& ex) {
                   concat_cols(ex, std::array<Value, 2>{v(ex, {3, 8}), v(ex, {4, 8})});
                 }});
  all.push_back({"concat_cols", kDType, {"f32", "bf16"}, [](Executor& ex) {
                   concat_cols(ex, std::array<Value, 2>{v(ex, {3, 8}), v(ex, {3, 8}, DType::bf16)});
                 }});
  all.push_back({"cache_append", kShape, {"[3, 8]", "[4, 8]", "rows [2, 2 + 3)"}, [](Executor& ex) {
                   const NoTape no_tape(ex);
                   State cache = state(ex, {4, 8});
                   cache_append(ex, cache, v(ex, {3, 8}), 2);
                 }});
  all.push_back({"cache_append", kShape, {"[1, 7]", "[4, 8]"}, [](Executor& ex) {
                   const NoTape no_tape(ex);
                   State cache = state(ex, {4, 8});
                   cache_append(ex, cache, v(ex, {1, 7}), 0);
                 }});
  all.push_back({"cache_append", kConfig, {"tape"}, [](Executor& ex) {
                   State cache = state(ex, {4, 8});
                   cache_append(ex, cache, v(ex, {1, 8}), 0);
                 }});
}

void add_tiny_network(std::vector<WrongInput>& all) {
  const auto add = [&](ErrorKind kind, std::vector<std::string> named,
                       const TinyNetworkShape& shape, std::int64_t cols, std::int64_t weights,
                       DType dtype = DType::f32) {
    all.push_back({"tiny_network", kind, std::move(named), [=](Executor& ex) {
                     tiny_network(ex, v(ex, {4, cols}), v(ex, {weights}, dtype), shape);
                   }});
  };
  const TinyNetworkShape good{8, 4, 16, 2};
  const std::int64_t n = good.weights();
  add(ErrorKind::shape, {"[4, 7]", "[N, 8]"}, good, 7, n);
  add(ErrorKind::shape, {"[4, 8]", "[449]", "[448]"}, good, 8, n + 1);
  add(ErrorKind::dtype, {"i32", "f32"}, good, 8, n, DType::i32);
  add(ErrorKind::config, {"width is 24", "multiple of 16"}, {8, 4, 24, 2}, 8, n);
  add(ErrorKind::config, {"width is 0"}, {8, 4, 0, 2}, 8, n);
  add(ErrorKind::config, {"width is 1040", "1024"}, {8, 4, 1040, 2}, 8, n);
  add(ErrorKind::config, {"0 hidden layers"}, {8, 4, 16, 0}, 8, n);
  add(ErrorKind::config, {"in is 0"}, {0, 4, 16, 2}, 8, n);
  add(ErrorKind::config, {"out is 0"}, {8, 0, 16, 2}, 8, n);
}

std::vector<WrongInput> wrong_inputs() {
  std::vector<WrongInput> all;
  add_products(all);
  add_expert_layers(all);
  add_dense_layers(all);
  add_pointwise(all);
  add_rows(all);
  add_indexed(all);
  add_views(all);
  add_tokens(all);
  add_routing(all);
  add_router(all);
  add_tiny_network(all);
  return all;
}

}  // namespace

void expect_error(const WrongInput& wrong, const Device& device) {
  Executor ex(device);
  try {
    wrong.run(ex);
    ADD_FAILURE() << wrong.op << ": no error that names " << wrong.named[0];
  } catch (const Error& error) {
    EXPECT_EQ(error.where(), wrong.op) << error.what();
    EXPECT_EQ(error.kind(), wrong.kind) << error.what();
    for (const std::string& part : wrong.named)
      EXPECT_NE(error.detail().find(part), std::string::npos) << part << " in: " << error.what();
  }
}

namespace {

TEST(OpErrors, NameTheOperationAndWhatDoesNotFit) {
  const Device device = cpu_device(serial_pool());
  for (const WrongInput& wrong : wrong_inputs()) {
    expect_error(wrong, device);
    if (wrong.dry_too) expect_error(wrong, dry_device(device));
  }
}

TEST(OpErrors, CoverEveryOperation) {
  std::set<std::string> covered;
  for (const WrongInput& wrong : wrong_inputs()) covered.insert(wrong.op);
  for (const std::string_view name : op_names())
    EXPECT_TRUE(covered.contains(std::string(name))) << name << " has no wrong input";
}

TEST(OpErrors, WideTypesNeedTheReferenceDevice) {
  Executor cpu(cpu_device(serial_pool()));
  for (const DType dtype : {DType::f64, DType::c128}) {
    try {
      relu(cpu, v(cpu, {2, 3}, dtype));
      ADD_FAILURE() << "no error for " << to_string(dtype);
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::dtype);
      EXPECT_NE(error.detail().find("reference device"), std::string::npos) << error.what();
    }
  }
  Executor reference(reference_device());
  EXPECT_EQ(relu(reference, v(reference, {2, 3}, DType::f64)).dtype(), DType::f64);
}

// A failed call leaves no node behind: the tape still runs.
TEST(OpErrors, LeaveTheTapeUsable) {
  Executor ex(reference_device());
  const Value x = v(ex, {1, 1}, DType::f64);
  const Value y = scale(ex, x, 3);
  EXPECT_THROW(multiply(ex, y, v(ex, {1, 2}, DType::f64)), Error);
  ex.backward(y);
  EXPECT_EQ(host_values(ex.gradient(x)), std::vector<double>{3});
}

}  // namespace
}  // namespace ffn::test
