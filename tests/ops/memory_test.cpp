// What operations keep, share and count: as their headers say, in bytes and flops.
#include <gtest/gtest.h>

#include <array>

#include "ffn/ops/activation.h"
#include "ffn/ops/arithmetic.h"
#include "ffn/ops/cross_entropy.h"
#include "ffn/ops/dropout.h"
#include "ffn/ops/grouped_linear.h"
#include "ffn/ops/indexing.h"
#include "ffn/ops/linear.h"
#include "ffn/ops/norm.h"
#include "ffn/ops/softmax.h"
#include "ffn/ops/view.h"

namespace ffn::test {
namespace {

// Sizes are whole multiples of 64 bytes, so that the ledger's rounding adds nothing: N·D·4 = 2048.
constexpr std::int64_t N = 16, D = 32, H = 64;
constexpr std::int64_t kRows = N * D * 4, kHidden = N * H * 4, kWeight = H * D * 4;

// Everything here runs dry: bytes and flops are those of the run (plan_test.cpp).
class OpMemory : public testing::Test {
 protected:
  Value activation_value(const Shape& shape, bool wants = true) {
    const Tensor tensor = ex.allocate({shape, DType::f32});
    return wants ? ex.leaf(tensor) : ex.constant(tensor);
  }
  // Bytes still held by the tape, after the caller gave everything away.
  std::int64_t kept() { return ex.ledger().live_bytes(Tag::activations); }

