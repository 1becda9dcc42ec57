// Wrong inputs of the operations on tokens and pictures, and of the losses' smoothing; and what
// they accept at the edge.
#include <gtest/gtest.h>

#include <limits>

#include "ffn/ops/causal_conv.h"
#include "ffn/ops/cross_entropy.h"
#include "ffn/ops/depthwise_conv.h"
#include "ffn/ops/drop_path.h"
#include "ffn/ops/mix_tokens.h"
#include "ffn/ops/patchify.h"
#include "ffn/ops/rope.h"
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

void add_causal_conv(std::vector<WrongInput>& all) {
  all.push_back({"causal_conv", kShape, {"[14, 8]", "3 equal sequences"}, [](Executor& ex) {
                   causal_conv(ex, v(ex, {14, 8}), v(ex, {8, 4}), {}, 3);
                 }});
  all.push_back({"causal_conv", kShape, {"[14, 8]", "[7, 4]", "[8, k]"}, [](Executor& ex) {
                   causal_conv(ex, v(ex, {14, 8}), v(ex, {7, 4}), {}, 2);
                 }});
  all.push_back({"causal_conv", kShape, {"bias", "[9]", "[14, 8]"}, [](Executor& ex) {
                   causal_conv(ex, v(ex, {14, 8}), v(ex, {8, 4}), v(ex, {9}), 2);
                 }});
  for (const std::int64_t k : {0, 65}) {
    all.push_back({"causal_conv", kConfig, {std::to_string(k) + " taps", "64"}, [k](Executor& ex) {
                     causal_conv(ex, v(ex, {14, 8}), v(ex, {8, k}), {}, 2);
                   }});
  }
  all.push_back({"causal_conv", kDType, {"weight", "f16", "f32"}, [](Executor& ex) {
                   causal_conv(ex, v(ex, {14, 8}), v(ex, {8, 4}, DType::f16), {}, 2);
                 }});
  all.push_back({"causal_conv", kDType, {"bias", "f64", "[8]"}, [](Executor& ex) {
                   causal_conv(ex, v(ex, {14, 8}), v(ex, {8, 4}), v(ex, {8}, DType::f64), 2);
                 }});
}

void add_rope(std::vector<WrongInput>& all) {
  const auto add = [&](ErrorKind kind, std::vector<std::string> words, std::int64_t sequences,
                       const RopeOptions& options) {
    all.push_back({"rope", kind, std::move(words),
                   [=](Executor& ex) { rope(ex, v(ex, {6, 24}), sequences, options); }});
  };
  add(kShape, {"[6, 24]", "4 equal sequences"}, 4, {.heads = 3});
  add(kShape, {"[6, 24]", "5 equal heads"}, 2, {.heads = 5});
  add(kConfig, {"[6, 24]", "0 heads"}, 2, {.heads = 0});
  add(kConfig, {"turning 3 columns", "heads of 8", "[6, 24]"}, 2, {.heads = 3, .rotary_width = 3});
  add(kConfig, {"turning 10 columns", "heads of 8"}, 2, {.heads = 3, .rotary_width = 10});
  add(kConfig, {"turning -2 columns", "heads of 8"}, 2, {.heads = 3, .rotary_width = -2});
  add(kConfig, {"turning 3 columns", "heads of 3"}, 2, {.heads = 8});
  add(kConfig, {"theta", "0", "positive"}, 2, {.heads = 3, .theta = 0});
  add(kConfig, {"theta", "inf"}, 2, {.heads = 3, .theta = std::numeric_limits<double>::infinity()});
  const auto three = std::make_shared<const std::vector<double>>(3, 1.0);
  add(kConfig, {"3 frequencies", "heads of 8", "4 pairs"}, 2, {.heads = 3, .frequencies = three});
  all.push_back(
      {"rope", kConfig, {"3 columns", "even"}, [](Executor&) { rope_frequencies(1e4, 3, {}); }});
  all.push_back({"rope", kConfig, {"factor 0", "positive"}, [](Executor&) {
                   rope_frequencies(1e4, 4, {.kind = RopeScaling::Kind::linear, .factor = 0});
                 }});
  all.push_back({"rope", kConfig, {"high frequency factor 1", "low one, 1"}, [](Executor&) {
                   rope_frequencies(1e4, 4, {RopeScaling::Kind::llama3, 8, 1, 1, 64});
                 }});
  add(kConfig, {"first position", "-1"}, 2, {.heads = 3, .first_position = -1});
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

void add_mixing(std::vector<WrongInput>& all) {
  const auto mix = [](const Shape& weight, std::int64_t tokens, std::int64_t sequences) {
    return [=](Executor& ex) {
      mix_tokens(ex, v(ex, {6, 8}), v(ex, weight), v(ex, {tokens}), sequences);
    };
  };
  all.push_back({"mix_tokens", kShape, {"[6, 8]", "4 equal sequences"}, mix({3, 3}, 3, 4)});
  all.push_back({"mix_tokens", kShape, {"3 rows", "[2, 2]", "[3, 3]"}, mix({2, 2}, 3, 2)});
  all.push_back({"mix_tokens", kShape, {"[3, 2]", "[3, 3]"}, mix({3, 2}, 3, 2)});
  all.push_back({"mix_tokens", kShape, {"bias", "[8]", "[3, 3]"}, mix({3, 3}, 8, 2)});
  all.push_back({"mix_tokens", kDType, {"weight", "f16", "f32"}, [](Executor& ex) {
                   mix_tokens(ex, v(ex, {6, 8}), v(ex, {3, 3}, DType::f16), v(ex, {3}), 2);
                 }});
  all.push_back({"mix_tokens", kDType, {"bias", "f64", "f32"}, [](Executor& ex) {
                   mix_tokens(ex, v(ex, {6, 8}), v(ex, {3, 3}), v(ex, {3}, DType::f64), 2);
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
  add_causal_conv(all);
  add_rope(all);
  add_losses(all);
  add_sequences(all);
  add_mixing(all);
  add_parts(all);
  add_pictures(all);
}

}  // namespace ffn::test
