#include "ffn/autograd/parameters.h"

#include <gtest/gtest.h>

#include "ffn/autograd/initialize.h"
#include "ffn/autograd/prepared.h"
#include "ffn/base/error.h"
#include "ffn/tensor/host.h"

namespace ffn {
namespace {

TEST(Parameters, LieInOneArenaGroupedByDecayAndAligned) {
  for (const DType compute : {DType::f32, DType::bf16}) {
    Executor ex(reference_device());
    ParameterSet set;
    Parameter& bias = set.add("bias", {5}, {.decay = false});
    Parameter& weight = set.add("weight", {3, 7});
    Parameter& norm = set.add("norm", {7}, {.decay = false, .full_precision = true});
    set.finalize(ex, compute);
    EXPECT_EQ(set.decayed_elements(), 32);  // 21 elements, rounded to 32
    EXPECT_EQ(set.elements(), 96);
    EXPECT_EQ(weight.master.data(), set.weights().data());  // decayed ones come first
    for (const Parameter* parameter : {&bias, &weight, &norm}) {
      EXPECT_EQ(reinterpret_cast<std::uintptr_t>(parameter->value.data()) % 64, 0u);
      EXPECT_EQ(parameter->slot.gradient.offset_bytes(), parameter->master.offset_bytes());
      EXPECT_EQ(parameter->slot.gradient.dtype(), DType::f32);
    }
    EXPECT_EQ(weight.value.dtype(), compute);
    EXPECT_EQ(norm.value.dtype(), DType::f32);
    const std::int64_t shadow = compute == DType::bf16 ? 2 * 96 : 0;
    EXPECT_EQ(ex.ledger().live_bytes(Tag::parameters), 4 * 96 + shadow);
    EXPECT_EQ(ex.ledger().live_bytes(Tag::gradients), 4 * 96);
  }
}

TEST(Parameters, PlacedOnesLieElsewhere) {
  Executor ex(reference_device());
  ParameterSet set;
  Parameter& placed = set.add("placed", {3, 8});
  Parameter& frozen = set.add("frozen", {2, 8}, {.frozen = true});
  Parameter& trained = set.add("trained", {8});
  const Tensor half = ex.allocate_persistent({{3, 8}, DType::f16, Role::activation}, Tag::data);
  EXPECT_THROW(set.place(placed, half.slice_rows(0, 2)), Error);
  set.place(placed, half);
  set.place(frozen, half.slice_rows(1, 2));
  set.finalize(ex, DType::f32);
  EXPECT_THROW(set.place(trained, half.slice_rows(0, 1)), Error);
  EXPECT_EQ(set.elements(), 32);  // of the trained one alone
  EXPECT_FALSE(set.frozen().defined());
  EXPECT_EQ(placed.value.data(), half.data());
  EXPECT_EQ(placed.value.dtype(), DType::f16);
  EXPECT_EQ(placed.value.role(), Role::parameter);
  EXPECT_FALSE(placed.trainable());
  EXPECT_EQ(ex.parameter(placed).slot, nullptr);
  EXPECT_EQ(frozen.value.data(), half.slice_rows(1, 2).data());
}

TEST(Parameters, NamesAreUniqueAndMissingOnesNameTheNearest) {
  Executor ex(reference_device());
  ParameterSet set;
  Parameter& embedding = set.add("embed_tokens.weight", {4, 2});
  set.tie("lm_head.weight", embedding);
  EXPECT_EQ(&set.at("lm_head.weight"), &embedding);
  EXPECT_THROW(set.add("lm_head.weight", {4, 2}), Error);
  EXPECT_THROW(set.tie("embed_tokens.weight", embedding), Error);
  try {
    set.at("embed_token.weight");
    FAIL() << "an unknown name was found";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::config);
    EXPECT_NE(std::string(error.what()).find("'embed_tokens.weight'"), std::string::npos);
  }
  EXPECT_THROW(set.finalize(ex, DType::i32), Error);
  set.finalize(ex, DType::f32);
  EXPECT_THROW(set.finalize(ex, DType::f32), Error);
  EXPECT_THROW(set.add("late", {1}), Error);
}

TEST(Parameters, GradientsThatNothingReachedBecomeZero) {
  Executor ex(reference_device());
  ParameterSet set;
  Parameter& weight = set.add("weight", {1, 2});
  set.finalize(ex, DType::f64);
  set_host_values(weight.slot.gradient, std::vector<double>{5, 6});  // of an earlier step
  set.reset_gradients();
  set.complete_gradients(ex);
  EXPECT_EQ(host_values(weight.slot.gradient), (std::vector<double>{0, 0}));
}

TEST(Parameters, ShadowIsTheRoundedMaster) {
  Executor ex(reference_device());
  ParameterSet set;
  Parameter& weight = set.add("weight", {1, 2});
  set.finalize(ex, DType::bf16);
  set_host_values(weight.master, std::vector<double>{1.00390625, -3});  // 1 + 2^-8: a tie, to even
  set.weights_changed(ex);
  EXPECT_EQ(host_values(weight.value), (std::vector<double>{1, -3}));
}

TEST(Parameters, InitialValuesDependOnNameAndSeedOnly) {
  const auto values = [](const char* before, std::uint64_t seed) {
    Executor ex(reference_device());
    ParameterSet set;
    set.add(before, {3, 3});
    Parameter& weight = set.add("weight", {4, 5});
    set.finalize(ex, DType::f32);
    initialize_normal(ex, weight, seed, 0.02);
    return host_values(weight.master);
  };
  EXPECT_EQ(values("a", 1), values("b", 1));
  EXPECT_NE(values("a", 1), values("a", 2));
}

TEST(PreparedWeights, AreDroppedWhenTheWeightChanges) {
  Executor ex(reference_device());
  ParameterSet set;
  Parameter& weight = set.add("weight", {4, 8});
  set.finalize(ex, DType::f32);
  PreparedWeights prepared;
  const std::byte* first = prepared.packed(ex, weight, kernels::ProductForm::nt).data();
  EXPECT_EQ(prepared.packed(ex, weight, kernels::ProductForm::nt).data(), first);
  const std::int64_t bytes = ex.ledger().live_bytes(Tag::prepared);
  EXPECT_GT(bytes, 0);
  initialize_constant(ex, weight, 2);
  set.weights_changed(ex);
  const Tensor& again = prepared.packed(ex, weight, kernels::ProductForm::nt);
  EXPECT_EQ(ex.ledger().live_bytes(Tag::prepared), bytes);  // the old one is gone
  EXPECT_EQ(host_span<std::uint8_t>(again).size(), static_cast<std::size_t>(bytes));
  prepared.drop();
  EXPECT_EQ(ex.ledger().live_bytes(Tag::prepared), 0);
}

}  // namespace
}  // namespace ffn