  Executor ex{dry_device(reference_device())};
};

TEST_F(OpMemory, LinearSavesOnlyWhatWantedGradientsNeed) {
  linear(ex, activation_value({N, D}), activation_value({H, D}));
  EXPECT_EQ(kept(), kRows + kWeight);
  ex.clear_tape();
  EXPECT_EQ(kept(), 0);
  linear(ex, activation_value({N, D}), activation_value({H, D}, false));
  EXPECT_EQ(kept(), kWeight) << "dx needs the weight alone";
  ex.clear_tape();
  linear(ex, activation_value({N, D}, false), activation_value({H, D}));
  EXPECT_EQ(kept(), kRows) << "dW needs x alone";
  ex.clear_tape();
  linear(ex, activation_value({N, D}, false), activation_value({H, D}, false),
         activation_value({H}));
  EXPECT_EQ(kept(), 0) << "the bias gradient needs nothing";
  ex.clear_tape();
  linear(ex, activation_value({N, D}, false), activation_value({H, D}, false));
  EXPECT_EQ(kept(), 0) << "nothing is wanted, nothing recorded";
}

TEST_F(OpMemory, MultiplySavesTheOtherOperand) {
  multiply(ex, activation_value({N, D}), activation_value({N, D}, false));
  EXPECT_EQ(kept(), kRows);
  ex.clear_tape();
  multiply(ex, activation_value({N, D}), activation_value({N, D}));
  EXPECT_EQ(kept(), 2 * kRows);
}

TEST_F(OpMemory, AddScaleDropoutAndViewsSaveNothing) {
  Value y = add(ex, activation_value({N, D}), activation_value({D}));
  y = scale(ex, std::move(y), 2);
  y = dropout(ex, std::move(y), 0.5f, RandomStream(1));
  y = slice_cols(ex, std::move(y), 0, 8);
  y = cast(ex, std::move(y), DType::bf16);
  y = {};
  EXPECT_EQ(kept(), 0);
}

TEST_F(OpMemory, ReluRunsInPlaceAndKeepsItsOutput) {
  Value x = scale(ex, activation_value({N, D}), 2);
  EXPECT_EQ(kept(), kRows);
  const Storage* buffer = x.tensor.storage().get();
  const Value y = relu(ex, std::move(x));
  EXPECT_EQ(y.tensor.storage().get(), buffer);
  EXPECT_EQ(kept(), kRows);
}

TEST_F(OpMemory, GeluKeepsItsInput) {
  Value y = gelu(ex, activation_value({N, D}));
  EXPECT_EQ(kept(), 2 * kRows);
  y = {};
  EXPECT_EQ(kept(), kRows);
}

TEST_F(OpMemory, WithoutATapeTemporariesAreReused) {
  const NoTape no_tape(ex);
  Value x = activation_value({N, D});
  const Storage* buffer = x.tensor.storage().get();
  x = softmax(ex, gelu(ex, scale(ex, std::move(x), 2)));
  x = rms_norm(ex, std::move(x), {});
  EXPECT_EQ(x.tensor.storage().get(), buffer);
  EXPECT_EQ(ex.ledger().peak_bytes(Tag::activations), kRows);
}

TEST_F(OpMemory, NormsKeepTheirStatistics) {
  layer_norm(ex, activation_value({N, D}), activation_value({D}), {});
  EXPECT_EQ(kept(), kRows + N * 2 * 4 + D * 4);
  ex.clear_tape();
  rms_norm(ex, activation_value({N, D}), {});
  EXPECT_EQ(kept(), kRows + N * 4);
}

TEST_F(OpMemory, CrossEntropyKeepsOneNumberPerRow) {
  const Tensor targets = ex.allocate({{N}, DType::i32}, Tag::data);
  Value loss = cross_entropy(ex, activation_value({N, H}), targets);
  loss = {};
  EXPECT_EQ(kept(), kHidden + N * 4 + kAlignment);
}

TEST_F(OpMemory, GradientsTakeOverTheBufferTheyComeFrom) {
  const Value x = activation_value({N, D});
  Value y =
      add(ex, scale(ex, gelu(ex, reshape(ex, x, {N * 2, D / 2})), 2), activation_value({D / 2}));
  ex.reset_report();
  ex.backward(y, ex.allocate({y.shape(), DType::f32}, Tag::gradients));
  // The caller's seed, and one copy that becomes dx on its way down; the bias adds its own
  // gradient.
  EXPECT_EQ(ex.ledger().peak_bytes(Tag::gradients), 2 * kRows + D / 2 * 4);
}

TEST_F(OpMemory, FlopsAreTwiceTheMultiplyAdds) {
  const std::int64_t product = 2 * N * D * H;
  Value y = linear(ex, activation_value({N, D}), activation_value({H, D}), activation_value({H}));
  EXPECT_EQ(ex.report().forward_flops, product);
  ex.backward(y, ex.allocate({y.shape(), DType::f32}));
  EXPECT_EQ(ex.report().backward_flops, 2 * product);

  ex.reset_report();
  const Tensor offsets = ex.allocate({{3}, DType::i32}, Tag::data);
  y = grouped_linear(ex, activation_value({N, D}, false), activation_value({2 * H, D}), offsets, 2);
  EXPECT_EQ(ex.report().forward_flops, product);
  ex.backward(y, ex.allocate({y.shape(), DType::f32}));
  EXPECT_EQ(ex.report().backward_flops, product);

  ex.reset_report();
  y = matmul(ex, activation_value({N, D}), activation_value({N, H}), ProductForm::tn);
  EXPECT_EQ(ex.report().forward_flops, product);
  ex.backward(y, ex.allocate({y.shape(), DType::f32}));
  EXPECT_EQ(ex.report().backward_flops, 2 * product);
}

TEST_F(OpMemory, ViewsShareTheirInput) {
  const Value x = activation_value({N, D});
  const std::array<std::int64_t, 2> widths{8, 24};
  const Values parts = split_cols(ex, x, widths);
  EXPECT_EQ(parts[1].tensor.storage(), x.tensor.storage());
  EXPECT_EQ(parts[1].tensor.offset_bytes(), 8 * 4);
  EXPECT_EQ(parts[1].tensor.ld(), D);
  const Value middle = slice_rows(ex, parts[1], 2, 3);
  EXPECT_EQ(middle.tensor.offset_bytes(), (2 * D + 8) * 4);
  EXPECT_EQ(middle.shape(), (Shape{3, 24}));
  EXPECT_EQ(ex.ledger().peak_bytes(Tag::activations), kRows);
}

TEST_F(OpMemory, IdentityIsNoNode) {
  const Value x = activation_value({N, D});
  const Value y = identity(ex, x);
  EXPECT_EQ(y.tensor.storage(), x.tensor.storage());
  EXPECT_EQ(y.slot, x.slot);
}

}  // namespace
}  // namespace ffn::test
