// Wrong inputs of the operations on tokens and pictures, and of the losses' smoothing; and what
// they accept at the edge.
#include <gtest/gtest.h>

#include "ffn/ops/cross_entropy.h"
#include "ffn/ops/depthwise_conv.h"
#include "ffn/ops/drop_path.h"
#include "ffn/ops/patchify.h"
#include "ffn/ops/tokens.h"
#include "ffn/ops/view.h"
#include "ops/wrong_input.h"

namespace ffn::test {
namespace {

constexpr ErrorKind kShape = ErrorKind::shape, kDType = ErrorKind::dtype,
                    kConfig = ErrorKind::config;

void add_conv(std::vector<WrongInput>& all) {
  all.push_back({"depthwise_conv", kShape, {"[13, 8]", "1 + 2·3 = 7"}, [](Executor& ex) {
                   depthwise_conv(ex, v(ex, {13, 8}), v(ex, {8, 9}), {}, {2, 3, 1});
                 }});
  all.push_back({"depthwise_conv", kShape, {"[14, 8]", "[7, 9]"}, [](Executor& ex) {
                   depthwise_conv(ex, v(ex, {14, 8}), v(ex, {7, 9}), {}, {2, 3, 1});
                 }});
  for (const std::int64_t places : {0, 4, 8}) {  // none, an even k, no square
    all.push_back({"depthwise_conv", kShape, {"[14, 8]", "odd k"}, [places](Executor& ex) {
                     depthwise_conv(ex, v(ex, {14, 8}), v(ex, {8, places}), {}, {2, 3, 1});
                   }});
  }
  all.push_back({"depthwise_conv", kShape, {"bias", "[9]", "[14, 8]"}, [](Executor& ex) {
                   depthwise_conv(ex, v(ex, {14, 8}), v(ex, {8, 9}), v(ex, {9}), {2, 3, 1});
                 }});
  all.push_back({"depthwise_conv", kConfig, {"0 × 3", "[14, 8]"}, [](Executor& ex) {
                   depthwise_conv(ex, v(ex, {14, 8}), v(ex, {8, 9}), {}, {0, 3, 1});
                 }});
  all.push_back({"depthwise_conv", kConfig, {"after -1 rows"}, [](Executor& ex) {
                   depthwise_conv(ex, v(ex, {14, 8}), v(ex, {8, 9}), {}, {2, 3, -1});
                 }});
  all.push_back({"depthwise_conv", kDType, {"weight", "f16", "f32"}, [](Executor& ex) {
                   depthwise_conv(ex, v(ex, {14, 8}), v(ex, {8, 9}, DType::f16), {}, {2, 3, 1});
                 }});
  all.push_back({"depthwise_conv", kDType, {"bias", "f64", "[8]"}, [](Executor& ex) {
                   depthwise_conv(ex, v(ex, {14, 8}), v(ex, {8, 9}), v(ex, {8}, DType::f64),
                                  {2, 3, 1});
                 }});
}

void add_losses(std::vector<WrongInput>& all) {
  all.push_back({"cross_entropy", kConfig, {"smoothing", "1.5", "[2, 8]"}, [](Executor& ex) {
                   cross_entropy(ex, v(ex, {2, 8}), ids(ex, {0, 1}), 1.5f);
                 }});
  all.push_back({"soft_cross_entropy", kConfig, {"smoothing", "-1", "[2, 8]"}, [](Executor& ex) {
                   soft_cross_entropy(ex, v(ex, {2, 8}), v(ex, {2, 8}).tensor, -1);
                 }});
  all.push_back({"soft_cross_entropy", kShape, {"[2, 8]", "[2, 7]"}, [](Executor& ex) {
                   soft_cross_entropy(ex, v(ex, {2, 8}), v(ex, {2, 7}).tensor);
                 }});
  all.push_back({"soft_cross_entropy", kShape, {"no classes", "[2, 0]"}, [](Executor& ex) {
                   soft_cross_entropy(ex, v(ex, {2, 0}), v(ex, {2, 0}).tensor);
                 }});
  all.push_back({"soft_cross_entropy", kDType, {"targets", "bf16", "f32"}, [](Executor& ex) {
                   soft_cross_entropy(ex, v(ex, {2, 8}), v(ex, {2, 8}, DType::bf16).tensor);
                 }});
}

void add_sequences(std::vector<WrongInput>& all) {
  all.push_back({"mean_tokens", kShape, {"[6, 8]", "4 equal sequences"}, [](Executor& ex) {
                   mean_tokens(ex, v(ex, {6, 8}), 4, 0, 1);
                 }});
  all.push_back({"mean_tokens", kShape, {"0 equal sequences"}, [](Executor& ex) {
                   mean_tokens(ex, v(ex, {6, 8}), 0, 0, 1);
                 }});
  all.push_back({"mean_tokens", kShape, {"[1, 1 + 3)", "3 rows", "[6, 8]"}, [](Executor& ex) {
                   mean_tokens(ex, v(ex, {6, 8}), 2, 1, 3);
                 }});
  all.push_back({"mean_tokens", kConfig, {"0 rows", "[6, 8]"}, [](Executor& ex) {
                   mean_tokens(ex, v(ex, {6, 8}), 2, 1, 0);
                 }});
  all.push_back({"drop_path", kShape, {"[6, 8]", "4 equal sequences"}, [](Executor& ex) {
                   drop_path(ex, v(ex, {6, 8}), 0.5f, RandomStream(1), 4);
                 }});
  all.push_back({"drop_path", kConfig, {"1", "[6, 8]"}, [](Executor& ex) {
                   drop_path(ex, v(ex, {6, 8}), 1.0f, RandomStream(1), 2);
                 }});
  all.push_back({"prepend_token", kShape, {"[2, 8]", "[6, 8]"}, [](Executor& ex) {
                   prepend_token(ex, v(ex, {2, 8}), v(ex, {6, 8}), 2);
                 }});
  all.push_back({"prepend_token", kShape, {"[6, 8]", "-1 equal sequences"}, [](Executor& ex) {
                   prepend_token(ex, v(ex, {1, 8}), v(ex, {6, 8}), -1);
                 }});
  all.push_back({"prepend_token", kShape, {"[6, 4]", "copy"}, [](Executor& ex) {
                   prepend_token(ex, v(ex, {1, 4}), slice_cols(ex, v(ex, {6, 8}), 0, 4), 2);
                 }});
  all.push_back({"prepend_token", kDType, {"bf16", "f32"}, [](Executor& ex) {
                   prepend_token(ex, v(ex, {1, 8}, DType::bf16), v(ex, {6, 8}), 2);
                 }});
}

void add_parts(std::vector<WrongInput>& all) {
  all.push_back({"take_tokens", kShape, {"[6, 8]", "4 equal sequences"}, [](Executor& ex) {
                   take_tokens(ex, v(ex, {6, 8}), 4, 0, 1);
                 }});
  all.push_back({"take_tokens", kShape, {"[1, 1 + 3)", "3 rows", "[6, 8]"}, [](Executor& ex) {
                   take_tokens(ex, v(ex, {6, 8}), 2, 1, 3);
                 }});
  all.push_back({"take_tokens", kShape, {"[6, 4]", "copy"}, [](Executor& ex) {
                   take_tokens(ex, slice_cols(ex, v(ex, {6, 8}), 0, 4), 2, 1, 2);
                 }});
  all.push_back({"take_tokens", kDType, {"i32"}, [](Executor& ex) {
                   take_tokens(ex, v(ex, {6, 8}, DType::i32), 2, 1, 2);
                 }});
  all.push_back({"pad_tokens", kConfig, {"-1 rows before", "[6, 8]"}, [](Executor& ex) {
                   pad_tokens(ex, v(ex, {6, 8}), 2, -1, 3);
                 }});
  all.push_back({"pad_tokens", kShape, {"[6, 8]", "4 equal sequences"}, [](Executor& ex) {
                   pad_tokens(ex, v(ex, {6, 8}), 4, 1, 0);
                 }});
  all.push_back({"pad_tokens", kDType, {"i32"}, [](Executor& ex) {
                   pad_tokens(ex, v(ex, {6, 8}, DType::i32), 2, 1, 0);
                 }});
  all.push_back({"join_tokens", kShape, {"[2, 8]", "[6, 7]"}, [](Executor& ex) {
                   join_tokens(ex, v(ex, {2, 8}), v(ex, {6, 7}), 2);
                 }});
  all.push_back({"join_tokens", kShape, {"[3, 8]", "2 equal sequences"}, [](Executor& ex) {
                   join_tokens(ex, v(ex, {3, 8}), v(ex, {6, 8}), 2);
                 }});
  all.push_back({"gate_tokens", kShape, {"[3, 8]", "[6, 8]", "[2, 8]"}, [](Executor& ex) {
                   gate_tokens(ex, v(ex, {6, 8}), v(ex, {3, 8}), 2, 0, 1);
                 }});
  all.push_back({"gate_tokens", kShape, {"[1, 1 + 3)", "[6, 8]"}, [](Executor& ex) {
                   gate_tokens(ex, v(ex, {6, 8}), v(ex, {2, 8}), 2, 1, 3);
                 }});
  all.push_back({"gate_tokens", kDType, {"bf16", "f32"}, [](Executor& ex) {
                   gate_tokens(ex, v(ex, {6, 8}), v(ex, {2, 8}, DType::bf16), 2, 0, 1);
                 }});
}

void add_pictures(std::vector<WrongInput>& all) {
  all.push_back({"patchify", kShape, {"[2, 47]", "48"}, [](Executor& ex) {
                   patchify(ex, v(ex, {2, 47}), 3, 4, 4, 2);
                 }});
  all.push_back({"patchify", kConfig, {"[2, 48]", "patches of 3", "divide"}, [](Executor& ex) {
                   patchify(ex, v(ex, {2, 48}), 3, 4, 4, 3);
                 }});
  all.push_back({"patchify", kConfig, {"[2, 48]", "patches of 0"}, [](Executor& ex) {
                   patchify(ex, v(ex, {2, 48}), 3, 4, 4, 0);
                 }});
}

TEST(TokenErrors, AViewThatNeedsACopySaysSo) {
  const WrongInput wrong{"first_token", kShape, {"[6, 4]", "copy"}, [](Executor& ex) {
                           first_token(ex, slice_cols(ex, v(ex, {6, 8}), 0, 4), 2);
                         }};
  expect_error(wrong, cpu_device(serial_pool()));
}

}  // namespace

void add_tokens(std::vector<WrongInput>& all) {
  add_conv(all);
  add_losses(all);
  add_sequences(all);
  add_parts(all);
  add_pictures(all);
}

}  // namespace ffn::test
